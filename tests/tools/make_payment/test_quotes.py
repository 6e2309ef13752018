"""Paying a bill of one's own: a quote, its confirmation, and what either refuses."""

import asyncio
from pathlib import Path

import pytest
from mcp_types import Tool

from server.storage.database import Database
from server.storage.purge import purge
from server.toolkit.payments import QUOTE_TTL
from server.toolkit.till import NO_QUOTE, OTHER_QUOTE, OVERTAKEN
from tests.tools.conftest import Call, Shell, Text, World, data
from tests.tools.make_payment.conftest import GUEST, account, balance, files


async def test_a_quote_charges_nothing_and_says_how_to_go_on(pay: Call, text: Text, shell: Shell) -> None:
    result = await pay(amountCents=2_000)
    quote = data(result)
    assert quote["status"] == "confirmation_required"
    assert (quote["amount"]["formatted"], quote["balance"]["formatted"]) == ("$20.00", "$75.00")
    assert (quote["accountId"], quote["paymentMethod"]) == ("phone", "Elo ending 9999")
    assert (quote["confirmationNumber"], quote["paidAt"], quote["repeated"]) == (None, None, False)
    for part in ("Nothing has been charged yet", "$20.00 of the $75.00 due", "Elo ending 9999", quote["quoteToken"]):
        assert part in text(result)
    assert balance(shell) == 7_500
    assert shell("SELECT count(*) FROM payments") == [(0,)]


async def test_a_confirmed_quote_is_paid_and_entered_in_the_ledger(
    pay: Call, text: Text, shell: Shell, world: World
) -> None:
    quote = data(await pay(amountCents=2_000, paymentMethodId="phone-visa"))
    result = await pay(quoteToken=quote["quoteToken"])
    paid = data(result)
    assert (paid["status"], paid["balance"]["cents"], paid["repeated"]) == ("paid", 5_500, False)
    assert paid["confirmationNumber"] in text(result)
    assert balance(shell) == 5_500
    row = shell(
        "SELECT confirmation_number, account_id, user_id, client_id, amount_cents, balance_before_cents,"
        " balance_after_cents, payment_method_id, brand, last_four, paid_at FROM payments"
    )
    number = paid["confirmationNumber"]
    expected = (number, "phone", "ada", "client", 2_000, 7_500, 5_500, "phone-visa", "Visa", "0042", world.now)
    assert row == [expected]
    assert shell("SELECT due_on FROM accounts") == [("2026-12-01",)]


async def test_all_that_is_due_is_paid_when_no_amount_is_named(pay: Call, shell: Shell) -> None:
    quote = data(await pay())
    assert quote["amount"]["cents"] == 7_500
    assert data(await pay(quoteToken=quote["quoteToken"]))["balance"]["cents"] == 0
    assert shell("SELECT balance_cents, due_on FROM accounts") == [(0, None)]


async def test_a_confirmation_that_comes_again_gets_the_same_receipt(
    pay: Call, text: Text, shell: Shell, store: Database, world: World
) -> None:
    token = data(await pay(amountCents=2_000))["quoteToken"]
    first = data(await pay(quoteToken=token))
    for later in (0, QUOTE_TTL, 90 * 86_400):
        world.now += later
        await purge(store.driver, world.now)
        result = await pay(quoteToken=token)
        assert data(result) == {**first, "repeated": True}
        assert "already: this call charged nothing. The confirmation number is" in text(result)
    assert balance(shell) == 5_500
    assert shell("SELECT count(*) FROM payments") == [(1,)]


async def test_confirmations_all_at_once_pay_once(pay: Call, shell: Shell) -> None:
    token = data(await pay(amountCents=2_000))["quoteToken"]
    answers = [data(answer) for answer in await asyncio.gather(*(pay(quoteToken=token) for _ in range(8)))]
    assert len({answer["confirmationNumber"] for answer in answers}) == 1
    assert [answer["repeated"] for answer in answers].count(False) == 1
    assert balance(shell) == 5_500


@pytest.mark.parametrize("amount", [{}, {"amountCents": 7_500}, {"amountCents": 2_000}])
async def test_the_same_payment_soon_after_is_the_same_payment(
    pay: Call, shell: Shell, world: World, amount: dict[str, int]
) -> None:
    paid = data(await pay(quoteToken=data(await pay(**amount))["quoteToken"]))
    world.now += QUOTE_TTL - 1
    assert data(await pay(**amount)) == {**paid, "repeated": True}
    assert shell("SELECT count(*) FROM payments") == [(1,)]


async def test_later_the_same_amount_is_another_payment(pay: Call, shell: Shell, world: World) -> None:
    await pay(quoteToken=data(await pay(amountCents=2_000))["quoteToken"])
    world.now += QUOTE_TTL
    assert data(await pay(quoteToken=data(await pay(amountCents=2_000))["quoteToken"]))["repeated"] is False
    assert balance(shell) == 3_500


async def test_a_new_bill_soon_after_is_another_payment(pay: Call, shell: Shell) -> None:
    await pay(quoteToken=data(await pay())["quoteToken"])
    shell("UPDATE accounts SET balance_cents = 1000")
    assert data(await pay())["amount"]["cents"] == 1_000


