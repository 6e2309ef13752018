"""Paying somebody's bill as a guest, who names the account and learns nothing of it."""

import pytest

from server.storage.database import Database
from server.storage.purge import purge
from server.toolkit.payments import MOST_BY_ACCOUNT, MOST_BY_CALLER
from server.toolkit.till import NO_GUEST, NO_QUOTE, OVERTAKEN, TOO_OFTEN
from tests.tools.conftest import Call, Shell, Text, World, data
from tests.tools.make_payment.conftest import GUEST, account, balance

GUESTS: list[dict[str, object]] = [
    GUEST,
    {"accountNumber": "demo11112222", "zip": "98101"},
    {"phone": "(206) 555-0123", "zip": "98101"},
    {"phone": "+1 206 555 0123", "zip": "98101"},
    {"phone": "2065550123", "zip": "98101"},
]


@pytest.mark.parametrize("guest", GUESTS)
@pytest.mark.parametrize("subject", ["bob", None])
async def test_a_guest_pays_without_learning_whose_account_it_is(
    pay: Call, text: Text, shell: Shell, guest: dict[str, object], subject: str | None
) -> None:
    quoted = await pay(subject, **guest, amountCents=2_000)
    paid = await pay(subject, **guest, quoteToken=data(quoted)["quoteToken"])
    assert data(paid)["balance"]["cents"] == balance(shell) == 5_500
    assert shell("SELECT user_id, payment_method_id FROM payments") == [(subject, "phone-elo")]
    for result in (quoted, paid):
        told = f"{text(result)} {data(result)}"
        for secret in ("Ada", "phone-elo", "Elo", "9999", "0042", "2026-12-01"):
            assert secret not in told
        assert data(result)["accountId"] is None
        assert data(result)["paymentMethod"] == "the payment method that the account keeps open to guests"


async def test_without_any_sign_in_a_guest_pays_too(call: Call, shell: Shell) -> None:
    token = data(await call("att-make-payment", **GUEST))["quoteToken"]
    assert data(await call("att-make-payment", **GUEST, quoteToken=token))["status"] == "paid"
    assert shell("SELECT user_id, client_id FROM payments") == [(None, None)]


async def test_a_guest_has_to_say_again_which_account(pay: Call, text: Text, shell: Shell) -> None:
    token = data(await pay("bob", **GUEST))["quoteToken"]
    assert text(await pay("bob", quoteToken=token)) == NO_QUOTE
    assert text(await pay("bob", **{**GUEST, "zip": "98102"}, quoteToken=token)) == NO_GUEST
    assert balance(shell) == 7_500


async def test_a_guest_uses_only_what_is_open_to_guests(pay: Call, text: Text, shell: Shell) -> None:
    assert "No payment method of that id" in text(await pay("bob", **GUEST, paymentMethodId="phone-visa"))
    token = data(await pay("bob", **GUEST))["quoteToken"]
    shell("UPDATE payment_methods SET open_to_guests = 0")
    assert text(await pay("bob", **GUEST, quoteToken=token)) == OVERTAKEN
    assert "No payment method that could be used here is saved" in text(await pay("bob", **GUEST))


async def test_an_unknown_account_and_a_wrong_zip_code_are_answered_alike(
    pay: Call, store: Database, world: World
) -> None:
    twin = account("twin", "eve", account_number="DEMO-3333-4444")
    await store.open_accounts("eve", (twin,), world.now)
    guesses: list[dict[str, object]] = [
        {**GUEST, "zip": "98102"},
        {**GUEST, "accountNumber": "DEMO-9999-9999"},
        {"phone": "2065550199", "zip": "98101"},
        {"phone": "2065550123", "zip": "98102"},
        {"phone": "2065550123", "zip": "98101"},  # which two accounts have
    ]
    answers = [await pay("bob", **guess) for guess in guesses]
    assert all(answer.is_error for answer in answers)
    assert len({str(answer.model_dump()) for answer in answers}) == 1


async def test_an_account_is_guessed_at_a_few_times_only(pay: Call, text: Text, world: World) -> None:
    for number in range(MOST_BY_ACCOUNT):
        assert text(await pay(f"user-{number}", **{**GUEST, "zip": f"0000{number}"})) == NO_GUEST
    assert text(await pay("bob", **GUEST)) == TOO_OFTEN, "not even with the right ZIP code"
    assert text(await pay("bob", accountNumber="DEMO-9999-9999", zip="98101")) == NO_GUEST
    world.now += 3_600
    assert data(await pay("bob", **GUEST))["status"] == "confirmation_required"


async def test_a_caller_guesses_a_few_times_only(pay: Call, text: Text) -> None:
    for number in range(MOST_BY_CALLER):
        assert text(await pay("bob", phone=f"20655510{number:02}", zip="98101")) == NO_GUEST
    assert text(await pay("bob", **GUEST)) == TOO_OFTEN
    assert data(await pay("carol", **GUEST))["status"] == "confirmation_required"


async def test_failures_are_forgotten_and_hold_no_number(
    pay: Call, shell: Shell, store: Database, world: World
) -> None:
    await pay("bob", phone="2065550999", zip="98101")
    await pay("bob", phone="2065550999", zip="98101")
    assert [row[2] for row in shell("SELECT * FROM guest_failures")] == [2, 2]
    assert "2065550999" not in str(shell("SELECT * FROM guest_failures"))
    assert (await purge(store.driver, world.now + 3_599))["guest_failures"] == 0
    assert (await purge(store.driver, world.now + 3_600))["guest_failures"] == 2
