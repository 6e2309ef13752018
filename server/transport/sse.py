"""Writing event streams (WHATWG HTML, "Server-sent events"), opened only once there is something to send."""

import asyncio
import contextlib
from functools import cached_property
from typing import Any

from aiohttp import web
from pydantic_core import to_json

KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment keeps proxies from closing the connection."""

STALLED = 30.0
"""Seconds in which a client has to take what is written to it, before its connection is closed."""

COMMENT = b": keep-alive\n\n"
"""Means nothing, and shows that the connection is in use."""
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


def event(message: dict[str, Any]) -> bytes:
    """Write one JSON-RPC message as an event."""
    return b"event: message\ndata: " + to_json(message, inf_nan_mode="null") + b"\n\n"


class AnswerStream:
    """The event stream that answers one POST, if anything is sent before the final message or that takes long.

    A client that is gone is no error: what is sent to it is dropped. One that has stopped reading is made to go.
    """

    def __init__(self, request: web.Request) -> None:
        """Be ready to answer a request; nothing is sent yet."""
        self.begun = False
        """Whether there is a stream, so that the final message has to go there too."""
        self._request = request
        self._lock = asyncio.Lock()
        self._closed = False
        self._beat: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(KEEP_ALIVE, self._start_beating)

    @cached_property
    def _response(self) -> web.StreamResponse:
        return web.StreamResponse(headers=HEADERS)

    def _start_beating(self) -> None:
        self._beat = asyncio.create_task(self._keep_alive())

    async def _keep_alive(self) -> None:
        while True:
            await self._write(COMMENT)
            await asyncio.sleep(KEEP_ALIVE)

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message ahead of the final one."""
        await self._write(event(message))

    async def finish(self, body: bytes) -> web.StreamResponse:
        """End the stream, which has begun, with the final message, given in JSON."""
        self._stop_beating()
        await self._write(b"event: message\ndata: " + body + b"\n\n")
        self._closed = True
        with contextlib.suppress(ConnectionError):
            await self._response.write_eof()
        return self._response

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        self._stop_beating()

    def _stop_beating(self) -> None:
        self._timer.cancel()
        if self._beat is not None:
            self._beat.cancel()

    async def _write(self, data: bytes) -> None:
        async with self._lock:
            if self._closed:
                return
            try:
                if not self.begun:
                    self.begun = True
                    await self._response.prepare(self._request)
                async with asyncio.timeout(STALLED):
                    await self._response.write(data)
            except ConnectionError:
                self._closed = True
            except TimeoutError:
                self._closed = True
                if self._request.transport is not None:
                    self._request.transport.abort()
