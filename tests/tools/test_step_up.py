"""A conversation that comes to a tool for which too little was granted, for each tool, in both forms and both eras."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Answer, App
from tests.support import Live, serve
from tests.tools.test_build import TOOLS

CHATGPT = "openai-mcp/1.0.0"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
ACCEPT = "application/json, text/event-stream"
TABLE = [(name, tuple(scopes)) for name, scopes, _ in TOOLS]
ALL = {scope for _, scopes in TABLE for scope in scopes}


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with serve(tmp_path) as running:
        yield running


@dataclass
class Conversation:
    """A client in the middle of one: it asks its user for what a challenge names, and no more."""

    live: Live
    app: App
    tokens: dict[tuple[str, ...], str] = field(default_factory=dict)

    async def token(self, *scopes: str) -> str:
        """Have the user consent to these scopes, once."""
        if scopes not in self.tokens:
            self.tokens[scopes] = (await self.live.log_in(self.app, scope=" ".join(scopes)))["access_token"]
        return self.tokens[scopes]

    async def call(self, era: str, tool: str, token: str, agent: str) -> Answer:
        """Call a tool without arguments, which is enough to come to the gate, and past it."""
        params: dict[str, Any] = {"name": tool, "arguments": {}}
        headers = {"Authorization": f"Bearer {token}", "Accept": ACCEPT, "User-Agent": agent}
        headers["MCP-Protocol-Version"] = era
        if era == "2026-07-28":
            params["_meta"] = ENVELOPE
            headers |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return await self.live.send("POST", "/mcp", json=message, headers=headers)


@pytest.fixture
async def conversation(live: Live) -> Conversation:
    return Conversation(live, await live.register())


def lacking(scopes: tuple[str, ...]) -> str:
    """Choose a scope that will not do for a tool that needs these."""
    return min(ALL - set(scopes))


def challenged(value: str, live: Live) -> list[str]:
    """Read a challenge for too little scope, and give the scopes that it names."""
    parameters = dict(re.findall(r'(\w+)="([^"]*)"', value))
    assert value.startswith("Bearer ")
    assert parameters["error"] == "insufficient_scope"
    assert parameters["resource_metadata"] == f"{live.url}/.well-known/oauth-protected-resource/mcp"
    return str(parameters["scope"]).split()


def passed(answer: Answer) -> bool:
    """Tell whether a call came to its tool, whatever that made of it."""
    return answer.status == 200 and "mcp/www_authenticate" not in answer.text


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
async def test_a_client_of_the_specification_steps_up_by_403(conversation: Conversation, era: str) -> None:
    for tool, needed in TABLE:
        held = lacking(needed)
        answer = await conversation.call(era, tool, await conversation.token(held), "client/1.0")
        if needed:
            assert (answer.status, answer.json["error"]) == (403, "insufficient_scope"), tool
            scopes = challenged(answer.headers["WWW-Authenticate"], conversation.live)
            assert scopes == list(needed), tool
            answer = await conversation.call(era, tool, await conversation.token(held, *scopes), "client/1.0")
        assert passed(answer), tool


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
async def test_chatgpt_steps_up_by_a_tool_error(conversation: Conversation, era: str) -> None:
    for tool, needed in TABLE:
        held = lacking(needed)
        answer = await conversation.call(era, tool, await conversation.token(held), CHATGPT)
        if needed:
            result = answer.json["result"]
            assert (answer.status, result["isError"]) == (200, True), tool
            assert result["content"][0]["text"], tool
            (value,) = result["_meta"]["mcp/www_authenticate"]
            assert 'error_description="' in value, tool
            scopes = challenged(value, conversation.live)
            assert scopes == list(needed), tool
            answer = await conversation.call(era, tool, await conversation.token(held, *scopes), CHATGPT)
        assert passed(answer), tool


async def test_each_tool_says_beforehand_what_it_needs(conversation: Conversation) -> None:
    token = await conversation.token("read")
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"Authorization": f"Bearer {token}", "Accept": ACCEPT, "MCP-Protocol-Version": "2025-11-25"}
    listing = (await conversation.live.send("POST", "/mcp", json=message, headers=headers)).json["result"]["tools"]
    said = [(tool["name"], tool["securitySchemes"], tool["_meta"]["securitySchemes"]) for tool in listing]
    schemes = [(name, [{"type": "oauth2", "scopes": list(scopes)}]) for name, scopes in TABLE]
    assert said == [(name, scheme, scheme) for name, scheme in schemes]
