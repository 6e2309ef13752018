"""MCP servers to plug in that tell listeners of changes."""

import asyncio
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer, Server
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.subscriptions import InMemorySubscriptionBus, ServerEvent
from mcp_types import SubscriptionsListenRequestParams, SubscriptionsListenResult

from tests.transport.plugged import happened


class Bus(InMemorySubscriptionBus):
    """A bus that notes who comes and goes."""

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        happened.append("came")
        leave = super().subscribe(listener)

        def noted() -> None:
            happened.append("went")
            leave()

        return noted


def build() -> MCPServer:
    """Build a server with tools that change something."""
    server = MCPServer("listening", subscriptions=Bus())

    @server.tool()
    async def change(ctx: Context, size: int = 1) -> str:
        """Tell of new tools, new prompts and two resources, one of them with a long URI."""
        await ctx.notify_tools_changed()
        await ctx.notify_prompts_changed()
        await ctx.notify_resource_updated("file:///a")
        await ctx.notify_resource_updated("file:///" + "b" * size)
        return "changed"

    return server


async def _listen(_: ServerRequestContext, __: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
    happened.append("came")
    try:
        await asyncio.Event().wait()
    finally:
        happened.append("went")
    return SubscriptionsListenResult()


def own() -> Server[Any]:
    """Build a lowlevel server whose handler nobody but a cancellation ends."""
    return Server("own", on_subscriptions_listen=_listen)
