"""Answers that stream, keep-alive, and what a client that hangs up does to its tool."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientTimeout

from server.transport import kernel, sse
from tests.transport import plugged
from tests.transport.rig import ENVELOPE, HEADERS, MODERN, Site, serve

ERAS = ["modern", "legacy"]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what happens, happens in a plugged tool's own list
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("era", ERAS)
async def test_progress_streams_ahead_of_the_answer(tmp_path: Path, era: str) -> None:
    async with serve(tmp_path) as site:
        answer = await site.call(era, "count", {"to": 3}, progress=True, token=await site.token())
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
        assert answer.headers["Cache-Control"] == "no-cache, no-transform"
        assert answer.headers["X-Accel-Buffering"] == "no"
        *progress, final = answer.events
        assert [p["params"] for p in progress] == [{"progressToken": "p", "progress": n, "total": 3} for n in (1, 2, 3)]
        assert (final["id"], final["result"]["content"][0]["text"]) == (1, "counted")


@pytest.mark.parametrize("era", ERAS)
async def test_without_a_progress_token_or_an_ear_for_events_the_answer_is_json(tmp_path: Path, era: str) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        for more in ({"progress": False}, {"progress": True, "Accept": "application/json"}):
            answer = await site.call(era, "count", {"to": 3}, token=token, **more)
            assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
            assert answer.json["result"]["content"][0]["text"] == "counted"


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_log_messages_stream_where_the_revision_lets_them(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        asked = {"name": "tell", "arguments": {}, "_meta": {"io.modelcontextprotocol/logLevel": "info"}}
        for answer in (
            await site.modern("tools/call", asked, token=token),
            await site.call("legacy", "tell", token=token),
        ):
            message, final = answer.events
            assert (message["method"], message["params"]["data"]) == ("notifications/message", "looking")
            assert final["result"]["content"][0]["text"] == "told"
        unasked = await site.call("modern", "tell", token=token)
        assert unasked.json["result"]["content"][0]["text"] == "told"


async def test_a_batch_streams_too(tmp_path: Path) -> None:
    call = {"name": "count", "arguments": {"to": 1}, "_meta": {"progressToken": "p"}}
    batch = [{"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": call} for n in (1, 2)]
    async with serve(tmp_path) as site:
        *progress, final = (await site.send(batch, token=await site.token())).events
        assert len(progress) == 2
        assert [answer["id"] for answer in final] == [1, 2]


@pytest.mark.parametrize("era", ERAS)
async def test_a_silent_tool_is_kept_alive_by_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, era: str
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.1)
    async with serve(tmp_path) as site:
        answer = await site.call(era, "wait", {"seconds": 0.5}, token=await site.token())
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.body.count(b": keep-alive\n\n") >= 2
        assert answer.events[-1]["result"]["content"][0]["text"] == "waited"
        await _hang_up(site, era, "linger")
        await asyncio.sleep(0.2)
        assert not [task for task in asyncio.all_tasks() if "_keep_alive" in repr(task)]


async def _hang_up(site: Site, era: str, tool: str) -> None:
    """Call a tool that takes long, and close the connection once it has begun."""
    params: dict[str, Any] = {"name": tool, "arguments": {"seconds": 0.6}, "_meta": {"progressToken": "p"}}
    headers = {**HEADERS, "Authorization": f"Bearer {await site.token()}", "MCP-Protocol-Version": "2025-11-25"}
    if era == "modern":
        params["_meta"] |= ENVELOPE
        headers |= {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}

    async def call() -> None:
        async with site.client.post("/mcp", json=body, headers=headers, timeout=ClientTimeout(10)) as response:
            await response.read()

    calling = asyncio.create_task(call())
    await _until(lambda: "started" in plugged.happened)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)


@pytest.mark.parametrize("tool", ["wait", "linger"])
async def test_hanging_up_cancels_the_tool_at_2026_07_28(tmp_path: Path, tool: str) -> None:
    async with serve(tmp_path) as site:
        await _hang_up(site, "modern", tool)
        await _until(lambda: "cancelled" in plugged.happened)
        await asyncio.sleep(0.8)
        assert "finished" not in plugged.happened


@pytest.mark.parametrize("tool", ["wait", "linger"])
async def test_hanging_up_cancels_nothing_in_the_handshake_era(tmp_path: Path, tool: str) -> None:
    async with serve(tmp_path) as site:
        await _hang_up(site, "legacy", tool)
        await _until(lambda: "finished" in plugged.happened)
        assert "cancelled" not in plugged.happened


async def test_what_runs_on_is_waited_for_when_the_server_stops(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        await _hang_up(site, "legacy", "wait")
        assert "finished" not in plugged.happened
    assert plugged.happened == ["opened", "started", "finished", "closed"]


async def test_what_runs_on_for_too_long_is_cancelled_when_the_server_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "DRAIN_TIMEOUT", 0.05)
    async with serve(tmp_path) as site:
        await _hang_up(site, "legacy", "wait")
    assert plugged.happened == ["opened", "started", "cancelled", "closed"]


async def test_a_subscription_streams_until_the_server_stops(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        params = {"notifications": {"toolsListChanged": True}, "_meta": ENVELOPE}
        body = {"jsonrpc": "2.0", "id": "sub", "method": "subscriptions/listen", "params": params}
        headers = {
            **HEADERS,
            "Authorization": f"Bearer {await site.token()}",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": "subscriptions/listen",
        }
        refused = await site.modern("subscriptions/listen", {}, token=await site.token(), Accept="application/json")
        assert refused.status == 406
        async with site.client.post("/mcp", json=body, headers=headers) as response:
            assert response.headers["Content-Type"] == "text/event-stream"
            assert b"notifications/subscriptions/acknowledged" in await response.content.readuntil(b"\n\n")
            stopping = asyncio.create_task(site.client.server.close())
            assert b'"id":"sub"' in await asyncio.wait_for(response.content.readuntil(b"\n\n"), 5)
            await stopping
