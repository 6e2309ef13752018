"""The guide's tools, saved and served as it says; the SDK's own client uses them, and its user is a script."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestParams, ElicitResult

from tests.flows.child import Child, connected
from tests.flows.rig import Rig
from tests.support import Remote

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "put-your-own-tools-behind-it.md").read_text(encoding="utf-8")


def served(folder: Path, **environment: str) -> Child:
    """Save the example, and start it with the settings that the guide has."""
    example = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    command = re.search(r"```sh\n(.*) att-mcp-server\n```", GUIDE)
    assert example is not None
    assert command is not None
    (folder / "notebook.py").write_text(example[1], encoding="utf-8")
    settings = dict(setting.split("=", 1) for setting in command[1].split(" "))
    return Child(folder, environment={**settings, **environment})


def text(result: Any) -> str:
    return str(result.content[0].text)


async def test_the_guides_tools_are_called_by_a_user_who_is_asked_first(tmp_path: Path) -> None:
    questions: list[str] = []

    async def answer(context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001 - the SDK's signature
        questions.append(params.message)
        return ElicitResult(action="accept", content={"sure": len(questions) > 1})

    async with connected(served(tmp_path)) as live:
        rig = Rig(live)
        async with (
            rig.http() as http,
            Client(
                streamable_http_client(f"{live.url}/mcp", http_client=http),
                mode="2026-07-28",
                elicitation_callback=answer,
            ) as client,
        ):
            assert text(await client.call_tool("write_note", {"text": "Buy milk"})) == "Noted."
            read: Any = await client.call_tool("read_notes", {})
            assert read.structured_content == {"result": ["Buy milk"]}
            with closing(sqlite3.connect(tmp_path / "notes.db")) as pages:
                assert pages.execute("SELECT * FROM notes").fetchall() == [("demo", "Buy milk")]
            assert text(await client.call_tool("forget_notes", {})) == "Kept."
            assert text(await client.call_tool("forget_notes", {})) == "Forgotten."
            assert questions == ["Tear out every page?"] * 2
            emptied: Any = await client.call_tool("read_notes", {})
            assert emptied.structured_content == {"result": []}


async def test_the_guides_tools_hold_to_their_scopes(tmp_path: Path) -> None:
    async with connected(served(tmp_path, OAUTH_MODE="mixed")) as live:
        app = await live.register()
        reader = (await live.log_in(app, scope="read"))["access_token"]
        assert (await call(live, "read_notes", reader))[0] == 200
        status, refused = await call(live, "write_note", reader, text="x")
        assert (status, refused["error"]) == (403, "insufficient_scope")
        assert (await call(live, "read_notes", None))[0] == 401
        assert (await call(live, "opening_hours", None))[1]["result"]["content"][0]["text"] == "Always."


async def call(live: Remote, tool: str, token: str | None, **arguments: str) -> tuple[int, Any]:
    """Call a tool, and give status and body."""
    answer = await live.call(tool, token, **arguments)
    return answer.status, answer.json


LOWLEVEL = """
from contextlib import asynccontextmanager
from mcp.server import Server
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool

@asynccontextmanager
async def lifespan(_):
    yield {"word": "opened"}

async def listed(ctx, params):
    meta = {"scopes": ["payment"]}
    return ListToolsResult(tools=[Tool(name="pay", input_schema={"type": "object"}, _meta=meta)])

async def called(ctx, params):
    said = f"{ctx.lifespan_context['word']} for {get_access_token().subject}"
    return CallToolResult(content=[TextContent(type="text", text=said)])

server = Server("lowlevel", lifespan=lifespan, on_list_tools=listed, on_call_tool=called)

def build(services):
    return server if services.settings.oauth_enabled else None
"""


@pytest.mark.parametrize("named", ["desk:server", "desk:build"])
async def test_a_lowlevel_server_and_a_function_do_the_same(tmp_path: Path, named: str) -> None:
    (tmp_path / "desk.py").write_text(LOWLEVEL, encoding="utf-8")
    async with connected(Child(tmp_path, environment={"MCP_SERVER": named})) as live:
        app = await live.register()
        assert (await call(live, "pay", (await live.log_in(app))["access_token"]))[0] == 403
        payer = (await live.log_in(app, scope="payment"))["access_token"]
        assert text_of(await call(live, "pay", payer)) == "opened for demo"


def text_of(answer: tuple[int, Any]) -> str:
    assert answer[0] == 200
    return str(answer[1]["result"]["content"][0]["text"])


def test_the_guide_is_one_page() -> None:
    assert len(GUIDE.splitlines()) <= 120
