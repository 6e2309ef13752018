"""The SDK's own client over real HTTP, with a person at it who is shown the form of a payment."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestParams, ElicitResult

from tests.flows.purchases import OPENING, Buyer, Market
from tests.support import Remote, serve

ERAS = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
NAMES = pytest.mark.parametrize("guest", [False, True], ids=["owner", "guest"])


class Person:
    """Answers each form in the same way, and remembers them; may do something first."""

    def __init__(self, action: Any, **content: Any) -> None:
        self.answer = ElicitResult(action=action, content=content or None)
        self.shown: list[str] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert context is not None
        self.shown.append(params.message)
        return self.answer


@asynccontextmanager
async def market(folder: Path) -> AsyncIterator[Market]:
    async with serve(folder) as live:
        opened = Market(live)
        await opened.open(1)
        yield opened


async def pay(buyer: Buyer, mode: str, person: Person | None, **arguments: Any) -> Any:
    headers = {"Authorization": f"Bearer {buyer.token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(
            streamable_http_client(f"{buyer.remote.url}/mcp", http_client=http), mode=mode, elicitation_callback=person
        ) as client,
    ):
        return await client.call_tool("att-make-payment", {**buyer.named, **arguments})


def balance(live: Remote) -> int:
    return int(live.sql("SELECT balance_cents FROM accounts")[0][0])


def left_in(folder: Path) -> bytes:
    """Give all that is in the database's files."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


@ERAS
@NAMES
async def test_a_person_who_ticks_the_box_has_paid_and_no_other(tmp_path: Path, mode: str, *, guest: bool) -> None:
    async with market(tmp_path) as opened:
        buyer = opened.buyers[int(guest)]
        for person in (Person("decline"), Person("cancel"), Person("accept", confirm=False)):
            assert (await pay(buyer, mode, person, amountCents=500)).structured_content["status"] == "declined"
        assert balance(buyer.remote) == OPENING
        person = Person("accept", confirm=True)
        paid = (await pay(buyer, mode, person, amountCents=500)).structured_content
        assert (paid["status"], paid["repeated"], paid["quoteToken"]) == ("paid", False, None)
        again = (await pay(buyer, mode, person, amountCents=500)).structured_content
        assert (again["confirmationNumber"], again["repeated"]) == (paid["confirmationNumber"], True)
        assert len(person.shown) == 1
        assert person.shown[0].startswith("Pay $5.00 of the $1,000,000.00 due by ")
        assert balance(buyer.remote) == OPENING - 500
        ((address, detail),) = buyer.remote.sql("SELECT address, detail FROM audit_log WHERE event = 'payment_made'")
        assert (address, detail) == ("127.0.0.1", f"$5.00 on bill-0 as {paid['confirmationNumber']}")


@ERAS
async def test_a_client_without_forms_confirms_by_a_second_call(tmp_path: Path, mode: str) -> None:
    async with market(tmp_path) as opened:
        buyer = opened.buyers[0]
        quote = (await pay(buyer, mode, None, amountCents=500)).structured_content
        assert quote["status"] == "confirmation_required"
        paid = (await pay(buyer, mode, None, quoteToken=quote["quoteToken"])).structured_content
        assert paid["status"] == "paid"
        assert balance(buyer.remote) == OPENING - 500


@ERAS
async def test_a_card_number_in_the_form_leaves_no_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    card = "4111 1111 1111 1111"
    with caplog.at_level("DEBUG", "server"):
        async with market(tmp_path) as opened:
            refused = await pay(opened.buyers[0], mode, Person("accept", confirm=True, note=card), amountCents=500)
            assert refused.is_error
            assert "looks like a card or bank number" in refused.content[0].text
            assert balance(opened.remote) == OPENING
    assert card.encode() not in left_in(tmp_path)
    assert card not in caplog.text
