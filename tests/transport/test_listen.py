"""``subscriptions/listen`` at 2026-07-28: what comes, in which order, and how it ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientTimeout
from mcp_types import INTERNAL_ERROR

from server.transport import listeners, sse
from tests.support import until
from tests.transport.plugged import happened
from tests.transport.rig import ENVELOPE, HEADERS, MODERN, Site, serve

PLUGGED = "tests.transport.listening:build"
ID = "io.modelcontextprotocol/subscriptionId"


@asynccontextmanager
async def listen(site: Site, request_id: Any = "sub", **filters: Any) -> AsyncIterator[ClientResponse]:
    """Open a stream; the connection is closed with the block."""
    params = {"notifications": filters, "_meta": ENVELOPE}
    body = {"jsonrpc": "2.0", "id": request_id, "method": "subscriptions/listen", "params": params}
    mirrored = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "subscriptions/listen"}
    headers = {**HEADERS, **mirrored, "Authorization": f"Bearer {await site.token()}"}
    async with site.client.post("/mcp", json=body, headers=headers, timeout=ClientTimeout(30)) as response:
        yield response
        response.close()


async def event(response: ClientResponse) -> Any:
    """Give the stream's next message, past any comments."""
    async with asyncio.timeout(10):
        while True:
            frame = (await response.content.readuntil(b"\n\n")).decode()
            if not frame.startswith(":"):
                return json.loads(frame.split("data: ")[1])


@pytest.mark.parametrize("request_id", ["sub", 7])
async def test_what_was_asked_for_is_acknowledged_first_and_then_told_and_nothing_else(
    tmp_path: Path, request_id: Any
) -> None:
    async with (
        serve(tmp_path, PLUGGED) as site,
        listen(site, request_id, toolsListChanged=True, resourceSubscriptions=["file:///a"]) as response,
    ):
        assert (response.status, response.headers["X-Accel-Buffering"]) == (200, "no")
        first = await event(response)
        assert first["method"] == "notifications/subscriptions/acknowledged"
        honoured = {"toolsListChanged": True, "resourceSubscriptions": ["file:///a"]}
        assert first["params"] == {"_meta": {ID: request_id}, "notifications": honoured}
        await site.call("modern", "change", token=await site.token())
        told = [await event(response) for _ in range(2)]
        assert [message["method"] for message in told] == [
            "notifications/tools/list_changed",
            "notifications/resources/updated",
        ]
        assert all(message["params"]["_meta"][ID] == request_id for message in told)
        assert told[1]["params"]["uri"] == "file:///a"


async def test_two_streams_hear_what_each_asked_for(tmp_path: Path) -> None:
    async with (
        serve(tmp_path, PLUGGED) as site,
        listen(site, 1, toolsListChanged=True) as tools,
        listen(site, 2, promptsListChanged=True) as prompts,
    ):
        await asyncio.gather(event(tools), event(prompts))
        await site.call("modern", "change", token=await site.token())
        heard = await asyncio.gather(event(tools), event(prompts))
        assert [(message["method"], message["params"]["_meta"][ID]) for message in heard] == [
            ("notifications/tools/list_changed", 1),
            ("notifications/prompts/list_changed", 2),
        ]


async def test_there_is_a_limit_of_listeners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "MOST", 2)
    async with serve(tmp_path, PLUGGED) as site, listen(site, 1) as one, listen(site, 2) as two:
        await asyncio.gather(event(one), event(two))
        refused = await site.modern("subscriptions/listen", {"notifications": {}}, token=await site.token())
        assert refused.json["error"]["code"] == INTERNAL_ERROR


async def test_silence_is_filled_with_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    async with serve(tmp_path, PLUGGED) as site, listen(site, toolsListChanged=True) as response:
        await event(response)
        for _ in range(3):
            assert await asyncio.wait_for(response.content.readuntil(b"\n\n"), 10) == b": keep-alive\n\n"


async def test_hanging_up_ends_the_subscription(tmp_path: Path) -> None:
    async with serve(tmp_path, PLUGGED) as site:
        async with listen(site, toolsListChanged=True) as response:
            await event(response)
            assert happened == ["came"]
        await until(lambda: happened == ["came", "went"])


async def test_at_shutdown_each_stream_gets_its_result_and_ends(tmp_path: Path) -> None:
    async with (
        serve(tmp_path, PLUGGED) as site,
        listen(site, 1, toolsListChanged=True) as one,
        listen(site, "two", toolsListChanged=True) as two,
    ):
        await asyncio.gather(event(one), event(two))
        stopping = asyncio.create_task(site.client.server.close())
        for response, request_id in ((one, 1), (two, "two")):
            last = await event(response)
            assert (last["id"], last["result"]["_meta"][ID]) == (request_id, request_id)
            assert last["result"]["resultType"] == "complete"
            assert await asyncio.wait_for(response.content.read(), 10) == b""
        await asyncio.wait_for(stopping, 5)


async def test_at_shutdown_a_handler_of_the_servers_own_is_cancelled_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)  # so that the stream is open before the handler says a word
    async with serve(tmp_path, "tests.transport.listening:own") as site, listen(site) as response:
        assert response.status == 200
        await asyncio.wait_for(site.client.server.close(), 5)
        assert happened == ["came", "went"]


async def test_a_client_that_stops_reading_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "STALLED", 0.2)
    size = 200_000
    async with (
        serve(tmp_path, PLUGGED) as site,
        listen(site, resourceSubscriptions=["file:///" + "b" * size]) as response,
    ):
        await until(lambda: happened == ["came"])
        token = await site.token()
        async with asyncio.timeout(60):
            while "went" not in happened:
                assert (await site.call("modern", "change", {"size": size}, token=token)).status == 200
        assert response.status == 200
