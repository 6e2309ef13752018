"""The answer to a POST in a session: JSON if it is there soon, else an event stream that outlives the connection."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from aiohttp import web
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import is_version_at_least
from pydantic_core import to_json

from server.transport import sse
from server.transport.channel import Channel
from server.transport.kernel import encode
from server.transport.message import Request
from server.transport.reader import Reader
from server.transport.records import EventRecord
from server.transport.refusals import json_response
from server.transport.session import Session, asking
from server.transport.streams import STOPPED, Stream, failed

SOON = 0.25
"""Seconds after which an answer becomes a stream, so that its client has something to come back with."""


class Answer:
    """The answer to the requests of one POST."""

    def __init__(self, session: Session, http: web.Request, owed: Any, *, events: bool) -> None:
        """Begin to wait for an answer.

        Args:
            session: In which it is made.
            http: The POST.
            owed: The id of its request, or a list of the ids of a batch.
            events: Whether the client takes an event stream.
        """
        self.session = session
        self.http = http
        self.events = events
        self.stream: Stream | None = None
        self._owed = to_json(owed).decode()
        self._reader: Reader | None = None
        self._body: bytes | None = None
        self._over = False
        loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = loop.create_future()
        self.primed = is_version_at_least(session.version, "2025-11-25")
        """Whether its client knows to come back for the rest of a stream that was closed."""
        self._timer = loop.call_later(SOON if self.primed else sse.KEEP_ALIVE, self.open) if events else None

    @property
    def reachable(self) -> bool:
        """Whether a message ahead of the answer can reach the client, now or when it comes back."""
        return self.events and not self._over and (self.stream is not None or not self._ready.done())

    def open(self) -> None:
        """Make the answer a stream, if it still can be: there is no answer yet, and a client to be told."""
        if self.stream is not None or not self.reachable or self.session.closed:
            return
        self._reader = Reader(self.http)
        self.stream = self.session.answer_stream(self.session.take_number())
        self.stream.attach(self._reader, 0)
        self.stream.put(EventRecord(self.stream.number, self.stream.number, None, self._owed))
        self._ready.set_result(None)

    def put(self, message: dict[str, Any]) -> None:
        """Send a message ahead of the answer; it is dropped where there is no stream to send it on."""
        self.open()
        if self.stream is not None and not self._over:
            self.session.put(self.stream, to_json(message, inf_nan_mode="null").decode(), self._owed)

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message ahead of the answer, no faster than it can be kept, and a client that reads can read."""
        self.put(message)
        if self.stream is not None:
            await self.stream.room()
            if self.stream.reader is not None:
                await self.stream.reader.room()

    async def close_stream(self) -> None:
        """Let the client go and come back for the rest (MCP Transports 2025-11-25, "Sending Messages")."""
        self.open()
        if self.stream is not None:
            self.stream.close()

    async def make(self, work: Awaitable[Any]) -> None:
        """Give as the answer what some work makes, or that there is none, whatever happens."""
        try:
            self._finish(encode(await work))
        except BaseException:
            self._finish(failed(self._owed, STOPPED).encode())
            raise

    async def run_all(self, requests: Sequence[Request], failures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Run the requests of a batch; their answers come after those to what is no message."""
        return [*failures, *await asyncio.gather(*map(self.run, requests))]

    async def run(self, request: Request) -> dict[str, Any]:
        """Run a request; its answer comes by `make`."""
        channel = AnswerChannel(self, request)
        asking.set(channel)
        try:
            return await self.session.answer(request, channel)
        finally:
            channel.closed = True

    def _finish(self, body: bytes) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self.stream is not None:
            self.session.put(self.stream, body.decode(), self._owed, final=True)
        elif not self._ready.done():
            self._body = body
            self._ready.set_result(None)

    async def respond(self) -> web.StreamResponse:
        """Answer the POST; a client that hangs up changes nothing for what it asked."""
        await self._ready
        if self._reader is None or self.stream is None:
            return json_response(self._body or b"")
        try:
            response = await self._reader.open()
            await self._reader.run(response)
        finally:
            self.stream.detach(self._reader)
        return response


class AnswerChannel(Channel):
    """What a handler of the SDK sees of one request in a session: it can ask its client."""

    def __init__(self, answer: Answer, request: Request) -> None:
        """Serve one request of one POST."""
        super().__init__(answer.http, request, answer, _metadata(answer))
        self.closed = False
        self._answer = answer

    @property
    def can_send_request(self) -> bool:
        """Whether the client can be asked: it takes events or may come back for them, and the request is not over."""
        return self._answer.reachable and not self.closed

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Ask the client on the stream of this request.

        Raises:
            NoBackChannelError: The client takes no events, or the request is over.
            MCPError: The client answered with an error or not in time, or the session is over.
        """
        if not self.can_send_request:
            raise NoBackChannelError(method)
        return await self._answer.session.questions.ask(self._answer.put, method, params, opts)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Send a notification ahead of the answer; after it there is nowhere to send one."""
        if not self.closed:
            await super().notify(method, params, opts)


def _metadata(answer: Answer) -> ServerMessageMetadata:
    """Let a tool close the streams of a client that knows to come back."""
    if not (answer.events and answer.primed):
        return ServerMessageMetadata(request_context=answer.http, can_send_request=answer.events)

    async def close_standing() -> None:
        for stream in answer.session.standing:
            stream.close()

    return ServerMessageMetadata(
        request_context=answer.http,
        close_sse_stream=answer.close_stream,
        close_standalone_sse_stream=close_standing,
        can_send_request=True,
    )
