import asyncio
import os
import re
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from mcp.client import Client

from server.services import Services
from server.settings import load_settings
from server.storage.database import Database, open_database
from server.toolkit.account import Account, PaymentMethod
from server.toolkit.demonstration import demonstration_accounts
from server.tools import build
from tests.tools.conftest import Call, SignIn, Text, World


async def test_accounts_are_made_once_and_stay(call: Call, sign_in: SignIn, store: Database, world: World) -> None:
    with sign_in("user-1"):
        first = await call("att-account-summary")
        kept = await store.get_accounts("user-1")
        world.now += 86_400
        second = await call("att-account-summary")
    assert kept
    assert first.structured_content == second.structured_content
    assert await store.get_accounts("user-1") == kept


async def test_two_first_calls_at_once_see_the_same_accounts(call: Call, sign_in: SignIn, store: Database) -> None:
    with sign_in("user-1"):
        one, two = await asyncio.gather(call("att-account-summary"), call("att-account-summary"))
    assert one.structured_content == two.structured_content
    shown = (one.structured_content or {})["accounts"]
    assert [account["id"] for account in shown] == [a.account_id for a in await store.get_accounts("user-1")]


async def test_users_see_their_own_accounts_only(call: Call, sign_in: SignIn) -> None:
    with sign_in("user-1"):
        one = (await call("att-account-summary")).structured_content or {}
    with sign_in("user-2"):
        two = (await call("att-account-summary")).structured_content or {}
    assert {account["id"] for account in one["accounts"]}.isdisjoint({account["id"] for account in two["accounts"]})


async def test_a_kept_account_is_shown_as_it_is(
    call: Call, sign_in: SignIn, text: Text, store: Database, world: World
) -> None:
    world.set_time("2026-11-23T12:00:00+00:00")
    cards = (PaymentMethod("c1", "Visa", "0042", is_default=True), PaymentMethod("c2", "Elo", "9999", is_default=False))
    accounts = (
        Account("a1", "u", "Tel", "wireless", 123_456, "2026-11-22", autopay=True, payment_methods=cards),
        Account("a2", "u", "Home", "internet", -500, None, autopay=False, payment_methods=()),
    )
    await store.open_accounts("u", accounts, world.now)
    with sign_in("u"):
        result = await call("att-account-summary")
    data = result.structured_content or {}
    phone, home = data["accounts"]
    assert phone["balance"] == {"cents": 123_456, "formatted": "$1,234.56"}
    assert (phone["dueDate"], phone["overdue"]) == ("2026-11-22", True)
    assert (home["balance"]["formatted"], home["dueDate"], home["overdue"]) == ("-$5.00", None, False)
    assert data["totalBalance"]["cents"] == 122_956
    assert text(result).splitlines()[1:] == [
        "- Tel: $1,234.56, due 2026-11-22 (overdue), autopay on; pays by Visa ending 0042 (default), Elo ending 9999.",
        "- Home: -$5.00, nothing due, autopay off; pays by nothing saved.",
    ]


async def test_a_balance_is_not_overdue_on_its_due_date(
    call: Call, sign_in: SignIn, store: Database, world: World
) -> None:
    world.set_time("2026-11-22T23:59:59+00:00")
    account = Account("a", "u", "Phone", "wireless", 1, "2026-11-22", autopay=True, payment_methods=())
    await store.open_accounts("u", (account,), world.now)
    with sign_in("u"):
        data = (await call("att-account-summary")).structured_content or {}
    assert data["accounts"][0]["overdue"] is False


async def test_nobody_signed_in_is_told_to_sign_in(call: Call, text: Text, store: Database) -> None:
    result = await call("att-account-summary")
    assert result.is_error
    assert "Nobody is signed in" in text(result)
    assert await store.get_accounts("") == ()


async def test_a_token_without_a_user_is_told_to_sign_in(call: Call, sign_in: SignIn, text: Text) -> None:
    with sign_in(None):
        result = await call("att-account-summary")
    assert result.is_error
    assert "Nobody is signed in" in text(result)


async def test_while_nothing_can_be_written_accounts_are_shown_and_none_made(
    sign_in: SignIn, text: Text, tmp_path: Path, world: World
) -> None:
    path = tmp_path / "held.db"
    async with open_database(path, world.now, patience=0.2) as database:
        server = build(
            Services(
                store=database, clock=lambda: world.now, settings=load_settings(_env_file=None), entropy=os.urandom
            )
        )
        await database.open_accounts("old", demonstration_accounts("old", date(2026, 11, 23)), world.now)
        async with Client(server) as client:
            with closing(sqlite3.connect(path)) as other:
                other.execute("BEGIN IMMEDIATE")
                with sign_in("old"):
                    shown = await client.call_tool("att-account-summary", {})
                with sign_in("new"):
                    refused = await client.call_tool("att-account-summary", {})
    assert not shown.is_error
    assert refused.is_error
    assert text(refused) == "The data cannot be read just now, and nothing was changed. Try again shortly."


@given(user_id=st.text(), today=st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)))
def test_invented_accounts_are_plainly_so_and_hold_no_full_card_number(user_id: str, today: date) -> None:
    accounts = demonstration_accounts(user_id, today)
    assert accounts == demonstration_accounts(user_id, today)
    assert 1 <= len(accounts) <= 3
    ids = [account.account_id for account in accounts]
    assert len(set(ids)) == len(ids)
    for account in accounts:
        assert account.user_id == user_id
        assert account.account_id.startswith("demo-")
        assert "Demonstration" in account.name
        assert (account.due_on is None) == (account.balance_cents == 0)
        assert account.due_on is None or today < date.fromisoformat(account.due_on)
        assert [method.is_default for method in account.payment_methods].count(True) == 1
        assert all(re.fullmatch(r"\d{4}", method.last_four) for method in account.payment_methods)


async def test_an_account_from_before_there_were_account_numbers_is_completed(
    call: Call, sign_in: SignIn, store: Database, world: World, tmp_path: Path
) -> None:
    with sign_in("user-1"):
        await call("att-account-summary")
    complete = await store.get_accounts("user-1")
    with closing(sqlite3.connect(tmp_path / "server.db", timeout=10)) as connection, connection:
        connection.execute(
            "UPDATE accounts SET account_number = NULL, phone = NULL, zip_code = NULL, balance_cents = 1"
        )
        connection.execute("UPDATE payment_methods SET open_to_guests = 0")
        connection.execute("DELETE FROM account_lines")
    world.now += 30 * 86_400
    with sign_in("user-1"):
        shown = (await call("att-account-summary")).structured_content or {}
    assert [one["accountNumber"] for one in shown["accounts"]] == [one.account_number for one in complete]
    completed = await store.get_accounts("user-1")
    assert {one.balance_cents for one in completed} == {1}
    for former, now in zip(complete, completed, strict=True):
        assert (now.phone, now.zip_code, now.payment_methods) == (former.phone, former.zip_code, former.payment_methods)
        assert [line.plan_id for line in now.lines] == [line.plan_id for line in former.lines] != []
