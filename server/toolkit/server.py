"""The SDK server that a list of tools makes, with what can be read and asked beside them.

It is the SDK's lowlevel one: its `MCPServer` nearly doubles its part of a call, and tells a model of a
bad argument in the validator's words (docs/decisions/bundled-tools.md).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from server.oauth.store import StoreUnavailable
from server.toolkit.prompts import Prompt, Prompts
from server.toolkit.resources import Resource, Resources, Template
from server.toolkit.tool import Tool, run

_LONGEST_ECHO = 80
_MOST_CHOICES = 200
"""An argument that takes more values than these is not listed with all of them."""

Context = ServerRequestContext[Any]


async def _nothing() -> None:
    pass


def make_server(
    name: str,
    version: str,
    instructions: str,
    tools: Sequence[Tool[Any]],
    *,
    resources: Sequence[Resource] = (),
    templates: Sequence[Template] = (),
    prompts: Sequence[Prompt] = (),
    prepare: Callable[[], Awaitable[None]] = _nothing,
) -> Server[Any]:
    """Make the SDK server that lists all these in this order and answers for them.

    Args:
        name: What the server calls itself.
        version: Its version.
        instructions: What a model should know of it.
        tools: What can be called.
        resources: What can be read.
        templates: What can be read by an id.
        prompts: What a user may begin with.
        prepare: Is awaited once, before the first request.
    """
    listed = [(tool, tool.definition()) for tool in tools]
    by_name = {tool.name: tool for tool in tools}
    shelves, asked = Resources(resources, templates), Prompts(prompts)

    @asynccontextmanager
    async def lifespan(_server: Server[Any]) -> AsyncIterator[dict[str, Any]]:
        await prepare()
        yield {}

    async def list_tools(_context: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[await _as_it_is_now(tool, definition) for tool, definition in listed])

    async def call_tool(
        context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        tool = by_name.get(params.name)
        if tool is None:
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown tool: {params.name[:_LONGEST_ECHO]}")
        return await run(tool, params, context)

    async def complete(_context: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        owner = shelves if isinstance(params.ref, types.ResourceTemplateReference) else asked
        return types.CompleteResult(completion=await owner.complete(params))

    server: Server[Any] = Server(
        name,
        version=version,
        instructions=instructions,
        lifespan=lifespan,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    if resources or templates:
        shelves.add_to(server)
    if prompts:
        asked.add_to(server)
    if prompts or templates:
        server.add_request_handler("completion/complete", types.CompleteRequestParams, complete)
    return server


async def _as_it_is_now(tool: Tool[Any], definition: types.Tool) -> types.Tool:
    """Give a tool's entry in the listing with the values that its arguments take at the moment."""
    if not tool.choices:
        return definition
    properties = dict(definition.input_schema["properties"])
    with suppress(StoreUnavailable):  # a listing does without
        for argument, choices in tool.choices.items():
            values = list(await choices())
            if 0 < len(values) <= _MOST_CHOICES:
                properties[argument] = {**properties[argument], "enum": values}
    return definition.model_copy(update={"input_schema": {**definition.input_schema, "properties": properties}})
