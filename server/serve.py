"""``serve``: listen, answer, and end within ten seconds of being asked to."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence

from aiohttp import web

from server import logs
from server.app import create_app
from server.runner import Runner
from server.settings import Settings, SettingsError, load_settings
from server.systemd import Manager, Passed, passed_sockets

log = logging.getLogger(__name__)

OPEN_FILES = 65_536
"""File descriptors that the process takes for itself if it may."""


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, and give the exit status; SIGHUP reads the log level anew.

    Raises:
        OSError: The address cannot be listened on; its text says which and what to do.
        SocketError: A socket was handed over that cannot be served on.
    """
    _allow_open_files()
    passed = passed_sockets(os.environ)
    with asyncio.Runner(loop_factory=_event_loop) as loop:
        try:
            loop.run(_serve(settings, passed, Manager(os.environ)))
        except OSError as error:
            taken = error.errno in {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}
            if not (taken or isinstance(error, socket.gaierror)):
                raise
            where = f"HOST={settings.host} PORT={settings.port}"
            problem = f"{where}: cannot listen there ({error.strerror}); stop what does, or choose another"
            raise OSError(problem) from None
    log.info("Stopped")
    return 0


async def _serve(settings: Settings, passed: Sequence[Passed], manager: Manager) -> None:
    stop = asyncio.Event()
    status = f"Serving {settings.server_url}"
    for name, handle in (
        ("SIGTERM", stop.set),
        ("SIGINT", stop.set),
        ("SIGHUP", lambda: reload(manager, status)),
    ):
        _on_signal(name, handle)
    runner = Runner(create_app(settings))
    async with manager.watched():
        try:
            async with manager.starting():
                await runner.setup()
            for site in _sites(runner, settings, passed):
                await site.start()
            log.info("%s on %s", status, _where(settings, passed))
            manager.ready(status)
            await stop.wait()
            manager.send("STOPPING=1")
            await runner.drain()
        finally:
            await runner.cleanup()


def _on_signal(name: str, handle: Callable[[], object]) -> None:
    """Handle a signal, where there is such a one: on Windows an interrupt ends the loop by itself."""
    with contextlib.suppress(NotImplementedError, AttributeError):
        asyncio.get_running_loop().add_signal_handler(getattr(signal, name), handle)


def _sites(runner: Runner, settings: Settings, passed: Sequence[Passed]) -> list[web.BaseSite]:
    """Give what to listen on: the sockets that were handed over, or else an address of the settings."""
    if not passed:
        return [web.TCPSite(runner, settings.host, settings.port)]
    return [web.SockSite(runner, one.socket) for one in passed]


def _where(settings: Settings, passed: Sequence[Passed]) -> str:
    handed_over = ", ".join(f"the socket {one.name} that was handed over" for one in passed)
    return handed_over or f"{settings.host} port {settings.port}"


def reload(manager: Manager, status: str) -> None:
    """Read the log level anew, from ``.env``: the environment of a process does not change.

    Args:
        manager: Is told when it begins and ends.
        status: What to tell of the service afterwards.
    """
    manager.reloading()
    try:
        level = load_settings().log_level
    except SettingsError as error:
        log.error("The log level stays: %s", error)  # noqa: TRY400 - the message is all there is to say
    else:
        logs.set_level(level)
        log.warning("The log level is %s", level)
    manager.ready(status)


def _allow_open_files() -> None:
    """Allow more file descriptors than the 1,024 with which many systems begin: each open stream needs one."""
    try:
        import resource  # noqa: PLC0415 - there is none for Windows
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # macOS has another limit behind this one
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _event_loop() -> asyncio.AbstractEventLoop:
    """Make an event loop: uvloop's where it installs, asyncio's elsewhere."""
    try:
        import uvloop  # noqa: PLC0415 - optional: there is none for Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
