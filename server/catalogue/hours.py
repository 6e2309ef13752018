"""Opening hours as OpenStreetMap writes them, worked out by the ``opening-hours-py`` package.

The package is imported at its first use, because it costs 60 ms and 8 MB that few starts need. Public
holidays are those of the United States.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from opening_hours import OpeningHours

_DAY = timedelta(days=1)
_COUNTRY = "US"


@lru_cache(maxsize=1_024)
def _parse(expression: str, zone: str) -> "OpeningHours":
    from opening_hours import OpeningHours  # noqa: PLC0415 - see above

    return OpeningHours(expression, timezone=ZoneInfo(zone), country=_COUNTRY)


def is_understood(expression: str) -> bool:
    """Tell whether these are opening hours."""
    from opening_hours import validate  # noqa: PLC0415 - see above

    return validate(expression)


def is_open(expression: str, zone: ZoneInfo, now: int) -> bool | None:
    """Tell whether a place is open at a time in Unix seconds; ``None`` when its hours leave that open."""
    hours, local = _parse(expression, zone.key), datetime.fromtimestamp(now, UTC).astimezone(zone)
    return None if hours.is_unknown(local) else hours.is_open(local)


def week(expression: str, zone: ZoneInfo, now: int) -> dict[date, list[tuple[str, str]]]:
    """Give the hours of the seven days from today: for each day, when it opens and closes.

    Hours that run past midnight belong to the day on which they began, and then close at or before the
    time at which they opened.
    """
    today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    days: dict[date, list[tuple[str, str]]] = {today + n * _DAY: [] for n in range(7)}
    start = datetime.combine(today - _DAY, datetime.min.time(), zone)
    for opens, closes in _spans(expression, zone, start):
        if opens.date() in days:
            days[opens.date()].append((f"{opens:%H:%M}", f"{closes:%H:%M}"))
    return days


def _spans(expression: str, zone: ZoneInfo, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the open intervals of nine days; one that is longer than a day is cut at each midnight."""
    hours = _parse(expression, zone.key)
    until = start + 9 * _DAY
    for opens, closes, state, _comment in hours.intervals(start, until):
        if str(state) != "open":
            continue
        while closes - opens > _DAY:
            midnight = datetime.combine(opens.date() + _DAY, datetime.min.time(), zone)
            yield opens, midnight
            opens = midnight  # noqa: PLW2901 - the rest of the interval
        yield opens, closes
