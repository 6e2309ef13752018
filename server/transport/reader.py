"""One connection that an event stream is read through: what it has not taken yet, within bounds."""

import asyncio
import contextlib
from collections import deque

from aiohttp import web

from server.transport import sse
from server.transport.records import EventRecord

MAX_WAITING = 1_000
"""Events that may wait for a client to read; with one more it is dropped."""
MAX_WAITING_BYTES = 1024 * 1024
"""Bytes of the events that may wait for a client to read, save that one event may be of any size."""
PATIENCE = 10.0
"""Seconds that a tool waits for its own client to read, before that client is dropped."""
STALLED = 30.0
"""Seconds after which a client that takes nothing of what was sent is dropped."""


class Reader:
    """A response that events are written to, by the task of its handler and by no other."""

    def __init__(self, http: web.Request, token_digest: str | None = None) -> None:
        """Be ready to answer a request with an event stream.

        Args:
            http: The request.
            token_digest: The digest of the access token with which the stream is to end, if it is.
        """
        self.token_digest = token_digest
        self.boundary = 0
        """Up to this number events are found in the store, and come by `replay`; those above by `push`."""
        self._http = http
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._ended = False
        self._wake: asyncio.Future[bool] | None = None
        self._space: asyncio.Event | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will be written than what waits."""
        return self._ended

    def push(self, event: EventRecord, frame: bytes) -> None:
        """Let an event follow those that wait; a client that lets too many wait is dropped."""
        if self._ended:
            return
        if event.number <= self.boundary:
            self._ended = event.final
            return
        if frame:
            self._waiting.append(frame)
            self._bytes += len(frame)
        if len(self._waiting) > MAX_WAITING or (len(self._waiting) > 1 and self._bytes > MAX_WAITING_BYTES):
            self.drop()
        elif event.final:
            self.end()
        else:
            self._rouse()

    async def room(self) -> None:
        """Wait until the client has taken what waits, if that is much; one that takes nothing is dropped."""
        if not self._ended and (self._bytes > MAX_WAITING_BYTES // 2 or len(self._waiting) > MAX_WAITING // 2):
            self._space = self._space or asyncio.Event()
            try:
                await asyncio.wait_for(self._space.wait(), PATIENCE)
            except TimeoutError:
                self.drop()

    def end(self) -> None:
        """Write what waits, and then close the response."""
        self._ended = True
        self._make_room()
        self._rouse()

    def drop(self) -> None:
        """Close the connection, whatever waits; the events are in the store."""
        self._waiting.clear()
        self.end()
        if self._http.transport is not None:
            self._http.transport.abort()

    async def open(self) -> web.StreamResponse:
        """Begin the response."""
        response = web.StreamResponse(headers=sse.HEADERS)
        with contextlib.suppress(ConnectionError):
            await response.prepare(self._http)
        return response

    async def write(self, response: web.StreamResponse, frames: bytes) -> None:
        """Write, and drop a client that does not read."""
        if not frames:
            return
        try:
            async with asyncio.timeout(STALLED):
                await response.write(frames)
        except (ConnectionError, TimeoutError):
            self.drop()

    async def run(self, response: web.StreamResponse) -> None:
        """Write events as they come, and comments in between, until the stream ends or the client is gone."""
        while True:
            if self._waiting:
                frames = b"".join(self._waiting)
                self._waiting.clear()
                self._bytes = 0
                self._make_room()
                await self.write(response, frames)
            elif self._ended:
                break
            elif not await self._roused():
                await self.write(response, sse.COMMENT)
        with contextlib.suppress(ConnectionError):
            await response.write_eof()

    def _make_room(self) -> None:
        if self._space is not None:
            self._space.set()
            self._space = None

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(True)

    async def _roused(self) -> bool:
        """Wait for something to do, but not in silence for long."""
        loop = asyncio.get_running_loop()
        wake: asyncio.Future[bool] = loop.create_future()
        self._wake = wake
        timer = loop.call_later(sse.KEEP_ALIVE, _give_up, wake)
        try:
            return await wake
        finally:
            timer.cancel()


def _give_up(wake: "asyncio.Future[bool]") -> None:
    if not wake.done():
        wake.set_result(False)
