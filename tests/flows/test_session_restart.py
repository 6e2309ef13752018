"""Sessions through the death of the server: killed in the middle of everything, and started again."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.flows.child import Child, connected
from tests.transport.visit import Event, Visit

TALKATIVE = {"MCP_SERVER": "tests.transport.talkative:build", "OAUTH_ENABLED": "false"}


def child(folder: Path) -> Child:
    """Make a server to kill."""
    return Child(folder, environment=TALKATIVE)


def progress(events: list[Event]) -> list[float]:
    """Give the steps that events report."""
    return [event.json["params"]["progress"] for event in events if event.data and "params" in event.json]


async def text(visit: Visit, last: Event) -> str:
    """Resume a stream and give the text of its only message."""
    async with visit.send("GET", Last_Event_ID=last.id) as stream:
        message: dict[str, Any] = await asyncio.wait_for(stream.message(), 20)
    return str(message["result"]["content"][0]["text"] if "result" in message else message["error"]["message"])


async def test_a_session_goes_on_after_sigkill(tmp_path: Path) -> None:
    server = child(tmp_path)
    async with connected(server) as live:
        visit = await Visit(live.http, f"{live.url}/mcp", version="2025-06-18").open({"roots": {}})
        assert await visit.text("tell", text="before") == "told"
        await server.kill()
        await server.start(live.http)
        assert await visit.text("tell", text="after") == "told"
        async with visit.send("POST", visit.call("roots")) as stream:
            question = await stream.message()
            await visit.post({"jsonrpc": "2.0", "id": question["id"], "result": {"roots": []}})
            assert (await stream.message())["result"]["isError"] is False
        assert live.sql("SELECT protocol_version, status, software FROM v_mcp_sessions") == [
            ("2025-06-18", "live", "visitor")
        ]
        assert await visit.status("DELETE") == 204
        assert await visit.post(visit.request("ping")) == 404


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25"])
async def test_a_stream_that_sigkill_cut_resumes_with_nothing_missing_or_twice(tmp_path: Path, version: str) -> None:
    server = child(tmp_path)
    async with connected(server) as live:
        visit = await Visit(live.http, f"{live.url}/mcp", version=version).open()
        async with visit.send("POST", visit.call("count", to=1000, pause=0.005)) as stream:
            reading = asyncio.create_task(stream.rest())
            while len(stream.seen) < 60:  # noqa: ASYNC110 - the events come over the wire
                await asyncio.sleep(0.01)
            await server.kill()
            seen = await reading
        kept = live.sql("SELECT count(*) FROM mcp_events WHERE message IS NOT NULL")[0][0]
        assert len(progress(seen)) <= kept
        await server.start(live.http)
        for cut in (seen[5], seen[-1]):
            after = seen.index(cut) + 1
            async with visit.send("GET", Last_Event_ID=cut.id) as stream:
                rest = await asyncio.wait_for(stream.rest(), 20)
            *steps, last = [event.json for event in rest if event.data]
            whole = progress(seen[:after]) + [step["params"]["progress"] for step in steps]
            assert whole == [*range(1, kept + 1)]
            assert last["error"]["message"] == "The server stopped before this was done"


async def test_a_result_that_nobody_fetched_outlives_sigkill(tmp_path: Path) -> None:
    server = child(tmp_path)
    async with connected(server) as live:
        visit = await Visit(live.http, f"{live.url}/mcp").open()
        async with visit.send("POST", visit.call("wait", seconds=0.5)) as stream:
            done = await stream.next()
        async with visit.send("POST", visit.call("wait", seconds=60)) as stream:
            lost = await stream.next()
        assert done is not None
        assert lost is not None
        async with asyncio.timeout(20):
            while not live.sql("SELECT 1 FROM mcp_events WHERE final = 1"):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)
        await server.kill()
        await server.start(live.http)
        assert await text(visit, done) == "waited"
        assert await text(visit, lost) == "The server stopped before this was done"
        assert await text(visit, lost) == "The server stopped before this was done"


async def test_a_standing_stream_goes_on_after_sigkill_with_what_came_while_it_was_cut(tmp_path: Path) -> None:
    server = child(tmp_path)
    async with connected(server) as live:
        visit = await Visit(live.http, f"{live.url}/mcp").open()
        await visit.text("listen")
        async with visit.send("GET") as stream:
            await visit.text("shout", text="one", times=1)
            assert (await stream.message())["params"]["uri"] == "test://one"
            last = stream.seen[-1]
        await visit.text("shout", text="two", times=3)
        async with asyncio.timeout(20):
            while live.sql("SELECT count(*) FROM mcp_events WHERE message IS NOT NULL") != [(4,)]:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
        await server.kill()
        await server.start(live.http)
        async with visit.send("GET", Last_Event_ID=last.id) as stream:
            assert [(await stream.message())["params"]["uri"] for _ in range(3)] == ["test://two"] * 3
            await visit.text("listen")
            await visit.text("shout", text="three", times=1)
            assert (await stream.message())["params"]["uri"] == "test://three"
            numbers = [event.id for event in stream.seen]
        assert len(set(numbers)) == len(numbers)


async def test_sigterm_closes_streams_at_once_and_lets_tools_finish(tmp_path: Path) -> None:
    server = child(tmp_path)
    async with connected(server) as live:
        visit = await Visit(live.http, f"{live.url}/mcp").open()
        async with visit.send("GET") as standing, visit.send("POST", visit.call("wait", seconds=1.5)) as stream:
            begun = await stream.next()
            assert begun is not None
            assert await standing.next() is not None
            stopping = asyncio.create_task(server.stop())
            assert await asyncio.wait_for(standing.rest(), 10) == await asyncio.wait_for(stream.rest(), 10) == []
            assert await stopping == 0
        await server.start(live.http)
        assert await text(visit, begun) == "waited"
