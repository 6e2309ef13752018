"""Clients that were cut off: at a bad moment, before they had an event id, or after more than is kept."""

import asyncio
from pathlib import Path

import pytest

from server import keys
from server.transport import kernel
from server.transport.answer import Answer
from server.transport.records import KEPT_EVENTS
from tests.support import until
from tests.transport import talkative
from tests.transport.rig import serve
from tests.transport.test_streams import TALKATIVE, session_of, steps, visiting
from tests.transport.visit import Event, Stream

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


async def first(stream: Stream, size: int) -> list[Event]:
    """Read so many events, and no more."""
    async for _ in stream:
        if len(stream.seen) == size:
            break
    return stream.seen


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_call_that_is_dropped_before_its_stream_has_an_id_runs_on(tmp_path: Path, version: str) -> None:
    async with visiting(tmp_path, version) as (site, visit):
        calling = asyncio.create_task(visit.text("wait", seconds=0.6))
        await until(lambda: "started" in talkative.happened)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        await until(lambda: "finished" in talkative.happened)
        assert "cancelled" not in talkative.happened
        session = session_of(site)
        await until(lambda: not session.busy)
        assert (session.number, session.answers) == (0, {}), "nothing is kept that nobody can ask for"
        assert await visit.text("listen") == "listening"


async def test_a_question_to_a_client_that_cannot_come_back_fails_at_once(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        calling = asyncio.create_task(visit.text("ask_later", seconds=0.4))
        await until(lambda: "started" in talkative.happened)
        calling.cancel()
        await until(lambda: "NoBackChannelError" in talkative.happened)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_stream_whose_beginning_is_not_kept_any_more_goes_on_from_what_is(
    tmp_path: Path, restarted: bool
) -> None:
    size = KEPT_EVENTS + 500
    async with visiting(tmp_path) as (site, visit):
        async with visit.send("POST", visit.call("count", to=size)) as stream:
            seen = await first(stream, size - 200)
        await until(lambda: not session_of(site).answers)
        if not restarted:
            async with visit.send("GET", Last_Event_ID=seen[-1].id) as stream:
                rest = await stream.rest()
    if restarted:
        async with serve(tmp_path, TALKATIVE, oauth_enabled=False) as site:
            visit.http = site.client
            async with visit.send("GET", Last_Event_ID=seen[-1].id) as stream:
                rest = await stream.rest()
            assert await visit.status("GET", Last_Event_ID=seen[5].id) == 400, "what followed is not there any more"
    assert steps([*seen, *rest]) == list(range(1, size + 1))
    assert rest[-1].json["result"]["content"][0]["text"] == "counted"


async def test_each_request_of_a_batch_that_a_stop_cut_short_is_answered_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "DRAIN_TIMEOUT", 0.05)
    async with visiting(tmp_path, "2025-03-26") as (_, visit):
        batch = [visit.call("count", to=2), visit.call("wait", seconds=20)]
        async with visit.send("POST", batch) as stream:
            [begun] = await first(stream, 1)
    async with serve(tmp_path, TALKATIVE, oauth_enabled=False) as site:
        visit.http = site.client
        async with visit.send("GET", Last_Event_ID=begun.id) as stream:
            step, answers = await stream.messages()
        assert step["params"]["progress"] == 2
        assert [(one["id"], one["error"]["code"]) for one in answers] == [(one["id"], -32603) for one in batch]


async def test_a_stop_at_the_moment_a_stream_begins_leaves_its_client_an_id_to_come_back_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with visiting(tmp_path) as (site, visit):
        begin = Answer.open

        def begin_and_stop(answer: Answer) -> None:
            begin(answer)
            site.client.app[keys.SESSIONS].close_streams()

        monkeypatch.setattr(Answer, "open", begin_and_stop)
        async with visit.send("POST", visit.call("wait", seconds=0.6)) as stream:
            [begun] = await stream.rest()
            assert begun.primes
    async with serve(tmp_path, TALKATIVE, oauth_enabled=False) as site:
        visit.http = site.client
        async with visit.send("GET", Last_Event_ID=begun.id) as stream:
            assert (await stream.message())["result"]["content"][0]["text"] == "waited"
