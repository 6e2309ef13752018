"""What a tool asks its client in a session, what stops a tool, and what becomes of both."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server import keys
from tests.support import Clock, until
from tests.transport import talkative
from tests.transport.rig import NOW, serve
from tests.transport.test_streams import CAPABLE, TALKATIVE, session_of, visiting
from tests.transport.visit import Stream, Visit

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

NAME = {"action": "accept", "content": {"name": "Ada"}}


def reply(question: dict[str, Any], **outcome: Any) -> dict[str, Any]:
    """Answer a question."""
    return {"jsonrpc": "2.0", "id": question["id"], **outcome}


async def final_text(stream: Stream) -> str:
    """Give the text of a stream's result."""
    text: str = (await stream.messages())[-1]["result"]["content"][0]["text"]
    return text


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_tool_asks_its_client_and_is_answered_by_post(tmp_path: Path, version: str) -> None:
    sampled = {"role": "assistant", "content": {"type": "text", "text": "Something."}, "model": "m"}
    questions = {
        "ask": ("elicitation/create", NAME, "accept: Ada"),
        "sample": ("sampling/createMessage", sampled, "Something."),
        "roots": ("roots/list", {"roots": [{"uri": "file:///r"}]}, "file:///r"),
    }
    if version == "2025-03-26":
        del questions["ask"]
    async with visiting(tmp_path, version) as (_, visit):
        for tool, (method, result, text) in questions.items():
            async with visit.send("POST", visit.call(tool)) as stream:
                question = await stream.message()
                assert question["method"] == method
                assert await visit.post(reply(question, result=result)) == 202
                assert await final_text(stream) == text


async def test_a_question_that_belongs_to_no_request_goes_on_the_standing_stream(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit), visit.send("GET") as standing:
        await standing.next()
        async with visit.send("POST", visit.call("roots")) as stream:
            question = await asyncio.wait_for(standing.message(), 5)
            assert question["method"] == "roots/list"
            await visit.post(reply(question, result={"roots": [{"uri": "file:///r"}]}))
            assert await final_text(stream) == "file:///r"


async def test_a_client_is_asked_only_what_it_declared(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, _):
        visit = await Visit(site.client, "/mcp").open({"roots": {}})
        for tool in ("ask", "sample"):
            async with visit.send("POST", visit.call(tool)) as answer:
                assert "did not declare" in await answer.response.text()
        async with visit.send("POST", visit.call("roots")) as stream:
            assert (await stream.message())["method"] == "roots/list"


