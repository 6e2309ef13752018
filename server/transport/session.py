"""One session of a client: the plugged server's connection to it, what runs in it, and its event streams."""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskStatus
from mcp.server.connection import Connection
from mcp.server.runner import aclose_shielded
from mcp.shared.dispatcher import CallOptions, OnNotify, OnNotifyIntercept, OnRequest, coerce_request_id
from mcp_types import InitializeRequestParams, RequestId
from pydantic_core import to_json

from server.transport.channel import Channel
from server.transport.kernel import Kernel
from server.transport.message import Notification, Request
from server.transport.questions import Questions
from server.transport.records import EventRecord, SessionRecord, SessionStore
from server.transport.streams import ANSWER, STANDING, Journal, Stream

REQUEST_CANCELLED = -32800
"""The code that answers a request which its client cancelled, as the SDK and the language servers' protocol have it."""

asking: ContextVar[Channel | None] = ContextVar("asking", default=None)
"""The channel of the request that is being served."""


class Session:
    """A session at work. To the SDK it is a `Dispatcher`: what the server sends beside any request's answer."""

    def __init__(self, kernel: Kernel, journal: Journal, record: SessionRecord, session_id: str) -> None:
        """Go on with a session; `start` makes it ready.

        Args:
            kernel: The server at work.
            journal: Keeps its events.
            record: The session as it is kept.
            session_id: The id as the client says it.
        """
        self.digest = record.session_digest
        self.used_at = self.noted_at = record.used_at
        self.number = record.last_event
        self.journal = journal
        self.closed = False
        self.answers: dict[int, Stream] = {}
        """The streams that answer a POST and have not come to their end, by number."""
        self.standing: list[Stream] = []
        """The standing streams that are read just now, the newest last."""
        self.kernel = kernel
        self.connection = Connection.for_loop(
            self, session_id=session_id, protocol_version_hint=record.protocol_version
        )
        self.questions = Questions(self.connection, self.take_number)
        self.has_backlog = record.last_event > 0
        """Whether events may wait for a standing stream."""
        self._backlog = self.stream(STANDING, 0)
        self._running: dict[RequestId, tuple[anyio.CancelScope, Channel]] = {}
        self._all_done = asyncio.Event()
        if record.client_params:
            self.connection.client_params = InitializeRequestParams.model_validate_json(record.client_params)
            self.connection.initialized.set()

    @property
    def version(self) -> str:
        """The protocol revision that was negotiated."""
        return self.connection.protocol_version

    @property
    def busy(self) -> bool:
        """Whether something reads from it, or runs in it and does not only wait for the client."""
        read = bool(self.standing) or any(stream.reader for stream in self.answers.values())
        return read or len(self._running) > len(self.questions)

    async def start(self) -> None:
        """Have the SDK make what handles the session's messages."""
        await self.kernel.connect(self, self.connection)

    async def run(
        self,
        on_request: OnRequest,
        on_notify: OnNotify,
        on_notify_intercept: OnNotifyIntercept | None = None,  # noqa: ARG002 - the SDK's signature
        *,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Keep what the SDK handles messages with; they come by POST, so there is nothing here to wait for."""
        self._on_request, self._on_notify = on_request, on_notify
        task_status.started()

    def take_number(self) -> int:
        """Give out the next number: of an event, a stream or a request, so that none is used twice in a session."""
        self.number += 1
        return self.number

    def stream(self, kind: str, number: int) -> Stream:
        """Make a stream of this session."""
        return Stream(self.journal, self.digest, self.version, kind, number)

    def answer_stream(self, number: int) -> Stream:
        """Make a stream that answers a POST, which is known until its final event is delivered."""
        stream = self.answers[number] = self.stream(ANSWER, number)
        stream.on_finished = partial(self._forget, number)
        return stream

    def put(self, stream: Stream, text: str, owed: str | None = None, *, final: bool = False) -> None:
        """Send a message on a stream, unless the session is over."""
        if not self.closed:
            stream.put(EventRecord(self.take_number(), stream.number, text, owed, final))

    async def initialize(self, request: Request, channel: Channel) -> tuple[dict[str, Any], int | None]:
        """Let the server answer ``initialize``, as `Kernel.answer` does; the connection then knows its client."""
        return await self.kernel.settle(request, self._on_request(channel, request.method, request.params))

    async def answer(self, request: Request, channel: Channel) -> dict[str, Any]:
        """Run one request; `cancel` may end it, nothing else but the end of the server does."""
        key = coerce_request_id(request.id)
        scope = anyio.CancelScope()
        self._running[key] = running = (scope, channel)
        try:
            with scope:
                work = self._on_request(channel, request.method, request.params)
                answer, _ = await self.kernel.settle(request, work)
            if scope.cancel_called:
                error = {"code": REQUEST_CANCELLED, "message": "Request cancelled"}
                answer = {"jsonrpc": "2.0", "id": request.id, "error": error}
            return answer
        finally:
            if self._running.get(key) is running:
                del self._running[key]
            if not self._running:
                self._all_done.set()

    async def notified(self, notification: Notification, channel: Channel) -> None:
        """Let the server take notice of what the client says."""
        if notification.method == "notifications/progress":
            await self.questions.hear(notification)
        await self._on_notify(channel, notification.method, notification.params)

    def cancel(self, notification: Notification) -> None:
        """Cancel a request that runs ("Cancellation"); one that is not known, or over, is none."""
        request_id = (notification.params or {}).get("requestId")
        if isinstance(request_id, int | str):
            running = self._running.get(coerce_request_id(request_id))
            if running is not None:
                running[1].cancel_requested.set()
                running[0].cancel()

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        """Send a notification on the standing stream; without one it waits for one."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        self._put_standing(message if params is None else message | {"params": dict(params)})
        await (self.standing[-1] if self.standing else self._backlog).room()

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Ask the client on the standing stream; while nobody reads that, on the stream of the request being served.

        Raises:
            MCPError: The client answered with an error or not in time, or the session is over.
        """
        channel = None if self.standing else asking.get()
        if channel is not None and channel.can_send_request:
            return await channel.send_raw_request(method, params, opts)
        return await self.questions.ask(self._put_standing, method, params, opts)

    def _forget(self, number: int) -> None:
        self.answers.pop(number, None)

    def _put_standing(self, message: dict[str, Any]) -> None:
        self.has_backlog = self.has_backlog or not self.standing
        self.put(self.standing[-1] if self.standing else self._backlog, to_json(message).decode())

    async def adopt_backlog(self, store: SessionStore, stream: Stream) -> None:
        """Put what waits for a standing stream on this one.

        Raises:
            StoreUnavailable: It goes on waiting.
        """
        await self.journal.flush()
        if self.has_backlog:
            await store.adopt_mcp_events(self.digest, stream.number)
            self.has_backlog = False

    def stop(self) -> None:
        """Let clients come back later: end the streams that they know to come back to, and ask them nothing more."""
        for stream in (*self.standing, *self.answers.values()):
            if stream.primed or stream.kind == STANDING:
                stream.close()
        self.questions.close()

    def close(self) -> None:
        """End the session. What runs in it runs on, since it may be half done, but asks and tells nobody."""
        self.closed = True
        for stream in (*self.standing, *self.answers.values()):
            stream.close()
        self.questions.close()
        self.kernel.spawn(self.unwind())

    async def unwind(self) -> None:
        """Run what the server has put off until the connection is over, once nothing runs in it any more."""
        while self._running:
            self._all_done.clear()
            await self._all_done.wait()
        await aclose_shielded(self.connection)
