"""``serve``: listen, answer, and end within ten seconds of being asked to."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket

from aiohttp import web

from server.app import create_app
from server.runner import Runner
from server.settings import Settings

log = logging.getLogger(__name__)


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, and give the exit status.

    Raises:
        OSError: The address cannot be listened on; its text says which and what to do.
    """
    log.info("Serving %s on %s port %d", settings.server_url, settings.host, settings.port)
    with asyncio.Runner(loop_factory=_event_loop) as loop:
        try:
            loop.run(_serve(settings))
        except OSError as error:
            taken = error.errno in {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}
            if not (taken or isinstance(error, socket.gaierror)):
                raise
            where = f"HOST={settings.host} PORT={settings.port}"
            problem = f"{where}: cannot listen there ({error.strerror}); stop what does, or choose another"
            raise OSError(problem) from None
    log.info("Stopped")
    return 0


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: an interrupt ends the loop by itself
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = Runner(create_app(settings))
    try:
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port).start()
        await stop.wait()
    finally:
        await runner.cleanup()


def _event_loop() -> asyncio.AbstractEventLoop:
    """Make an event loop: uvloop's where it installs, asyncio's elsewhere."""
    try:
        import uvloop  # noqa: PLC0415 - optional: there is none for Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
