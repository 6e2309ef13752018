"""aiohttp's runner as this server uses it, tests included; what is not even HTTP gets an answer of ours."""

import asyncio
import logging
from http import HTTPStatus

from aiohttp import web

from server.handlers.access import SECURITY, SERVER

KEEPALIVE_TIMEOUT = 30
"""Seconds after which a silent connection is closed, one that never sent a request included."""

SHUTDOWN_TIMEOUT = 10
"""Seconds that requests have to finish in once the server stops."""

STALLED = 30.0
"""Seconds in which a client has to take a large answer, before its connection is closed."""

LINGER = 0.5
"""Seconds that connections which are open at a stop have to send a request in, and be told that it is their last."""

_GLANCE = 0.02
_LARGE = 64 * 1024
"""Bytes of an answer that wait for nobody: aiohttp hands them to the system, whether the client reads or not."""

log = logging.getLogger(__name__)


class Runner(web.AppRunner):
    """Runs an application; a client that hangs up cancels its handler, and bodies are taken as they come."""

    __slots__ = ()

    def __init__(self, app: web.Application) -> None:
        """Be ready to run an application."""
        super().__init__(
            app,
            access_log=None,
            auto_decompress=False,
            handler_cancellation=True,
            keepalive_timeout=KEEPALIVE_TIMEOUT,
            # aiohttp waits for as long twice: for the answer, and then, with bodies that did not come given up, again
            shutdown_timeout=SHUTDOWN_TIMEOUT / 2,
        )

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server  # aiohttp takes no protocol of ours; a test sees that this one is at work
        return server

    async def drain(self) -> None:
        """Listen no more, and serve what is on its way; aiohttp by itself drops whoever has not sent a request yet.

        Whoever connects from now on waits at a socket that the service manager holds, or is refused.
        """
        for site in list(self.sites):
            await site.stop()
        server, loop = self.server, asyncio.get_running_loop()
        if not isinstance(server, _Server):
            return
        server.draining = True
        until = loop.time() + LINGER
        while server.connections and loop.time() < until:  # noqa: ASYNC110 - aiohttp tells nobody of the last one
            await asyncio.sleep(_GLANCE)


class _Server(web.Server):
    draining = False

    def __call__(self) -> web.RequestHandler:
        handler = _RequestHandler(self, loop=self._loop, **self._kwargs)
        handler.server = self
        return handler


class _RequestHandler(web.RequestHandler):
    server: _Server

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer, and drop a client that does not take it; the last one before a stop says that it is."""
        if self.server.draining:
            resp.force_close()
        if (resp.content_length or 0) <= _LARGE or request.transport is None:
            return await super().finish_response(request, resp, start_time)
        drop = asyncio.get_running_loop().call_later(STALLED, request.transport.abort)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            drop.cancel()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never reached the application, without repeating it; its text may hold a secret."""
        del message
        if isinstance(exc, UnicodeError) and "Expect" in request.headers:
            status = HTTPStatus.EXPECTATION_FAILED
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            log.info("Malformed request refused: %s", type(exc).__name__)
            content = {"error": "invalid_request", "error_description": "this is not HTTP as it should be"}
        else:
            log.error("A request failed outside the application", exc_info=exc)
            content = {"error": "server_error", "error_description": "the server failed"}
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun already")
        response = web.json_response(content, status=status, headers={**SECURITY, "Server": SERVER})
        response.force_close()
        return response
