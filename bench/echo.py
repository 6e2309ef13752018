"""The smallest MCP servers that can be called: one tool that needs a scope and answers what it was told."""

from typing import Any

import mcp_types as types
from mcp.server import MCPServer, Server
from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.context import ServerRequestContext

_ECHO = types.Tool(
    name="echo",
    input_schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    _meta={"scopes": ["read"]},
)


async def _list(_context: ServerRequestContext, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[_ECHO])


async def _call(_context: ServerRequestContext, params: types.CallToolRequestParams) -> types.CallToolResult:
    text = str((params.arguments or {})["text"])
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)])


def lowlevel() -> Server[Any]:
    """Make it from the SDK's lowlevel `Server`."""
    return Server("echo", version="1", on_list_tools=_list, on_call_tool=_call)


def comfortable() -> MCPServer:
    """Make it from the SDK's `MCPServer`, which validates arguments and builds output schemas."""
    return _with_echo(MCPServer("echo"))


def guarded(auth: AuthSettings, verifier: TokenVerifier) -> MCPServer:
    """Make it so that the SDK itself asks for tokens."""
    return _with_echo(MCPServer("echo", auth=auth, token_verifier=verifier))


def _with_echo(server: MCPServer) -> MCPServer:

    @server.tool(meta={"scopes": ["read"]})
    async def echo(text: str) -> str:
        return text

    return server
