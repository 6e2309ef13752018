"""MCP servers to plug in whose tools ask their client before they answer."""

from typing import Any

from mcp.server import MCPServer, Server
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp_types import CallToolRequestParams, CallToolResult, InputRequiredResult, TextContent

SCHEMA = {"type": "object", "properties": {"sure": {"type": "boolean"}}}
FORM = {"method": "elicitation/create", "params": {"message": "Sure?", "requestedSchema": SCHEMA}}
URL = {"method": "elicitation/create", "params": {"mode": "url", "message": "Go", "url": "https://pay.example"}}
SAMPLE: dict[str, Any] = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 5}}
REQUESTS: dict[str, dict[str, Any]] = {
    "form": FORM,
    "url": URL,
    "sample": SAMPLE,
    "sample with tools": {**SAMPLE, "params": {"messages": [], "maxTokens": 5, "tools": []}},
    "roots": {"method": "roots/list", "params": {}},
}
"""What the tool ``ask`` can be told to ask."""


def required(state: str | None, **requests: dict[str, Any]) -> InputRequiredResult:
    """Ask for answers, for a state to be brought back, or both."""
    return InputRequiredResult.model_validate({"inputRequests": requests or None, "requestState": state})


def build() -> MCPServer:
    """Build a server whose tools keep a word with their client, and ask what they are told to."""
    server = MCPServer("asking")

    @server.tool(structured_output=False)
    async def remember(word: str, ctx: Context) -> str | InputRequiredResult:
        return f"It was {ctx.request_state}" if ctx.request_state else required(word)

    @server.tool(structured_output=False)
    async def ask(what: list[str], ctx: Context) -> str | InputRequiredResult:
        return "answered" if ctx.input_responses else required(None, **{name: REQUESTS[name] for name in what})

    return server


async def _remember(_: ServerRequestContext, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
    if params.request_state is None:
        return required(str((params.arguments or {})["word"]))
    return CallToolResult(content=[TextContent(type="text", text=f"It was {params.request_state}")])


def lowlevel() -> Server[Any]:
    """Build a lowlevel server, which seals nothing by itself."""
    return Server("asking", on_call_tool=_remember)


class OwnBoundary(RequestStateBoundary):
    """A policy of a server's own."""


def own() -> Server[Any]:
    """Build a lowlevel server that seals by itself."""
    server = lowlevel()
    server.middleware.append(OwnBoundary(RequestStateSecurity(keys=["k" * 32]), default_audience=None))
    return server


async def _shrug(_: ServerRequestContext, __: CallToolRequestParams) -> Any:
    return {"resultType": "input_required"}


def shrugging() -> Server[Any]:
    """Build a lowlevel server whose tool wants something, and does not say what."""
    return Server("shrugging", on_call_tool=_shrug)
