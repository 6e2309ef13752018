import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.session import ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitRequestParams, ElicitResult, Tool

from server.services import Services
from server.settings import load_settings
from server.storage.database import Database, open_database
from server.storage.purge import purge
from server.toolkit.account import Account, PaymentMethod
from server.toolkit.payments import MOST_BY_ACCOUNT, MOST_BY_CALLER, QUOTE_TTL
from server.toolkit.screening import REFUSAL
from server.toolkit.server import make_server
from server.toolkit.till import NO_GUEST, NO_QUOTE, OTHER_QUOTE, OVERTAKEN, TOO_OFTEN
from server.tools import make_payment
from tests.tools.conftest import Call, World

Text = Callable[[CallToolResult], str]
SignIn = Callable[[str | None], AbstractContextManager[None]]
Shell = Callable[..., list[tuple[Any, ...]]]
CARDS = (
    PaymentMethod("visa", "Visa", "0042", is_default=False, open_to_guests=False),
    PaymentMethod("elo", "Elo", "9999", is_default=True, open_to_guests=True),
)
GUEST: dict[str, object] = {"accountNumber": "DEMO-1111-2222", "zip": "98101"}
CARD = "4111 1111 1111 1111"


def account(account_id: str = "phone", user_id: str = "ada", balance: int = 7_500, **more: Any) -> Account:
    cards = tuple(
        PaymentMethod(f"{account_id}-{c.payment_method_id}", c.brand, c.last_four, c.is_default, c.open_to_guests)
        for c in CARDS
    )
    named = {"account_number": "DEMO-1111-2222", "phone": "2065550123", "zip_code": "98101"}
    return Account(
        account_id,
        user_id,
        f"Ada's {account_id}",
        "wireless",
        balance,
        "2026-12-01",
        autopay=False,
        payment_methods=cards,
        **{**named, **more},
    )


@pytest.fixture
async def store(tmp_path: Path, world: World) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "server.db", world.now) as database:
        await database.open_accounts("ada", (account(),), world.now)
        yield database


@pytest.fixture(params=["legacy", "auto"])
def connect(request: pytest.FixtureRequest, world: World, store: Database) -> Callable[[], Client]:
    """This tool alone, which needs no catalogue."""
    settings = load_settings(_env_file=None)
    services = Services(store=store, clock=lambda: world.now, settings=settings, entropy=os.urandom)
    server = make_server("test", "1", "", [make_payment.tool(services)])
    return lambda: Client(server, mode=request.param)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(tmp_path / "server.db", timeout=10)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    return run


@pytest.fixture
def pay(call: Call, sign_in: SignIn) -> Call:
    """Call the tool as Ada, unless ``subject`` says who else."""

    async def make_payment(subject: str | None = "ada", **arguments: object) -> CallToolResult:
        with sign_in(subject):
            return await call("att-make-payment", **arguments)

    return make_payment


