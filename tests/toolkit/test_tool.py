import logging

import pytest
from mcp.client import Client
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, TextContent
from pydantic import Field
from typing_extensions import TypedDict

from server.toolkit.server import make_server
from server.toolkit.tool import Answer, Arguments, Call, Tool


class EchoArguments(Arguments):
    """What the tool is called with."""

    some_text: str = Field("hello", description="any text")


class EchoOutput(TypedDict):
    """What came in."""

    someText: str


async def _echo(call: Call[EchoArguments]) -> Answer:
    match call.arguments.some_text:
        case "crash":
            raise ZeroDivisionError("at /secret/path")
        case "refuse":
            raise ToolError("Not this text.")
        case some_text:
            return Answer(some_text, EchoOutput(someText=some_text))


ECHO = Tool("echo", "Echo", "Say it again.", (), EchoArguments, EchoOutput, _echo)
SERVER = make_server("test", "1.2.3", "Echoes.", [ECHO])


async def call(arguments: dict[str, object] | None) -> tuple[bool, str, object]:
    async with Client(SERVER, mode="2026-07-28") as client:
        result = await client.call_tool("echo", arguments)
        (content,) = result.content
        assert isinstance(content, TextContent)
        return result.is_error, content.text, result.structured_content


async def test_an_answer_is_text_and_data() -> None:
    assert await call({"someText": "again"}) == (False, "again", {"someText": "again"})


@pytest.mark.parametrize("arguments", [None, {}, {"someText": None}])
async def test_what_is_left_out_or_null_takes_its_default(arguments: dict[str, object] | None) -> None:
    assert await call(arguments) == (False, "hello", {"someText": "hello"})


async def test_only_the_wire_name_of_an_argument_is_taken() -> None:
    failed, text, _ = await call({"some_text": "again"})
    assert failed
    assert text == "There is no argument 'some_text'; the arguments are someText."


async def test_a_value_is_repeated_only_so_far() -> None:
    failed, text, _ = await call({"someText": ["x" * 5_000]})
    assert failed
    assert text.startswith('someText cannot be ["xxx')
    assert text.endswith("…; it takes any text.")
    assert len(text) < 200


async def test_a_tool_error_is_told_as_it_is() -> None:
    assert await call({"someText": "refuse"}) == (True, "Not this text.", None)


async def test_a_crash_tells_the_log_and_not_the_model(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "server.toolkit.tool"):
        failed, text, _ = await call({"someText": "crash"})
    assert failed
    assert "secret" not in text
    assert "ZeroDivisionError" not in text
    assert "Tool echo failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_an_unknown_tool_is_a_protocol_error(mode: str) -> None:
    async with Client(SERVER, mode=mode) as client:
        with pytest.raises(MCPError, match="Unknown tool: nothing") as caught:
            await client.call_tool("nothing", {})
    assert caught.value.error.code == INVALID_PARAMS


async def test_the_server_says_who_it_is() -> None:
    async with Client(SERVER, mode="legacy") as client:
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == ("test", "1.2.3")
        assert client.instructions == "Echoes."
