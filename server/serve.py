"""``serve``: listen, answer, and end within ten seconds of being asked to."""

import asyncio
import errno
import gc
import logging
import socket

from aiohttp import web

from server.app import create_app
from server.settings import Settings

KEEPALIVE_TIMEOUT = 30
"""Seconds after which a silent connection is closed, one that never sent a request included."""

SHUTDOWN_TIMEOUT = 10
"""Seconds that requests have to finish after SIGTERM."""

GARBAGE = 10_000
"""New objects after which the garbage collector looks for cycles among them; requests leave few."""

log = logging.getLogger(__name__)


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, and give the exit status.

    Raises:
        OSError: The address cannot be listened on; its text says which and what to do.
    """
    log.info("Serving %s on %s port %d", settings.server_url, settings.host, settings.port)
    app = create_app(settings)
    app.on_startup.append(_settle_memory)
    try:
        web.run_app(
            app,
            host=settings.host,
            port=settings.port,
            loop=_event_loop(),
            print=None,
            access_log=None,
            keepalive_timeout=KEEPALIVE_TIMEOUT,
            shutdown_timeout=SHUTDOWN_TIMEOUT,
            handler_cancellation=True,
        )
    except OSError as error:
        taken = error.errno in {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}
        if not (taken or isinstance(error, socket.gaierror)):
            raise
        where = f"HOST={settings.host} PORT={settings.port}"
        raise OSError(f"{where}: cannot listen there ({error.strerror}); stop what does, or choose another") from None
    log.info("Stopped")
    return 0


async def _settle_memory(_app: web.Application) -> None:
    """Spare the garbage collector what the start made, which stays, and let it look less often at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)


def _event_loop() -> asyncio.AbstractEventLoop:
    """Make an event loop: uvloop's where it installs, asyncio's elsewhere."""
    try:
        import uvloop  # noqa: PLC0415 - optional: there is none for Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
