"""MCP servers to plug in: one made the comfortable way, one lowlevel, each with tools that tests can watch."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import mcp_types as types
from mcp.server import MCPServer, Server
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from pydantic import Field

from server.services import Services

happened: list[str] = []
"""What the tools did, in order; `rig.serve` empties it."""


@asynccontextmanager
async def _lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    happened.append("opened")
    yield {}
    happened.append("closed")


def build() -> MCPServer:
    """Build a server with a tool for each kind of rule."""
    server = MCPServer("plugged", instructions="For tests.", lifespan=_lifespan)
    _add_open_tools(server)
    _add_slow_tools(server)

    @server.tool(meta={"scopes": ["read"]})
    async def echo(text: str) -> str:
        return text

    @server.tool(meta={"scopes": ["read", "payment"]})
    async def pay() -> str:
        happened.append("paid")
        return "paid"

    @server.tool()
    async def plain() -> str:
        return "plain"

    @server.tool()
    async def whoami() -> dict[str, Any]:
        access = get_access_token()
        return access.model_dump() if access else {}

    @server.tool()
    async def route(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
        return region

    @server.resource("ui://widget/page.html", mime_type="text/html;profile=mcp-app")
    async def widget() -> str:
        return "<!doctype html>"

    @server.resource("file:///secret.txt")
    async def secret() -> str:
        return "secret"

    @server.prompt()
    def hello(name: str) -> str:
        return f"Hello {name}"

    return server


def _add_open_tools(server: MCPServer) -> None:
    @server.tool(meta={"noauth": True})
    async def free() -> str:
        return "free"

    @server.tool(meta={"noauth": True, "scopes": ["payment"]})
    async def either() -> str:
        return "either"


def _add_slow_tools(server: MCPServer) -> None:
    @server.tool()
    async def count(context: Context, to: int) -> str:
        for step in range(1, to + 1):
            await context.report_progress(step, to)
        return "counted"

    @server.tool()
    async def tell(context: Context) -> str:
        await context.info("looking")
        return "told"

    @server.tool()
    async def linger(context: Context, seconds: float) -> str:
        """Report once, so that the answer is a stream, then take long."""
        await context.report_progress(0, 1)
        return await _watched(seconds)

    @server.tool()
    async def wait(seconds: float) -> str:
        return await _watched(seconds)


async def _watched(seconds: float) -> str:
    happened.append("started")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        happened.append("cancelled")
        raise
    happened.append("finished")
    return "waited"


async def _meddle(context: ServerRequestContext, _: types.CallToolRequestParams) -> types.CallToolResult:
    """Tell all that can be learnt of the caller and its client, and then spoil it."""
    access, client = get_access_token(), context.session.client_params
    seen = {
        "access": access and access.model_dump(),
        "client": client and client.model_dump(),
        "meta": dict(context.meta or {}),
    }
    answer = types.CallToolResult(content=[types.TextContent(type="text", text=json.dumps(seen))])
    if access is not None and access.claims is not None:
        access.client_id = "spoiled"
        access.scopes.append("spoiled")
        access.claims["iss"] = "spoiled"
    if client is not None:
        client.client_info.name = "spoiled"
        client.capabilities.experimental = {"spoiled": {}}
    return answer


def meddling() -> Server[Any]:
    """Build a server whose tool changes whatever it is given."""
    return Server("meddling", on_call_tool=_meddle)


def build_for(services: Services) -> MCPServer:
    """Build a server that is named after a setting."""
    return MCPServer(f"for {services.settings.server_url}")


async def _list_tools(_: ServerRequestContext, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    happened.append("listed")
    tools = [types.Tool(name=name, input_schema={"type": "object"}, _meta=meta) for name, meta in PAGES.items()]
    at = int((params.cursor if params else None) or 0)
    return types.ListToolsResult(tools=tools[at : at + 1], next_cursor=str(at + 1) if at + 1 < len(tools) else None)


async def _call_tool(_: ServerRequestContext, params: types.CallToolRequestParams) -> types.CallToolResult:
    if params.name == "broken":
        raise RuntimeError("detail for the log only")
    return types.CallToolResult(content=[types.TextContent(type="text", text=params.name)])


PAGES: dict[str, dict[str, Any]] = {"first": {}, "second": {"scopes": ["payment"]}, "broken": {}}
"""The tools of `lowlevel`, one a page; tests change it to be a server whose tools change."""


def lowlevel() -> Server[Any]:
    """Build a lowlevel server that lists one tool a page, and fails when told to."""
    return Server("lowlevel", version="1", on_list_tools=_list_tools, on_call_tool=_call_tool)


def unlisted() -> Server[Any]:
    """Build a server that has tools and does not list them."""
    return Server("unlisted", on_call_tool=_call_tool)


async def _call_cancelled(_: ServerRequestContext, __: types.CallToolRequestParams) -> types.CallToolResult:
    raise asyncio.CancelledError


def cancelling() -> Server[Any]:
    """Build a server whose tool lets out the cancellation of something else."""
    return Server("cancelling", on_call_tool=_call_cancelled)


def cached() -> Server[Any]:
    """Build a server that says for how long its listing is good."""
    return Server("cached", on_list_tools=_list_tools, cache_hints={"tools/list": CacheHint(60_000, "public")})


async def _raise(_: ServerRequestContext, params: types.CallToolRequestParams) -> types.CallToolResult:
    raise MCPError(int(params.name), "raised")


def raising() -> Server[Any]:
    """Build a server whose tools are named after the codes that they raise."""
    return Server("raising", on_call_tool=_raise)


class Counting(Extension):
    """An extension with a method and a kind of result of its own."""

    identifier = "com.example/counting"

    def methods(self) -> list[MethodBinding]:
        return [MethodBinding("counting/count", types.RequestParams, self._count)]

    async def _count(self, _: ServerRequestContext, __: types.RequestParams) -> dict[str, Any]:
        return {"resultType": "counted", "count": 3}


def extended() -> MCPServer:
    """Build a server with an extension."""
    return MCPServer("extended", extensions=[Counting()])
