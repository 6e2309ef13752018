"""An MCP server to plug in whose tools talk with their client: they ask it, tell it, keep it waiting."""

import asyncio
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.session import ServerSession
from mcp_types import SamplingMessage, TextContent
from pydantic import BaseModel

happened: list[str] = []
"""What the tools did, in order; `build` empties it."""
listeners: list[ServerSession] = []
"""The sessions that `listen` was called in; `build` empties it."""


class Person(BaseModel):
    """What `ask` asks for."""

    name: str


def build() -> MCPServer:
    """Build the server."""
    happened.clear()
    listeners.clear()
    server = MCPServer("talkative")
    _add_asking(server)
    _add_telling(server)
    _add_slow(server)
    return server


def _add_asking(server: MCPServer) -> None:
    @server.tool()
    async def ask(context: Context) -> str:
        answered = await context.elicit("Who are you?", Person)
        return f"{answered.action}: {answered.data.name if answered.action == 'accept' else '-'}"

    @server.tool()
    async def ask_later(context: Context, seconds: float) -> str:
        happened.append("started")
        await asyncio.sleep(seconds)
        try:
            await context.elicit("Who are you?", Person)
        except Exception as error:
            happened.append(type(error).__name__)
            raise
        return "asked"

    @server.tool()
    async def sample(context: Context) -> str:
        message = SamplingMessage(role="user", content=TextContent(type="text", text="Say something."))
        result = await context.session.create_message([message], max_tokens=10, related_request_id=context.request_id)
        return result.content.text if isinstance(result.content, TextContent) else "?"

    @server.tool()
    async def roots(context: Context) -> list[str]:
        return [str(root.uri) for root in (await context.session.list_roots()).roots]


def _add_telling(server: MCPServer) -> None:
    @server.tool()
    async def tell(context: Context, text: str) -> str:
        await context.info(text)
        return "told"

    @server.tool()
    async def listen(context: Context) -> str:
        listeners.append(context.session)
        return "listening"

    @server.tool()
    async def broadcast(times: int = 1) -> str:
        for _ in range(times):
            await asyncio.gather(*(one.send_tool_list_changed() for one in listeners))
        return f"told {len(listeners)}"

    @server.tool()
    async def shout(text: str, times: int) -> str:
        for _ in range(times):
            await asyncio.gather(*(one.send_resource_updated(f"test://{text}") for one in listeners))
        return "shouted"

    @server.tool()
    async def flood(context: Context, size: int, times: int) -> str:
        for _ in range(times):
            await context.info("x" * size)
        happened.append("flooded")
        return "flooded"


def _add_slow(server: MCPServer) -> None:
    @server.tool()
    async def count(context: Context, to: int, pause: float = 0) -> str:
        for step in range(1, to + 1):
            await asyncio.sleep(pause)
            await context.report_progress(step, to)
        happened.append("counted")
        return "counted"

    @server.tool()
    async def wait(seconds: float) -> str:
        happened.append("started")
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            happened.append("cancelled")
            raise
        happened.append("finished")
        return "waited"

    @server.tool()
    async def part(context: Context, seconds: float) -> str:
        """Send the client away, and be done while it is gone."""
        await context.close_sse_stream()
        await asyncio.sleep(seconds)
        await context.info("gone")
        return "parted"

    @server.tool()
    async def part_standing(context: Context) -> str:
        await context.close_standalone_sse_stream()
        return "parted"

    @server.tool()
    async def large(size: int) -> Any:
        await asyncio.sleep(0.4)
        return "x" * size