async def test_an_error_of_the_client_reaches_the_tool(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        for outcome in (
            {"error": {"code": -1, "message": "The user said no"}},
            {"error": "no"},
            {"result": "no object"},
        ):
            async with visit.send("POST", visit.call("ask")) as stream:
                await visit.post(reply(await stream.message(), **outcome))
                said = str((await stream.messages())[-1])
                assert ("The user said no" if "code" in str(outcome) else "no JSON-RPC response") in said


async def test_an_answer_to_nothing_is_accepted_and_dropped(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit), visit.send("POST", visit.call("ask")) as stream:
        question = await stream.message()
        for nonsense in (
            {"jsonrpc": "2.0", "id": 999, "result": {}},
            {"jsonrpc": "2.0", "id": "x", "result": {}},
            {"jsonrpc": "2.0", "id": 999, "error": {"code": 1, "message": "no"}},
        ):
            assert await visit.post(nonsense) == 202
        await visit.post(reply(question, result=NAME))
        await visit.post(reply(question, result=NAME))
        assert await final_text(stream) == "accept: Ada"


async def test_nobody_else_can_answer(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit), visit.send("POST", visit.call("ask")) as stream:
        question = await stream.message()
        other = await Visit(site.client, "/mcp").open()
        assert await other.post(reply(question, result=NAME)) == 202
        await visit.post(reply(question, result={**NAME, "content": {"name": "Eve"}}))
        assert await final_text(stream) == "accept: Eve"


async def test_a_question_waits_for_a_client_that_was_cut_off(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        async with visit.send("POST", visit.call("ask")) as stream:
            begun = await stream.next()
            assert begun is not None
        async with visit.send("GET", Last_Event_ID=begun.id) as stream:
            await visit.post(reply(await stream.message(), result=NAME))
            assert await final_text(stream) == "accept: Ada"


@pytest.mark.parametrize("stream", [True, False])
async def test_only_cancelled_stops_a_tool(tmp_path: Path, stream: bool) -> None:
    async with visiting(tmp_path, "2025-11-25" if stream else "2025-06-18") as (_, visit):
        request = visit.call("wait", seconds=20)
        calling = asyncio.create_task(_answer(visit, request))
        await until(lambda: "started" in talkative.happened)
        for cancelled in (None, "unknown", [request["id"]], True):
            await visit.post(_cancelled(cancelled))
        await asyncio.sleep(0.3)
        assert talkative.happened == ["started"]
        assert await visit.post(_cancelled(request["id"])) == 202
        answer = await asyncio.wait_for(calling, 5)
        assert answer == {
            "jsonrpc": "2.0",
            "id": request["id"],
            "error": {"code": -32800, "message": "Request cancelled"},
        }
        assert talkative.happened == ["started", "cancelled"]


async def test_a_request_of_another_session_cannot_be_cancelled(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        request = visit.call("wait", seconds=0.6)
        calling = asyncio.create_task(_answer(visit, request))
        await until(lambda: "started" in talkative.happened)
        other = await Visit(site.client, "/mcp").open()
        await other.post(_cancelled(request["id"]))
        assert (await calling)["result"]["content"][0]["text"] == "waited"


async def test_a_cancelled_tool_calls_off_what_it_asked(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        request = visit.call("ask")
        async with visit.send("POST", request) as stream:
            question = await stream.message()
            await visit.post(_cancelled(request["id"]))
            called_off, final = await stream.messages()
        assert (called_off["method"], called_off["params"]["requestId"]) == ("notifications/cancelled", question["id"])
        assert final["error"]["code"] == -32800


async def test_the_end_of_a_session_ends_what_was_asked_in_it(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit), visit.send("POST", visit.call("ask")) as stream:
        await stream.message()
        session = session_of(site)
        assert await visit.status("DELETE") == 204
        await until(lambda: not session.busy)


async def test_a_client_that_never_answers_keeps_its_session_for_an_idle_hour(tmp_path: Path) -> None:
    time = Clock()
    time.now = NOW
    async with serve(tmp_path, TALKATIVE, clock=time, oauth_enabled=False) as site:
        visit, at_work = await Visit(site.client, "/mcp").open(CAPABLE), site.client.app[keys.SESSIONS]
        async with visit.send("POST", visit.call("ask")) as stream:
            await stream.message()
            time.advance(3_600)
            await at_work.flush()
            session = session_of(site)
        await until(lambda: not session.busy)
        time.advance(3_599)
        await at_work.flush()
        assert not session.closed
        time.advance(1)
        await at_work.flush()
        assert session.closed
        await until(lambda: not len(session.questions))


async def test_numbers_of_questions_are_not_given_out_again_after_a_restart(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit), visit.send("POST", visit.call("ask")) as stream:
        before = await stream.message()
    async with serve(tmp_path, "tests.transport.talkative:build", oauth_enabled=False) as site:
        visit.http = site.client
        async with visit.send("POST", visit.call("ask")) as stream:
            after = await stream.message()
            assert after["id"] > before["id"]
            await visit.post(reply(before, result={**NAME, "content": {"name": "late"}}))
            await visit.post(reply(after, result=NAME))
            assert await final_text(stream) == "accept: Ada"


def _cancelled(request_id: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request_id}}


async def _answer(visit: Visit, request: dict[str, Any]) -> Any:
    async with visit.send("POST", request) as answer:
        if answer.response.content_type == "application/json":
            return await answer.response.json()
        return (await answer.messages())[-1]
