"""One plugged MCP server at work: its lifespan entered once, its messages answered, its tasks looked after."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import web
from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import serve_connection, serve_one
from mcp.server.subscriptions import ListenHandler
from mcp.shared.dispatcher import DispatchContext, Dispatcher
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data
from mcp.shared.transport_context import TransportContext
from mcp_types import CLIENT_CAPABILITIES_META_KEY, INTERNAL_ERROR, PROTOCOL_VERSION_META_KEY, ErrorData
from mcp_types.version import LATEST_MODERN_VERSION
from pydantic_core import PydanticSerializationError, to_json

from server.settings import Settings
from server.transport.calls import RUNNING, note_outcome, outcome_of
from server.transport.catalogue import Catalogue
from server.transport.channel import Channel
from server.transport.message import Request
from server.transport.revisions import with_served

T = TypeVar("T")

logger = logging.getLogger(__name__)

DRAIN_TIMEOUT = 9.0
"""Seconds from the beginning of a stop in which work that outlived its connection has to end."""

_ENVELOPE = {PROTOCOL_VERSION_META_KEY: LATEST_MODERN_VERSION, CLIENT_CAPABILITIES_META_KEY: {}}
_LISTEN = "subscriptions/listen"
_INTERNAL = ErrorData(code=INTERNAL_ERROR, message="Internal server error")


class Kernel:
    """A server whose lifespan has been entered, and the work it is at."""

    def __init__(self, server: Server[Any], lifespan_state: Any, settings: Settings) -> None:
        """Serve with the state that the server's lifespan gave."""
        self.server = server
        self._state = lifespan_state
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listening: set[asyncio.Task[Any]] = set()
        self._stops_at: float | None = None
        self.catalogue = Catalogue(settings, self._list_page)

    @property
    def title(self) -> str:
        """What a person would call the server."""
        return self.server.title or self.server.name

    async def tools(self, http: web.Request) -> list[dict[str, Any]]:
        """List the first page of tools as nobody in particular would see them; empty if there are none."""
        page: list[dict[str, Any]] = (await self._list_page(http, None)).get("tools", [])
        return page

    def answer(
        self, request: Request, channel: DispatchContext[TransportContext], connection: Connection
    ) -> Awaitable[tuple[dict[str, Any], int | None]]:
        """Run one request through the server.

        Returns:
            The JSON-RPC answer, and the code of its error if it is one.
        """
        task = asyncio.current_task() if request.method == _LISTEN else None
        if task is not None:
            self._listening.add(task)
            task.add_done_callback(self._listening.discard)
        work = serve_one(
            self.server, channel, request.method, request.params, connection=connection, lifespan_state=self._state
        )
        return self.settle(request, work)

    async def connect(self, dispatcher: Dispatcher[Any], connection: Connection) -> None:
        """Let a dispatcher have what handles the messages of its connection."""
        await serve_connection(self.server, dispatcher, connection=connection, lifespan_state=self._state)

    async def settle(self, request: Request, work: Awaitable[dict[str, Any]]) -> tuple[dict[str, Any], int | None]:
        """Make a JSON-RPC answer of what the server gives or raises for a request, as `answer` says."""
        note_outcome(request, RUNNING)
        try:
            result = await work
            if request.method == "tools/list":
                result = self.catalogue.publish(result)
            elif request.method == "server/discover":
                result = with_served(result, "supportedVersions")
        except asyncio.CancelledError as error:
            if _is_being_cancelled():
                note_outcome(request, "cancelled")
                raise
            return _failure(request, error)
        except Exception as error:  # noqa: BLE001 - whatever a plugged server raises must not leak
            return _failure(request, error)
        note_outcome(request, outcome_of(result))
        return {"jsonrpc": "2.0", "id": request.id, "result": result}, None

    async def _list_page(self, http: web.Request, cursor: str | None) -> dict[str, Any]:
        """Ask the server for its tools, as the caller of a POST would."""
        if self.server.get_request_handler("tools/list") is None:
            return {}
        params: dict[str, Any] = {"_meta": _ENVELOPE} | ({} if cursor is None else {"cursor": cursor})
        return await serve_one(
            self.server,
            Channel(http, Request("tools/list", "tools/list", params), None),
            "tools/list",
            params,
            connection=Connection.from_envelope(LATEST_MODERN_VERSION, None, {}),
            lifespan_state=self._state,
        )

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run work that outlives the connection it came by."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close_streams(self) -> None:
        """Begin to stop: end the streams that would otherwise stay open for as long as their clients do."""
        if self._stops_at is None:
            self._stops_at = asyncio.get_running_loop().time() + DRAIN_TIMEOUT
        entry = self.server.get_request_handler(_LISTEN)
        if entry is not None and isinstance(entry.handler, ListenHandler):
            entry.handler.close()
        else:
            for task in self._listening:
                task.cancel()

    async def drain(self) -> None:
        """Wait for the spawned work, and cancel what has not ended in time."""
        self.close_streams()
        if self._tasks:
            left = (self._stops_at or 0) - asyncio.get_running_loop().time()
            _, late = await asyncio.wait(self._tasks, timeout=max(left, 0))
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


@asynccontextmanager
async def open_kernel(server: Server[Any], settings: Settings) -> AsyncIterator[Kernel]:
    """Enter a server's lifespan, and leave it once its work is done."""
    async with server.lifespan(server) as state:
        kernel = Kernel(server, state, settings)
        try:
            yield kernel
        finally:
            await kernel.drain()


def encode(answer: Any) -> bytes:
    """Write an answer, or several of a batch, as JSON; what JSON cannot hold becomes an internal error."""
    try:
        return to_json(answer, inf_nan_mode="null")
    except PydanticSerializationError:
        logger.exception("an answer cannot be written as JSON")
        known = {"id": answer["id"]} if isinstance(answer, dict) else {}
        return to_json({"jsonrpc": "2.0", **known, "error": _dump(_INTERNAL)})


def _is_being_cancelled() -> bool:
    """Tell our own cancellation from a cancelled error that a tool let out of something it awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _failure(request: Request, error: BaseException) -> tuple[dict[str, Any], int]:
    data = handler_exception_to_error_data(error)
    if data is None:
        logger.error("%s failed", request.method, exc_info=error)
        data = _INTERNAL
    note_outcome(request, f"error:{data.code}")
    return {"jsonrpc": "2.0", "id": request.id, "error": _dump(data)}, data.code


def _dump(error: ErrorData) -> dict[str, Any]:
    return error.model_dump(mode="json", exclude_none=True)
