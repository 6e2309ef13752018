"""What the server asks its client: sampling, elicitation, roots. A request goes out as an event, its answer by POST."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp.server.connection import Connection
from mcp.shared.dispatcher import CallOptions, ProgressFnT, coerce_request_id
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, INTERNAL_ERROR, METHOD_NOT_FOUND, REQUEST_TIMEOUT, RequestId

from server.transport.asking import may_ask
from server.transport.message import Notification, Reply

log = logging.getLogger(__name__)

Put = Callable[[dict[str, Any]], None]
"""Sends a message, sooner or later."""


@dataclass(frozen=True, slots=True)
class _Open:
    outcome: "asyncio.Future[dict[str, Any]]"
    on_progress: ProgressFnT | None


class Questions:
    """The requests of one session that its client has not answered yet."""

    def __init__(self, connection: Connection, take_number: Callable[[], int]) -> None:
        """Ask the client of a connection.

        Args:
            connection: Knows what its client declared.
            take_number: Gives the number of a request; none twice, so that no late answer is taken for another's.
        """
        self._connection = connection
        self._take_number = take_number
        self._open: dict[RequestId, _Open] = {}
        self._closed = False

    def __len__(self) -> int:
        """Count what the client has not answered."""
        return len(self._open)

    async def ask(
        self, put: Put, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises:
            MCPError: The client did not declare that it can be asked this, answered with an error or not in time, or
                the session is over.
            ValueError: ``opts`` asks for an id that is in use.
        """
        opts = opts or {}
        if self._closed:
            raise _closed()
        capabilities = self._connection.client_capabilities
        declared = None if capabilities is None else capabilities.model_dump(by_alias=True, exclude_none=True)
        if not may_ask(method, params, declared):
            raise MCPError(code=METHOD_NOT_FOUND, message=f"The client did not declare that it knows {method}")
        request_id = opts.get("request_id", None)
        request_id = self._take_number() if request_id is None else request_id
        key = coerce_request_id(request_id)
        if key in self._open:
            raise ValueError(f"request id {request_id!r} is in use")
        on_progress = opts.get("on_progress")
        self._open[key] = question = _Open(asyncio.get_running_loop().create_future(), on_progress)
        try:
            put(_request(request_id, method, params, on_progress))
            return await self._outcome(question, put, request_id, method, opts)
        finally:
            del self._open[key]

    async def _outcome(
        self, question: _Open, put: Put, request_id: RequestId, method: str, opts: CallOptions
    ) -> dict[str, Any]:
        """Wait, and tell the client when that is given up ("Cancellation")."""
        try:
            async with asyncio.timeout(opts.get("timeout")):
                return await question.outcome
        except TimeoutError:
            _call_off(put, request_id, "timed out", opts)
            raise MCPError(code=REQUEST_TIMEOUT, message=f"Request {method!r} timed out") from None
        except asyncio.CancelledError:
            _call_off(put, request_id, "no longer needed", opts)
            raise

    def settle(self, reply: Reply) -> None:
        """Take the client's answer; one that nobody waits for any more is dropped."""
        question = None if reply.id is None else self._open.get(coerce_request_id(reply.id))
        if question is None or question.outcome.done():
            return
        match reply:
            case Reply(result=dict() as result, error=None):
                question.outcome.set_result(result)
            case Reply(error={"code": int() as code, "message": str() as message, **rest}):
                question.outcome.set_exception(MCPError(code=code, message=message, data=rest.get("data")))
            case _:
                error = MCPError(code=INTERNAL_ERROR, message="The client's answer is no JSON-RPC response")
                question.outcome.set_exception(error)

    async def hear(self, notification: Notification) -> None:
        """Tell who asked how far the client has come."""
        match notification.params:
            case {"progressToken": int() | str() as token, "progress": int() | float() as done, **rest}:
                question = self._open.get(coerce_request_id(token))
                if question is not None and question.on_progress is not None:
                    await _report(question.on_progress, done, rest.get("total"), rest.get("message"))

    def close(self) -> None:
        """Fail what is open, and what will be asked."""
        self._closed = True
        for question in self._open.values():
            if not question.outcome.done():
                question.outcome.set_exception(_closed())


async def _report(on_progress: ProgressFnT, done: float, total: object, text: object) -> None:
    total = total if isinstance(total, int | float) else None
    try:
        await on_progress(done, total, text if isinstance(text, str) else None)
    except Exception:
        log.exception("a tool failed to hear of progress")


def _request(
    request_id: RequestId, method: str, params: Mapping[str, Any] | None, on_progress: ProgressFnT | None
) -> dict[str, Any]:
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id, "method": method}
    if on_progress is not None:
        params = {**(params or {})}
        params["_meta"] = {**(params.get("_meta") or {}), "progressToken": request_id}
    return message if params is None else message | {"params": dict(params)}


def _call_off(put: Put, request_id: RequestId, reason: str, opts: CallOptions) -> None:
    if opts.get("cancel_on_abandon", True):
        params = {"requestId": request_id, "reason": reason}
        put({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})


def _closed() -> MCPError:
    return MCPError(code=CONNECTION_CLOSED, message="The session is over")
