"""A payment in a session whose server dies: while the person looks at the form, and right after the commit."""

import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.flows.child import SERVE, Child, connected
from tests.flows.purchases import OPENING, Buyer, Market
from tests.flows.test_payments import DEADLY, STEPS
from tests.transport.visit import Stream, Visit

YES = {"action": "accept", "content": {"confirm": True}}


async def visit(buyer: Buyer) -> Visit:
    """Open a session of a client that can show forms."""
    url = f"{buyer.remote.url}/mcp"
    return await Visit(buyer.remote.http, url, buyer.token).open({"elicitation": {}})


def call(visitor: Visit, buyer: Buyer) -> dict[str, Any]:
    arguments = {**buyer.named, "amountCents": 500}
    return visitor.request("tools/call", {"name": "att-make-payment", "arguments": arguments})


async def asked(stream: Stream) -> Any:
    """Give the id of the question that comes on the call's stream."""
    question = await stream.message()
    assert question["method"] == "elicitation/create"
    return question["id"]


async def test_a_session_whose_server_dies_pays_once(tmp_path: Path) -> None:
    child = Child(tmp_path)
    async with connected(child) as live:
        market = Market(live)
        await market.open(1)
        buyer = market.buyers[0]
        visitor = await visit(buyer)
        async with visitor.send("POST", call(visitor, buyer)) as stream:
            question = await asked(stream)
            await child.kill()
        child.command, child.environment = ("-c", DEADLY), {"DIE_AT": str(STEPS.index("the answer") + 1)}
        await child.start(live.http)
        await visitor.post({"jsonrpc": "2.0", "id": question, "result": YES})
        assert live.sql("SELECT balance_cents FROM accounts") == [(OPENING,)], "nobody waits for that answer any more"
        async with visitor.send("POST", call(visitor, buyer)) as stream:
            question = await asked(stream)
            with suppress(aiohttp.ClientError):
                await visitor.post({"jsonrpc": "2.0", "id": question, "result": YES})
            assert await child.wait() == -signal.SIGKILL
        assert live.sql("SELECT balance_cents FROM accounts") == [(OPENING - 500,)]
        child.command, child.environment = SERVE, {}
        await child.start(live.http)
        again = (await visitor.result(call(visitor, buyer)))["structuredContent"]
        assert (again["status"], again["repeated"], again["balance"]["cents"]) == ("paid", True, OPENING - 500)
        assert live.sql("SELECT confirmation_number FROM payments") == [(again["confirmationNumber"],)]
