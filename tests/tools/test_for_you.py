import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from server import shipped
from server.storage.database import Database, open_database
from server.toolkit.account import Account, Line
from tests.tools.conftest import Call, SignIn, Text, World

Offers = Callable[..., Any]


@pytest.fixture
async def store(tmp_path: Path, world: World) -> AsyncIterator[Database]:
    world.set_time("2026-11-23T12:00:00+00:00")
    async with open_database(tmp_path / "server.db", world.now) as database:
        yield database


def account(kind: str, *lines: Line, autopay: bool = True) -> Account:
    return Account(kind, "ada", f"Ada's {kind}", kind, 0, None, autopay, (), f"DEMO-0000-{kind}", lines=lines)


@pytest.fixture
def offers(call: Call, sign_in: SignIn, store: Database, world: World) -> Offers:
    """Open accounts for Ada, and give the offers for them by their ids."""

    async def offers_for(*accounts: Account, **arguments: object) -> dict[str, Any]:
        await store.open_accounts("ada", accounts, world.now)
        with sign_in("ada"):
            result = await call("att-for-you", **arguments)
        data = result.structured_content or {}
        assert data["count"] == len(data["offers"])
        return {f"{offer['accountId']} {offer['id']}": offer["reason"] for offer in data["offers"]}

    return offers_for


async def test_offers_come_from_the_plans_on_the_account(offers: Offers) -> None:
    wireless = account("wireless", Line("l1", "demo-wireless-value"), Line("l2", "demo-wireless-value"))
    internet = account("internet", Line("l3", "demo-internet-air"))
    assert await offers(wireless, internet) == {
        "internet demo-offer-fiber": "Ada's internet is on Demo Internet Air, whose speed changes with the reception.",
        "wireless demo-offer-extra": (
            "Ada's wireless is on Demo Value Unlimited, which has less hotspot data and no high-definition streaming."
        ),
    }


async def test_offers_come_from_the_devices_on_the_account(offers: Offers) -> None:
    lines = (
        Line("l1", "demo-wireless-tablet", "aurelo-nova-8", "2024-11-24"),
        Line("l2", "demo-wireless-tablet", "kestrel-k12", "2024-11-23"),
        Line("l3", "demo-wireless-tablet", None, None),
    )
    found = await offers(account("wireless", *lines), account("internet", Line("l4", "demo-internet-5000")))
    assert found == {
        "wireless demo-offer-new-phone": "The Kestrel K12 on Ada's wireless has been in use for 24 months."
    }


async def test_a_device_is_not_old_a_day_before_its_time(offers: Offers) -> None:
    line = Line("l1", "other", "Demo Phone One", "2024-11-24")
    assert await offers(account("wireless", line), account("internet", Line("l2", "other"))) == {}


@pytest.mark.parametrize("lines", [1, 2])
async def test_the_number_of_lines_counts(offers: Offers, lines: int) -> None:
    held = tuple(Line(f"l{number}", "demo-wireless-extra") for number in range(lines))
    found = await offers(account("wireless", *held), account("internet", Line("i", "other")))
    assert found.get("wireless demo-offer-premium") == (
        "Ada's wireless has 2 lines on Demo Extra Unlimited, whose priority data ends at 75 GB each."
        if lines == 2
        else None
    )
    assert "wireless demo-offer-tablet" in found


async def test_what_the_customer_lacks_counts(offers: Offers) -> None:
    held = (Line("l1", "demo-wireless-extra"), Line("l2", "demo-wireless-tablet"))
    found = await offers(account("wireless", *held, autopay=False))
    assert not {"wireless demo-offer-tablet", "wireless demo-offer-premium"} & found.keys()
    assert found["wireless demo-offer-bundle"] == "There is no internet account beside Ada's wireless."
    assert found["wireless demo-offer-autopay"] == "Autopay is off on Ada's wireless."


async def test_one_account_can_be_asked_about(offers: Offers, call: Call, sign_in: SignIn, text: Text) -> None:
    accounts = (
        account("wireless", Line("l1", "demo-wireless-value")),
        account("internet", Line("l2", "demo-internet-300")),
    )
    assert list(await offers(*accounts, accountId="internet")) == ["internet demo-offer-gigabit"]
    with sign_in("ada"):
        result = await call("att-for-you", accountId="prepaid")
    assert result.is_error
    assert "no account of that id" in text(result)


async def test_the_text_says_what_and_why(offers: Offers, call: Call, sign_in: SignIn, text: Text) -> None:
    await offers(account("prepaid", Line("l1", "demo-prepaid-5gb")))
    with sign_in("ada"):
        head, line = text(await call("att-for-you")).splitlines()
    assert head.startswith("1 offer. Demonstration data")
    assert line == (
        "- From prepaid to Demo Value Unlimited ($50.00 per month for one line, taxes and fees extra): Unlimited data "
        "for the number that is prepaid now, which stays the same. Why: Ada's prepaid is on Demo Prepaid 5 GB, whose "
        "data comes to an end each month."
    )


async def test_a_new_user_has_offers_too(call: Call, sign_in: SignIn) -> None:
    for name in ("ada", "bob", "carol", "dan"):
        with sign_in(name):
            offers = (await call("att-for-you")).structured_content or {}
            accounts = (await call("att-account-summary")).structured_content or {}
        assert {offer["accountId"] for offer in offers["offers"]} <= {one["id"] for one in accounts["accounts"]}
        assert offers["count"]


async def test_nobody_signed_in_has_no_offers(call: Call, text: Text) -> None:
    assert "Nobody is signed in" in text(await call("att-for-you"))


def test_shipped_offers_name_plans_that_there_are() -> None:
    folder = shipped.directory("data")
    plans = {plan["id"] for plan in json.loads((folder / "plans.json").read_text())["plans"]}
    for offer in json.loads((folder / "recommendations.json").read_text())["recommendations"]:
        when = offer["when"]
        assert {*when.get("plans", []), *([when["lacksPlan"]] if "lacksPlan" in when else [])} <= plans
