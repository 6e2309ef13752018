import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp_types import CallToolResult

from server.storage.database import Database, open_database
from server.toolkit.account import Account, PaymentMethod
from server.toolkit.screening import REFUSAL
from server.tools import update_preferences
from tests.tools.conftest import Build, Call, Shell, SignIn, Text, World, alone, data

CARD = PaymentMethod("visa", "Visa", "0042", is_default=True)
UNSAID = {
    "paperless": False,
    "autopay": False,
    "language": "en",
    "contactMethod": "email",
    "contactEmail": None,
    "contactPhone": None,
}


def account(account_id: str, *cards: PaymentMethod) -> Account:
    number = f"DEMO-0000-{account_id}"
    return Account(account_id, "ada", account_id, "wireless", 0, None, False, cards, number)  # noqa: FBT003 - autopay


@pytest.fixture
async def store(tmp_path: Path, world: World) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "server.db", world.now) as database:
        await database.open_accounts("ada", (account("home"), account("phone", CARD)), world.now)
        yield database


@pytest.fixture
def build() -> Build:
    return alone(update_preferences.tool)


@pytest.fixture
def update(call: Call, sign_in: SignIn) -> Call:
    async def update_preferences(**arguments: object) -> CallToolResult:
        with sign_in("ada"):
            return await call("att-update-preferences", **{"accountId": "phone", **arguments})

    return update_preferences


async def test_preferences_are_answered_before_and_after(update: Call, text: Text) -> None:
    result = await update(paperless=True, language="es", contactPhone="(206) 555-0123")
    change = data(result)
    assert change["before"] == UNSAID
    assert change["after"] == {**UNSAID, "paperless": True, "language": "es", "contactPhone": "2065550123"}
    assert change["changed"] == ["paperless", "language", "contactPhone"]
    assert text(result).splitlines()[1:] == [
        "- paperless: off, now on",
        "- language: en, now es",
        "- contactPhone: none, now 2065550123",
    ]


async def test_the_same_again_changes_nothing_more(update: Call, text: Text, shell: Shell, world: World) -> None:
    first = data(await update(paperless=True, autopay=True))
    kept = shell("SELECT * FROM account_preferences")
    world.now += 60
    again = await update(paperless=True, autopay=True)
    assert data(again) == {**first, "before": first["after"], "changed": []}
    assert "nothing changed, since it is so already" in text(again)
    assert shell("SELECT * FROM account_preferences") == kept
    assert shell("SELECT count(*) FROM audit_log") == [(1,)]


async def test_what_is_left_out_stays_as_it_is(update: Call) -> None:
    await update(contactMethod="text", contactEmail="ada@example.com", paperless=True)
    after = data(await update(paperless=False))["after"]
    assert after == {**UNSAID, "contactMethod": "text", "contactEmail": "ada@example.com"}
    assert data(await update(accountId="home", language="es"))["before"] == UNSAID, "of its own account"


async def test_changes_at_the_same_time_are_all_kept(update: Call) -> None:
    await asyncio.gather(update(paperless=True), update(language="es"), update(contactMethod="mail"))
    after = data(await update(autopay=False))["after"]
    assert (after["paperless"], after["language"], after["contactMethod"]) == (True, "es", "mail")


async def test_autopay_is_the_accounts_own(update: Call, text: Text, shell: Shell) -> None:
    assert data(await update(autopay=True))["changed"] == ["autopay"]
    assert shell("SELECT account_id, autopay FROM accounts ORDER BY 1") == [("home", 0), ("phone", 1)]
    refused = await update(accountId="home", autopay=True, paperless=True)
    assert refused.is_error
    assert text(refused) == "Autopay needs a payment method, and none is saved on this account. Nothing was changed."
    assert data(await update(accountId="home", autopay=False, paperless=False))["changed"] == []


async def test_the_audit_log_says_which_and_not_what(update: Call, shell: Shell) -> None:
    await update(contactEmail="ada@example.com", paperless=True)
    assert shell("SELECT event, client_id, user_id, detail FROM audit_log") == [
        ("preferences_changed", "client", "ada", "contact_email paperless of phone")
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Nothing to change was named: give paperless, autopay, language,"),
        ({"accountId": "other", "paperless": True}, "The signed-in user has no account of that id. The accounts are"),
        ({"accountId": None, "paperless": True}, "There are several accounts: say which by accountId."),
        ({"paperless": "yes"}, "paperless cannot be what was given; it takes true for bills by e-mail only"),
        ({"paperless": 1}, "paperless cannot be what was given;"),
        ({"language": "fr"}, 'language cannot be what was given; it takes "en" for English or "es" for Spanish.'),
        ({"contactMethod": "fax"}, 'contactMethod cannot be what was given; it takes "email", "text", "phone" or'),
        ({"contactEmail": "ada"}, "contactEmail cannot be what was given; it takes an e-mail address."),
        ({"contactEmail": "a@b.c\n"}, "contactEmail cannot be what was given;"),
        ({"contactPhone": "555-0123"}, "contactPhone cannot be what was given; it takes a ten-digit phone number"),
        ({"contactEmail": "4111111111111111@example.com"}, REFUSAL),
        ({"contactPhone": "4111 1111 1111 1111"}, REFUSAL),
    ],
)
async def test_bad_input_changes_nothing_and_is_told_why(
    update: Call, text: Text, shell: Shell, arguments: dict[str, object], message: str
) -> None:
    result = await update(**arguments)
    assert result.is_error
    assert text(result).startswith(message)
    assert shell("SELECT count(*) FROM account_preferences") == [(0,)]


async def test_nobody_signed_in_has_no_preferences(call: Call, text: Text) -> None:
    assert "Nobody is signed in. Connect with an access token of scope write" in text(
        await call("att-update-preferences", paperless=True)
    )
