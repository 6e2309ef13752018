from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from server.catalogue.hours import is_open, is_understood, week

WEEK = "Mo 10:00-20:00; We 18:00-02:00; Fr 18:00-24:00; Su 00:00-24:00"


def at(zone: str, local: str) -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-11-23T09:59", False),  # Monday
        ("2026-11-23T10:00", True),
        ("2026-11-23T19:59", True),
        ("2026-11-23T20:00", False),
        ("2026-11-24T12:00", False),  # Tuesday, closed all day
        ("2026-11-25T01:00", False),  # Wednesday, before its night
        ("2026-11-25T17:59", False),
        ("2026-11-25T18:00", True),
        ("2026-11-25T23:59", True),
        ("2026-11-26T00:00", True),  # Thursday, still Wednesday's night
        ("2026-11-26T01:59", True),
        ("2026-11-26T02:00", False),
        ("2026-11-26T18:00", False),
        ("2026-11-27T23:59", True),  # Friday, until midnight
        ("2026-11-28T00:00", False),
        ("2026-11-29T00:00", True),  # Sunday, round the clock
        ("2026-11-29T23:59", True),
        ("2026-11-30T00:00", False),
        ("2026-03-11T18:00", True),  # the first Wednesday after the clocks went forward
        ("2026-11-04T18:00", True),  # the first Wednesday after they went back
    ],
)
@pytest.mark.parametrize("zone", ["America/New_York", "America/Los_Angeles", "America/Phoenix", "Pacific/Honolulu"])
def test_open_now_at_the_edges_of_days(zone: str, local: str, *, expected: bool) -> None:
    assert is_open(WEEK, ZoneInfo(zone), at(zone, local)) is expected


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("24/7", [[("00:00", "00:00")]] * 7),
        ("Mo-Fr 09:00-12:00,13:00-18:00", [[("09:00", "12:00"), ("13:00", "18:00")]] * 5 + [[], []]),
        (
            "Mo-Th 10:00-20:00; Fr 18:00-02:00; Sa,Su 00:00-24:00",
            [[("10:00", "20:00")]] * 4 + [[("18:00", "00:00")], [("00:00", "00:00")], [("00:00", "00:00")]],
        ),
        ("We 18:00-02:00", [[], [], [("18:00", "02:00")], [], [], [], []]),
        ("Su 20:00-03:00", [[], [], [], [], [], [], [("20:00", "03:00")]]),
        ("Jun-Aug Mo 10:00-20:00", [[]] * 7),
    ],
)
def test_the_week_has_each_days_hours(expression: str, days: list[list[tuple[str, str]]]) -> None:
    monday = at("America/Chicago", "2026-11-02T01:30")  # the day after the clocks went back
    found = week(expression, ZoneInfo("America/Chicago"), monday)
    assert next(iter(found)) == date(2026, 11, 2)
    assert list(found.values()) == days


def test_public_holidays_of_the_united_states_are_known() -> None:
    thanksgiving = at("America/Chicago", "2026-11-26T12:00")
    zone = ZoneInfo("America/Chicago")
    assert is_open("Mo-Su 10:00-20:00; PH off", zone, thanksgiving) is False
    assert week("Mo-Su 10:00-20:00; PH off", zone, thanksgiving)[date(2026, 11, 26)] == []
    assert is_open("Mo-Su 10:00-20:00", zone, thanksgiving) is True


def test_hours_that_nobody_knows_are_neither_open_nor_closed() -> None:
    assert is_open("Mo-Su unknown", ZoneInfo("UTC"), at("UTC", "2026-11-26T12:00")) is None


@pytest.mark.parametrize("expression", ["", "9-5", "Mo-Fr 25:00-27:00", "daily", "Mo-Fr 9am-5pm"])
def test_other_texts_are_not_understood(expression: str) -> None:
    assert not is_understood(expression)
