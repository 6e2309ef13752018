"""A tool that asks, behind the SDK's own client, in both eras."""

from collections.abc import Mapping
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.session import ClientRequestContext
from mcp_types import (
    REQUEST_TIMEOUT,
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    InputRequiredResult,
    TextContent,
)
from pydantic import Field
from typing_extensions import TypedDict

from server.toolkit.elicitation import Question, Reply, ask, reply_of
from server.toolkit.screening import REFUSAL, refuse_payment_numbers
from server.toolkit.server import make_server
from server.toolkit.tool import Answer, Arguments, Call, Tool

ERAS = ["legacy", "2026-07-28"]
SCHEMA = {"type": "object", "properties": {"sure": {"type": "boolean"}}, "required": ["sure"]}


class SetOffArguments(Arguments):
    """What the tool is called with."""

    name: str = Field("it", description="any text")


class SetOffOutput(TypedDict):
    """What came of it."""

    said: str


async def _set_off(call: Call[SetOffArguments]) -> Answer | InputRequiredResult:
    name = call.arguments.name
    brought = reply_of(call)
    if brought is not None:
        return _said(name, *brought)
    outcome = await ask(call, Question(f"Set off {name}?", SCHEMA, "state of things", patience=1))
    match outcome:
        case None:
            return Answer("call again with a word", SetOffOutput(said=name))
        case Reply():
            return _said(name, "state of things", outcome)
    return outcome


def _said(name: str, state: str, reply: Reply) -> Answer:
    text = f"{name}, {state}, {reply.accepted}, {dict(reply.content)}"
    return Answer(text, SetOffOutput(said=text))


SET_OFF = Tool(
    "set-off", "Set off", "Set it off.", (), SetOffArguments, SetOffOutput, _set_off, screen=refuse_payment_numbers
)
SERVER = make_server("test", "1", "Asks.", [SET_OFF])


class Person:
    """Answers what a client shows them, and remembers it."""

    def __init__(self, answer: ElicitResult | ErrorData) -> None:
        self.answer = answer
        self.asked: list[ElicitRequestParams] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        assert context is not None
        self.asked.append(params)
        return self.answer


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def call(era: str, person: Person | None, arguments: Mapping[str, Any]) -> CallToolResult:
    async with Client(SERVER, mode=era, elicitation_callback=person) as client:
        return await client.call_tool("set-off", dict(arguments))


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_is_asked_once_and_the_call_goes_on_with_the_reply(era: str) -> None:
    person = Person(ElicitResult(action="accept", content={"sure": True}))
    result = await call(era, person, {"name": "a rocket"})
    assert text_of(result) == "a rocket, state of things, True, {'sure': True}"
    (asked,) = person.asked
    assert isinstance(asked, ElicitRequestFormParams)
    assert (asked.message, asked.requested_schema) == ("Set off a rocket?", SCHEMA)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_person_may_say_no(era: str, action: Any) -> None:
    result = await call(era, Person(ElicitResult(action=action)), {})
    assert text_of(result) == "it, state of things, False, {}"


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_ask_gets_the_answer_for_such(era: str) -> None:
    assert text_of(await call(era, None, {})) == "call again with a word"


async def test_a_client_that_refuses_to_ask_gets_the_answer_for_such() -> None:
    result = await call("legacy", Person(ErrorData(code=-32601, message="not today")), {})
    assert text_of(result) == "call again with a word"


async def test_silence_is_no_consent() -> None:
    result = await call("legacy", Person(ErrorData(code=REQUEST_TIMEOUT, message="gone")), {})
    assert text_of(result) == "it, state of things, False, {}"


@pytest.mark.parametrize("era", ERAS)
async def test_what_a_person_filled_in_is_screened(era: str) -> None:
    card = "4111 1111 1111 1111"
    result = await call(era, Person(ElicitResult(action="accept", content={"sure": True, "note": card})), {})
    assert result.is_error
    assert text_of(result) == REFUSAL


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_screened_is_never_repeated(era: str) -> None:
    for arguments, told in (
        ({"name": "4111111111111111"}, REFUSAL),
        ({"name": ["12345678"]}, "name cannot be what was given; it takes any text."),
        ({"12345678": "x"}, "There is no argument of that name; the arguments are name."),
    ):
        result = await call(era, None, arguments)
        assert result.is_error
        assert text_of(result) == told


async def test_a_call_that_comes_again_without_a_reply_is_asked_again() -> None:
    async with Client(SERVER, mode="2026-07-28", elicitation_callback=Person(ElicitResult(action="accept"))) as client:
        first = await client.session.call_tool("set-off", {}, allow_input_required=True)
        assert isinstance(first, InputRequiredResult)
        again = await client.session.call_tool(
            "set-off", {}, request_state=first.request_state, allow_input_required=True
        )
        assert isinstance(again, InputRequiredResult)
        stateless = await client.session.call_tool(
            "set-off", {}, input_responses={"confirmation": ElicitResult(action="accept")}, allow_input_required=True
        )
        assert isinstance(stateless, InputRequiredResult)
