"""Event streams in a session: what goes on them, and what a client finds that comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server import keys
from server.oauth.store import StoreUnavailable
from server.transport import sse
from server.transport.records import KEPT_EVENTS
from server.transport.session import Session
from tests.support import until
from tests.transport import talkative
from tests.transport.rig import Site, serve
from tests.transport.visit import Event, Visit

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

TALKATIVE = "tests.transport.talkative:build"
CAPABLE: dict[str, Any] = {"elicitation": {}, "sampling": {}, "roots": {}}
OLDER = pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18"])


@asynccontextmanager
async def visiting(folder: Path, version: str = "2025-11-25") -> AsyncIterator[tuple[Site, Visit]]:
    """Serve the talkative server openly, and open a session."""
    async with serve(folder, TALKATIVE, oauth_enabled=False) as site:
        yield site, await Visit(site.client, "/mcp", version=version).open(CAPABLE)


def session_of(site: Site) -> Session:
    """Give the only session at work."""
    [session] = site.client.app[keys.SESSIONS].at_work.values()
    return session


def steps(events: list[Event]) -> list[float]:
    """Give the progress that events report."""
    return [e.json["params"]["progress"] for e in events if e.data and "method" in e.json]


async def test_a_quick_answer_is_json_and_nothing_is_kept_of_it(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        async with visit.send("POST", visit.call("listen")) as answer:
            assert answer.response.content_type == "application/json"
        assert session_of(site).number == 0


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_messages_go_ahead_of_the_answer_each_with_an_id(tmp_path: Path, version: str) -> None:
    async with visiting(tmp_path, version) as (_, visit):
        request = visit.call("count", to=3)
        async with visit.send("POST", request) as stream:
            assert stream.response.headers["Cache-Control"] == "no-cache, no-transform"
            events = await stream.rest()
        assert steps(events) == [1, 2, 3]
        assert (events[-1].json["id"], events[-1].json["result"]["isError"]) == (request["id"], False)
        assert len({event.id for event in events}) == len(events)
        primes = [event.primes for event in events]
        assert primes == ([True, False, False, False, False] if version == "2025-11-25" else [False] * 4)
        assert events[0].retry == (3000 if version == "2025-11-25" else None)


async def test_an_answer_that_takes_long_becomes_a_stream_at_once(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit), visit.send("POST", visit.call("wait", seconds=1.5)) as stream:
        first = await stream.next()
        assert talkative.happened == ["started"]
        assert first is not None
        assert first.primes
        assert [message["result"]["content"][0]["text"] for message in await stream.messages()] == ["waited"]


@OLDER
async def test_an_older_client_is_not_primed(tmp_path: Path, version: str) -> None:
    async with visiting(tmp_path, version) as (_, visit), visit.send("POST", visit.call("wait", seconds=0.5)) as answer:
        assert answer.response.content_type == "application/json"


async def test_a_client_that_takes_no_events_is_answered_in_json(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        for call in (visit.call("count", to=3), visit.call("wait", seconds=0.4)):
            async with visit.send("POST", call, Accept="application/json") as answer:
                assert (await answer.response.json())["result"]["isError"] is False
        async with visit.send("POST", visit.call("ask"), Accept="application/json") as answer:
            assert "elicitation/create" in (await answer.response.json())["error"]["message"]


async def test_the_result_of_a_dropped_call_waits(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        async with visit.send("POST", visit.call("wait", seconds=0.6)) as stream:
            first = await stream.next()
        assert first is not None
        await until(lambda: "finished" in talkative.happened)
        for _ in range(2):
            async with visit.send("GET", Last_Event_ID=first.id) as stream:
                [message] = await stream.messages()
                assert message["result"]["content"][0]["text"] == "waited"
        assert talkative.happened == ["started", "finished"]


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_cut_stream_goes_on_with_nothing_missing_or_twice(tmp_path: Path, version: str) -> None:
    async with visiting(tmp_path, version) as (_, visit):
        seen: list[Event] = []
        method, body = "POST", visit.call("count", to=40, pause=0.01)
        while not seen or "result" not in (seen[-1].json or {}):
            async with visit.send(method, body, Last_Event_ID=seen[-1].id if seen else None) as stream:
                async for event in stream:
                    seen += [event] if event.data else []
                    if len(stream.seen) == 7:
                        break
            method, body = "GET", {}
        assert steps(seen) == list(range(1, 41))
        assert talkative.happened == ["counted"]


async def test_a_stream_is_read_by_one_connection_the_newest(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit), visit.send("POST", visit.call("wait", seconds=1)) as first:
        begun = await first.next()
        assert begun is not None
        async with visit.send("GET", Last_Event_ID=begun.id) as second:
            assert await first.rest() == []
            assert len(await second.messages()) == 1


async def test_what_was_received_to_the_end_has_nothing_more(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        async with visit.send("POST", visit.call("count", to=1)) as stream:
            last = (await stream.rest())[-1]
        async with visit.send("GET", Last_Event_ID=last.id) as stream:
            assert await stream.messages() == []


async def test_a_tool_can_send_its_client_away(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        async with visit.send("POST", visit.call("part", seconds=0.2)) as stream:
            [first] = await stream.rest()
            assert first.primes
        async with visit.send("GET", Last_Event_ID=first.id) as stream:
            logged, answer = await stream.messages()
            assert logged["params"]["data"] == "gone"
            assert answer["result"]["content"][0]["text"] == "parted"


@OLDER
async def test_an_older_client_is_not_sent_away(tmp_path: Path, version: str) -> None:
    async with visiting(tmp_path, version) as (_, visit), visit.send("POST", visit.call("part", seconds=0.1)) as stream:
        assert len(await stream.messages()) == 2


async def test_the_standing_stream_carries_what_belongs_to_no_request(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        await visit.text("listen")
        async with visit.send("GET") as stream:
            first = await stream.next()
            assert first is not None
            assert (first.primes, first.retry) == (True, 3000)
            async with visit.send("POST", visit.call("broadcast")) as answer:
                assert answer.response.content_type == "application/json"
            assert (await stream.message())["method"] == "notifications/tools/list_changed"
            await visit.text("part_standing")
            assert await stream.rest() == []


@OLDER
async def test_the_standing_stream_of_an_older_client_begins_with_a_message(tmp_path: Path, version: str) -> None:
    async with visiting(tmp_path, version) as (_, visit):
        await visit.text("listen")
        async with visit.send("GET") as stream:
            assert stream.response.status == 200
            await visit.text("broadcast")
            event = await stream.next()
            assert event is not None
            assert event.json["method"] == "notifications/tools/list_changed"


async def test_what_is_said_while_nobody_listens_waits_for_the_standing_stream(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        await visit.text("listen")
        await visit.text("shout", text="early", times=2)
        async with visit.send("GET") as stream:
            assert [(await stream.message())["params"]["uri"] for _ in range(2)] == ["test://early"] * 2
            cut = stream.seen[-2].id
        await until(lambda: not session_of(site).standing)
        await visit.text("shout", text="late", times=2)
        async with visit.send("GET", Last_Event_ID=cut) as stream:
            found = [(await stream.message())["params"]["uri"] for _ in range(3)]
            assert found == ["test://early", "test://late", "test://late"]
            await visit.text("shout", text="now", times=1)
            assert (await stream.message())["params"]["uri"] == "test://now"


async def test_of_several_standing_streams_one_carries_a_message_the_newest(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit), visit.send("GET") as first:
        await visit.text("listen")
        await first.next()
        async with visit.send("GET") as second:
            await second.next()
            await visit.text("shout", text="a", times=1)
            assert (await second.message())["params"]["uri"] == "test://a"
        await until(lambda: len(session_of(site).standing) == 1)
        await visit.text("shout", text="b", times=1)
        assert (await first.message())["params"]["uri"] == "test://b"


async def test_an_event_id_of_nothing_is_refused(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        assert await visit.text("count", to=3) == "counted"
        for last in ("x", "a1", "1", "a1-2-3", "s-1", "a99-99", "a2-2", "s0-99", "s0-1", "s1-2", "a1-" + "9" * 30, "é"):
            async with visit.send("GET", Last_Event_ID=last) as answer:
                assert (answer.response.status, (await answer.response.json())["error"]["code"]) == (400, -32600), last
        assert await visit.text("listen") == "listening"


async def test_an_event_id_of_another_session_is_refused(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        async with visit.send("POST", visit.call("count", to=5)) as stream:
            last = (await stream.rest())[-1]
        other = await Visit(site.client, "/mcp").open()
        assert await other.status("GET", Last_Event_ID=last.id) == 400


async def test_get_needs_an_ear_for_events_and_a_known_revision(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        assert await visit.status("GET", Accept="application/json") == 406
        assert await visit.status("GET", MCP_Protocol_Version="1999-01-01") == 400
        assert await visit.status("DELETE", MCP_Protocol_Version="1999-01-01") == 400
        assert await visit.status("GET", MCP_Protocol_Version="2026-07-28") == 405
        for method in ("PUT", "PATCH", "HEAD"):
            async with visit.send(method) as answer:
                assert (answer.response.status, answer.response.headers["Allow"]) == (405, "DELETE, GET, POST")
        assert await visit.status("GET", Mcp_Session_Id=None) == 405
        assert await visit.status("DELETE", Mcp_Session_Id=None) == 405


async def test_a_silent_stream_is_kept_alive_by_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.1)
    async with visiting(tmp_path) as (_, visit), visit.send("POST", visit.call("wait", seconds=0.6)) as stream:
        assert len(await stream.messages()) == 1
        assert stream.comments >= 2


async def test_events_are_bounded_in_number_and_the_newest_are_kept(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        async with visit.send("POST", visit.call("flood", size=1, times=KEPT_EVENTS + 500)) as stream:
            first = await stream.next()
            assert first is not None
            assert len(await stream.rest()) == KEPT_EVENTS + 501
        session = session_of(site)
        kept = await site.client.app[keys.STORE].list_mcp_events(session.digest, 1, 0, session.number, 10_000)
        assert 0 < len(kept) <= KEPT_EVENTS
        assert kept[-1].final
        assert kept[-1].number == session.number


async def test_events_are_bounded_in_bytes(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        assert await visit.text("flood", size=900_000, times=12) == "flooded"
        session = session_of(site)
        kept = await site.client.app[keys.STORE].list_mcp_events(session.digest, 1, 0, session.number, 10_000)
        assert 2 <= len(kept) <= 5


async def test_an_answer_that_is_too_large_to_be_kept_is_said_to_have_been(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        async with visit.send("POST", visit.call("large", size=5_000_000)) as stream:
            first = await stream.next()
            assert first is not None
            [message] = await stream.messages()
            assert len(message["result"]["content"][0]["text"]) > 4_000_000
        async with visit.send("GET", Last_Event_ID=first.id) as stream:
            [message] = await stream.messages()
            assert message["error"] == {"code": -32603, "message": "The answer was too large to be kept"}


async def test_events_that_cannot_be_kept_are_sent_without_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with visiting(tmp_path) as (site, visit):
        store = site.client.app[keys.STORE]

        async def fail(*_: object) -> None:
            raise StoreUnavailable("the disk is full")

        monkeypatch.setattr(store, "add_mcp_events", fail)
        async with visit.send("POST", visit.call("count", to=2)) as stream:
            events = await stream.rest()
        assert steps(events) == [1, 2]
        assert {event.id for event in events} == {None}


async def test_a_stop_ends_streams_so_that_clients_come_back_and_find_the_rest(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        standing, answering = visit.send("GET"), visit.send("POST", visit.call("wait", seconds=1.5))
        async with standing as one, answering as other:
            begun = await other.next()
            assert await one.next() is not None
            assert begun is not None
            stopping = asyncio.create_task(site.client.server.close())
            assert await asyncio.wait_for(one.rest(), 5) == await asyncio.wait_for(other.rest(), 5) == []
            assert talkative.happened == ["started"]
            await stopping
    assert talkative.happened == ["started", "finished"]
    async with serve(tmp_path, TALKATIVE, oauth_enabled=False) as site:
        visit.http = site.client
        async with visit.send("GET", Last_Event_ID=begun.id) as stream:
            assert (await stream.message())["result"]["content"][0]["text"] == "waited"


async def test_what_a_stop_cuts_short_is_answered_with_an_error_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.transport import kernel  # noqa: PLC0415 - only here

    monkeypatch.setattr(kernel, "DRAIN_TIMEOUT", 0.05)
    async with visiting(tmp_path) as (_, visit), visit.send("POST", visit.call("wait", seconds=20)) as stream:
        begun = await stream.next()
        assert begun is not None
    assert talkative.happened == ["started", "cancelled"]
    async with serve(tmp_path, TALKATIVE, oauth_enabled=False) as site:
        visit.http = site.client
        async with visit.send("GET", Last_Event_ID=begun.id) as stream:
            assert (await stream.message())["error"]["message"] == "The server stopped before this was done"
