"""Whatever an account is like, what the tools say of it is as their schemas have it."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp.client import Client
from mcp.client.session import ClientRequestContext
from mcp.server.lowlevel import Server
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

from server.services import Services
from server.settings import load_settings
from server.storage.database import Database, open_database
from server.toolkit.account import Account, Line, PaymentMethod
from server.toolkit.screening import looks_like_payment_number
from server.tools import build
from tests.tools.conftest import World, signed_in, text_of

NUMBERS = count()
"""Makes ids that no other example has."""

MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PLANS = ("demo-wireless-value", "demo-wireless-extra", "demo-internet-air", "demo-prepaid-5gb", "none of ours")
DEVICES = ("kestrel-k12", "aurelo-watch-5", "a thing", None)
DAYS = st.dates(date(1990, 1, 1), date(2060, 1, 1)).map(date.isoformat)

cards = st.builds(
    PaymentMethod,
    st.just(""),
    st.text(max_size=20),
    st.text("0123456789", min_size=4, max_size=4),
    st.booleans(),
    st.booleans(),
)
lines = st.builds(Line, st.just(""), st.sampled_from(PLANS), st.sampled_from(DEVICES), st.none() | DAYS)


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Account, ...]:
    """One to three accounts of one user, with anything that may be on one."""
    user_id = f"user-{next(NUMBERS)}"
    return tuple(_account(draw, user_id, f"{user_id}-{number}") for number in range(draw(st.integers(1, 3))))


def _account(draw: st.DrawFn, user_id: str, account_id: str) -> Account:
    serial = next(NUMBERS)
    return Account(
        account_id,
        user_id,
        draw(st.text(max_size=30)),
        draw(st.sampled_from(("wireless", "internet", "prepaid"))),
        draw(st.integers(-1_000_000, 10_000_000)),
        draw(st.none() | DAYS),
        draw(st.booleans()),
        tuple(
            PaymentMethod(
                f"{account_id}-card-{number}", card.brand, card.last_four, card.is_default, card.open_to_guests
            )
            for number, card in enumerate(draw(st.lists(cards, max_size=3)))
        ),
        f"DEMO-{serial // 10_000:04}-{serial % 10_000:04}",
        "2065550123",
        "98101",
        tuple(
            replace(line, line_id=f"{account_id}-line-{number}")
            for number, line in enumerate(draw(st.lists(lines, max_size=4)))
        ),
    )


preferences = st.fixed_dictionaries(
    {},
    optional={
        "paperless": st.booleans(),
        "autopay": st.booleans(),
        "language": st.sampled_from(("en", "es")),
        "contactMethod": st.sampled_from(("email", "text", "phone", "mail")),
        "contactEmail": st.emails(domains=st.just("example.com")).filter(lambda it: not looks_like_payment_number(it)),
        "contactPhone": st.sampled_from(("2065550123", "(206) 555-0199", "+1 206.555.0100")),
    },
)
values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.lists(st.text(max_size=5), max_size=3)
)
anything = st.dictionaries(
    st.sampled_from(("accountId", "amountCents", "zip", "phone", "accountNumber", "quoteToken", "paperless", "other")),
    values,
    max_size=4,
)


class Person:
    """Agrees, or not, to whatever is asked."""

    agrees = True

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert context is not None
        assert params.message
        return (
            ElicitResult(action="accept", content={"confirm": True}) if self.agrees else ElicitResult(action="cancel")
        )


class Desk:
    """The bundled server; each answer is held to its tool's schema."""

    def __init__(self, server: Server[Any], callback: Person | None, database: Database, now: int) -> None:
        self.database = database
        self.now = now
        self.person = callback or Person()
        self._server, self._callback = server, callback
        self.validators: dict[str, Draft202012Validator] = {}

    async def call(self, name: str, **arguments: Any) -> CallToolResult:
        async with Client(self._server, mode="2026-07-28", elicitation_callback=self._callback) as client:
            if not self.validators:
                await self._learn(client)
            result = await client.call_tool(name, arguments)
        assert text_of(result)
        if result.is_error:
            assert result.structured_content is None
            assert "failed" not in text_of(result), text_of(result)
        else:
            self.validators[name].validate(result.structured_content)
        return result

    async def _learn(self, client: Client) -> None:
        for tool in (await client.list_tools()).tools:
            assert tool.output_schema is not None
            self.validators[tool.name] = Draft202012Validator(tool.output_schema)