async def test_a_newer_quote_takes_the_place_of_an_older_one(pay: Call, text: Text, shell: Shell) -> None:
    older = data(await pay(amountCents=2_000))["quoteToken"]
    newer = data(await pay(amountCents=3_000))["quoteToken"]
    refused = await pay(quoteToken=older)
    assert (refused.is_error, text(refused)) == (True, NO_QUOTE)
    await pay(quoteToken=newer)
    assert (await pay(quoteToken=older)).is_error
    assert balance(shell) == 4_500


async def test_a_quote_expires(pay: Call, text: Text, shell: Shell, world: World) -> None:
    token = data(await pay())["quoteToken"]
    world.now += QUOTE_TTL
    refused = await pay(quoteToken=token)
    assert (refused.is_error, text(refused)) == (True, NO_QUOTE)
    assert balance(shell) == 7_500


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET balance_cents = 7501",
        "DELETE FROM payment_methods",
        "UPDATE accounts SET user_id = 'bob'",
        "DELETE FROM accounts",
    ],
)
async def test_what_changed_since_the_quote_is_not_paid(pay: Call, text: Text, shell: Shell, change: str) -> None:
    token = data(await pay())["quoteToken"]
    shell(change)
    refused = await pay(quoteToken=token)
    assert (refused.is_error, text(refused)) == (True, OVERTAKEN)
    assert shell("SELECT count(*) FROM payments") == [(0,)]


async def test_a_quote_is_its_payers_alone(pay: Call, text: Text, shell: Shell) -> None:
    token = data(await pay(amountCents=2_000))["quoteToken"]
    for thief in ({"subject": "eve"}, {"subject": "ada", **GUEST}, {"subject": None, **GUEST}):
        refused = await pay(**thief, quoteToken=token)
        assert (refused.is_error, text(refused)) == (True, NO_QUOTE)
    await pay(quoteToken=token)
    refused = await pay("eve", quoteToken=token)
    assert (refused.is_error, text(refused)) == (True, NO_QUOTE), "nor is its receipt anybody else's"
    assert balance(shell) == 5_500


@pytest.mark.parametrize("other", [{"amountCents": 1_999}, {"accountId": "home"}, {"paymentMethodId": "phone-visa"}])
async def test_a_quote_is_for_what_was_quoted(pay: Call, text: Text, shell: Shell, other: dict[str, object]) -> None:
    token = data(await pay(amountCents=2_000))["quoteToken"]
    refused = await pay(quoteToken=token, **other)
    assert (refused.is_error, text(refused)) == (True, OTHER_QUOTE)
    assert balance(shell) == 7_500


async def test_a_quote_token_is_kept_as_a_digest_only(pay: Call, shell: Shell, tmp_path: Path) -> None:
    token = data(await pay())["quoteToken"]
    ((digest,),) = shell("SELECT quote_digest FROM payment_quotes")
    assert len(digest) == 64
    await pay(quoteToken=token)
    assert shell("SELECT quote_digest FROM payments") == [(digest,)]
    assert token.encode() not in files(tmp_path)


async def test_several_accounts_are_told_apart(
    pay: Call, text: Text, shell: Shell, store: Database, world: World
) -> None:
    two = (account("p1", "eve", 100, account_number="DEMO-0000-0001"), account("p2", "eve", 200, account_number="D"))
    await store.open_accounts("eve", two, world.now)
    asked = await pay("eve")
    assert asked.is_error
    assert text(asked) == "There are several accounts: say which by accountId. They are p1 (Ada's p1); p2 (Ada's p2)."
    missing = await pay("eve", accountId="phone")
    assert missing.is_error
    assert "no account of that id" in text(missing)
    quote = data(await pay("eve", accountId="p2"))
    assert data(await pay("eve", quoteToken=quote["quoteToken"]))["accountId"] == "p2"
    assert (balance(shell, "p1"), balance(shell, "p2")) == (100, 0)


async def test_quotes_are_purged_and_the_ledger_is_not(pay: Call, shell: Shell, store: Database, world: World) -> None:
    await pay(quoteToken=data(await pay(amountCents=10))["quoteToken"])
    await pay(amountCents=20)
    world.now += QUOTE_TTL + 3_600
    assert (await purge(store.driver, world.now - 1))["payment_quotes"] == 0
    assert (await purge(store.driver, world.now))["payment_quotes"] == 1
    await purge(store.driver, world.now + 3_650 * 86_400)
    assert shell("SELECT amount_cents FROM payments") == [(10,)]


async def test_a_payment_is_in_the_audit_log_and_the_view(pay: Call, shell: Shell) -> None:
    paid = data(await pay(quoteToken=data(await pay(amountCents=2_005))["quoteToken"]))
    await pay(quoteToken="att_pq_" + "0" * 49)
    number = paid["confirmationNumber"]
    assert shell("SELECT event, client_id, user_id, detail FROM audit_log") == [
        ("payment_made", "client", "ada", f"$20.05 on phone as {number}")
    ]
    shown = shell("SELECT confirmation_number, paid, amount, account_name, payment_method, paid_as FROM v_payments")
    at = paid["paidAt"].rstrip("Z").replace("T", " ")
    assert shown == [(number, at, "$20.05", "Ada's phone", "Elo ending 9999", "owner")]


async def test_it_is_marked_as_what_it_is(listing: list[Tool]) -> None:
    (tool,) = [tool for tool in listing if tool.name == "att-make-payment"]
    assert "card" in (tool.description or "")
    assert not {"cardNumber", "card", "routingNumber"} & tool.input_schema["properties"].keys()