def data(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    return dict(result.structured_content or {})


def balance(shell: Shell, account_id: str = "phone") -> int:
    return int(shell("SELECT balance_cents FROM accounts WHERE account_id = ?", account_id)[0][0])


def files(folder: Path) -> bytes:
    """Give all that is in the database's files."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


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


async def test_more_than_is_due_is_refused(pay: Call, text: Text, shell: Shell) -> None:
    refused = await pay(amountCents=7_501)
    assert refused.is_error
    assert text(refused) == "amountCents is more than what is due, which is $75.00 (7500 cents)."
    shell("UPDATE accounts SET balance_cents = -500")
    refused = await pay()
    assert "Nothing is due on this account (its balance is -$5.00)" in text(refused)


async def test_only_a_saved_payment_method_will_do(pay: Call, text: Text, shell: Shell) -> None:
    assert "No payment method of that id" in text(await pay(paymentMethodId="other"))
    shell("DELETE FROM payment_methods")
    refused = await pay()
    assert refused.is_error
    assert "No payment method that could be used here is saved" in text(refused)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"amountCents": 0}, "amountCents cannot be what was given; it takes whole US cents"),
        ({"amountCents": -1}, "amountCents cannot be what was given;"),
        ({"amountCents": 20.5}, "amountCents cannot be what was given;"),
        ({"amountCents": 20.0}, "amountCents cannot be what was given;"),
        ({"amountCents": "2000"}, "amountCents cannot be what was given;"),
        ({"amountCents": True}, "amountCents cannot be what was given;"),
        ({"zip": "9810"}, "zip cannot be what was given; it takes for a guest, the account's five-digit ZIP code."),
        ({"phone": "555-0123"}, "phone cannot be what was given;"),
        ({"accountNumber": "12345678"}, "accountNumber cannot be what was given;"),
        ({"quoteToken": "x"}, "quoteToken cannot be what was given;"),
        ({"routing": "12345"}, "There is no argument of that name; the arguments are accountId, accountNumber,"),
        ({"zip": "98101"}, "A guest names an account by zip together with accountNumber or phone"),
        ({"phone": "2065550123"}, "A guest names an account by zip together with"),
        ({**GUEST, "phone": "2065550123"}, "A guest names an account by zip together with"),
        ({**GUEST, "accountId": "phone"}, "A guest names an account by zip together with"),
    ],
)
async def test_bad_input_is_refused_without_repeating_it(
    pay: Call, text: Text, arguments: dict[str, object], message: str
) -> None:
    result = await pay(**arguments)
    assert result.is_error
    assert text(result).startswith(message)


async def test_nobody_signed_in_can_pay_on_no_account_of_theirs(call: Call, pay: Call, text: Text) -> None:
    assert "Nobody is signed in" in text(await call("att-make-payment"))
    assert "this token belongs to an application" in text(await pay(None))


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


HOSTILE: list[dict[str, object]] = [
    {"accountId": CARD},
    {"accountNumber": CARD.replace(" ", "-")},
    {"phone": CARD, "zip": "98101"},
    {"zip": CARD},
    {"amountCents": 4111111111111111},
    {"paymentMethodId": "4111.1111.1111.1111"},
    {"quoteToken": CARD},
    {"cardNumber": CARD},
    {CARD: "1"},
    {"note": {"pay with": [CARD]}},
    {"accountNumber": "021000021"},
    {"accountNumber": "DE89 3704 0044 0532 0130 00"},
]


async def test_a_card_or_bank_number_is_refused_with_the_reason_wherever_it_stands(
    pay: Call, text: Text, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(0):
        for arguments in HOSTILE:
            result = await pay(**arguments)
            assert (result.is_error, text(result)) == (True, REFUSAL), arguments
    kept = caplog.text.encode() + files(tmp_path)
    for trace in (b"4111", b"021000021", b"0532"):
        assert trace not in kept


class Person:
    """Answers the form, and remembers what it said."""

    def __init__(self, action: Any, **content: Any) -> None:
        self.answer = ElicitResult(action=action, content=content or None)
        self.asked: list[ElicitRequestFormParams] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert context is not None
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params)
        return self.answer


Ask = Callable[..., Any]


@pytest.fixture
def asked(connect: Callable[..., Client], sign_in: SignIn) -> Ask:
    """Call the tool with a person at the client."""

    async def make_payment(person: Person, subject: str | None = "ada", **arguments: object) -> CallToolResult:
        with sign_in(subject):
            client = connect()
            client.elicitation_callback = person
            async with client:
                return await client.call_tool("att-make-payment", arguments)

    return make_payment


@pytest.mark.parametrize("arguments", [{"subject": "ada"}, {"subject": "bob", **GUEST}, {"subject": None, **GUEST}])
async def test_a_person_who_agrees_in_the_form_has_paid(asked: Ask, shell: Shell, arguments: dict[str, Any]) -> None:
    person = Person("accept", confirm=True)
    paid = data(await asked(person, **arguments, amountCents=2_000))
    assert (paid["status"], paid["quoteToken"], paid["balance"]["cents"]) == ("paid", None, 5_500)
    (form,) = person.asked
    assert form.message.startswith("Pay $20.00 of the $75.00 due by ")
    assert form.requested_schema["required"] == ["confirm"]
    assert balance(shell) == 5_500


NO = {
    "decline": Person("decline"),
    "cancel": Person("cancel"),
    "unticked": Person("accept", confirm=False),
    "empty": Person("accept"),
    "odd": Person("accept", confirm="yes"),
}


@pytest.mark.parametrize("person", NO.values(), ids=NO)
async def test_a_person_who_does_not_agree_has_paid_nothing(
    asked: Ask, text: Text, shell: Shell, person: Person
) -> None:
    result = await asked(person)
    assert data(result)["status"] == "declined"
    assert "nothing was charged" in text(result)
    assert balance(shell) == 7_500
    assert shell("SELECT count(*) FROM payment_quotes") == [(0,)], "the quote cannot be paid any more"


async def test_the_same_call_soon_after_does_not_ask_again(asked: Ask, shell: Shell) -> None:
    first, again = Person("accept", confirm=True), Person("accept", confirm=True)
    paid = data(await asked(first, amountCents=2_000))
    assert data(await asked(again, amountCents=2_000)) == {**paid, "repeated": True}
    assert again.asked == []
    assert balance(shell) == 5_500


async def test_whoever_is_asked_again_is_reminded_of_what_they_paid(
    pay: Call, asked: Ask, text: Text, world: World
) -> None:
    paid = data(await pay(quoteToken=data(await pay(amountCents=2_000))["quoteToken"]))
    world.now += QUOTE_TTL
    reminder = f"Before that, $20.00 was paid at {paid['paidAt']} ({paid['confirmationNumber']})."
    assert reminder in text(await pay(amountCents=2_000))
    person = Person("decline")
    await asked(person, amountCents=2_000)
    assert reminder in person.asked[0].message
    assert "Before that" not in text(await pay("bob", **GUEST)), "of what they paid themselves, that is"
    world.now += 86_400
    assert "Before that" not in text(await pay(amountCents=2_000))


async def test_a_card_number_in_the_form_is_refused(
    asked: Ask, text: Text, shell: Shell, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        result = await asked(Person("accept", confirm=True, note=CARD))
    assert (result.is_error, text(result)) == (True, REFUSAL)
    assert balance(shell) == 7_500
    kept = caplog.text.encode() + files(tmp_path)
    assert b"4111" not in kept


async def test_it_is_marked_as_what_it_is(listing: list[Tool]) -> None:
    (tool,) = [tool for tool in listing if tool.name == "att-make-payment"]
    assert "card" in (tool.description or "")
    assert not {"cardNumber", "card", "routingNumber"} & tool.input_schema["properties"].keys()