@pytest.fixture(params=["with a form", "without"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path, world: World) -> AsyncIterator[Desk]:
    configured = load_settings(_env_file=None)
    async with open_database(tmp_path / "server.db", world.now) as database:
        services = Services(store=database, clock=lambda: world.now, settings=configured, entropy=os.urandom)
        yield Desk(build(services), Person() if request.param == "with a form" else None, database, world.now)


@MANY
@given(held=accounts())
async def test_summaries_and_offers_are_as_their_schemas_have_them(desk: Desk, held: tuple[Account, ...]) -> None:
    await desk.database.open_accounts(held[0].user_id, held, desk.now)
    with signed_in(held[0].user_id):
        assert not (await desk.call("att-account-summary")).is_error
        assert not (await desk.call("att-for-you")).is_error
        for account in held:
            assert not (await desk.call("att-for-you", accountId=account.account_id)).is_error


@MANY
@given(held=accounts(), changes=st.lists(preferences, min_size=1, max_size=3))
async def test_preferences_are_as_their_schema_has_them(
    desk: Desk, held: tuple[Account, ...], changes: list[dict[str, Any]]
) -> None:
    await desk.database.open_accounts(held[0].user_id, held, desk.now)
    with signed_in(held[0].user_id):
        for change in changes:
            result = await desk.call("att-update-preferences", accountId=held[0].account_id, **change)
            refused = not change or (change.get("autopay") is True and not held[0].payment_methods)
            assert result.is_error == refused, text_of(result)


@MANY
@given(held=accounts(), tenths=st.none() | st.integers(1, 12), guest=st.booleans(), agrees=st.booleans())
async def test_payments_are_as_their_schema_has_them_and_add_up(
    desk: Desk, held: tuple[Account, ...], tenths: int | None, guest: bool, agrees: bool
) -> None:
    account = held[0]
    amount = None if tenths is None else max(1, abs(account.balance_cents) * tenths // 10)
    await desk.database.open_accounts(account.user_id, held, desk.now)
    desk.person.agrees = agrees
    usable = [method for method in account.payment_methods if method.open_to_guests or not guest]
    payable = bool(usable) and 0 < (amount or account.balance_cents) <= account.balance_cents
    named: dict[str, Any] = {"accountId": account.account_id}
    if guest:
        named = {"accountNumber": account.account_number, "zip": "98101"}
    with signed_in("somebody" if guest else account.user_id):
        result = await desk.call("att-make-payment", **named, amountCents=amount)
        assert result.is_error != payable, text_of(result)
        if not payable:
            return
        said = result.structured_content or {}
        if said["status"] == "confirmation_required":
            result = await desk.call("att-make-payment", **named, quoteToken=said["quoteToken"])
            said = result.structured_content or {}
        paid = said["amount"]["cents"] if said["status"] == "paid" else 0
    after = {one.account_id: one.balance_cents for one in await desk.database.get_accounts(account.user_id)}
    assert after[account.account_id] == account.balance_cents - paid == said["balance"]["cents"]
    assert paid in {0, amount or account.balance_cents}


@MANY
@given(tool=st.sampled_from(("att-for-you", "att-update-preferences", "att-make-payment")), arguments=anything)
async def test_whatever_is_sent_is_answered_in_words(desk: Desk, tool: str, arguments: dict[str, Any]) -> None:
    with signed_in("eve"):
        await desk.call(tool, **arguments)
