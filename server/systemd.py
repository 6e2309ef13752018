"""What systemd hands to a service and wants to hear from it: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3)."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

_FIRST_DESCRIPTOR = 3
_STARTING_PAUSE = 10.0
"""Seconds between two requests for more time to start in."""

log = logging.getLogger(__name__)


class SocketError(Exception):
    """What was handed over cannot be served on; the message is one line."""


class Passed(NamedTuple):
    """A listening socket that was handed over, and its ``FileDescriptorName``."""

    name: str
    socket: socket.socket


def passed_sockets(environment: MutableMapping[str, str]) -> tuple[Passed, ...]:
    """Take the sockets that were handed to this very process, and forget that there were any.

    Args:
        environment: The process's own; ``LISTEN_PID``, ``LISTEN_FDS`` and ``LISTEN_FDNAMES`` are taken out of it.

    Raises:
        SocketError: One of them is no listening stream socket.
    """
    pid, count, names = (environment.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"))
    if pid != str(os.getpid()) or not count.isdecimal():
        return ()
    named = (names.split(":") if names else []) + ["unknown"] * int(count)
    return tuple(_take(name, number) for number, name in enumerate(named[: int(count)], _FIRST_DESCRIPTOR))


def _take(name: str, descriptor: int) -> Passed:
    try:
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the function's own form
        taken = socket.socket(fileno=descriptor)
        fits = taken.type == socket.SOCK_STREAM and taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise SocketError(f"descriptor {descriptor} ({name}) is no socket: {error.strerror}") from None
    if not fits:
        raise SocketError(f"descriptor {descriptor} ({name}) does not listen; the unit takes ListenStream=")
    return Passed(name, taken)


class Manager:
    """The service manager, as far as it listens; without ``NOTIFY_SOCKET`` nothing is sent to anybody."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read where it listens, and how often it wants to hear from this process."""
        path = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        wanted, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", str(os.getpid()))
        counts = wanted.isdecimal() and pid == str(os.getpid())
        self.pause = int(wanted) / 2_000_000 if counts else None
        """Seconds between signs of life: half of what is allowed. ``None`` if none are wanted."""

    def send(self, *lines: str) -> None:
        """Tell it something; that it does not listen is logged and no more."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)  # noqa: FBT003 - the method's own form
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.warning("The service manager could not be told %s: %s", lines[0], error)

    def reloading(self) -> None:
        """Announce that settings are being read anew; `ready` ends it."""
        self.send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def ready(self, status: str) -> None:
        """Announce that requests are served."""
        self.send("READY=1", f"STATUS={status}")

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[None]:
        """Ask for more time, again and again, while the block is at work: a large database takes long to migrate."""
        async with _beating(self, "EXTEND_TIMEOUT_USEC=30000000", _STARTING_PAUSE):
            yield

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Give signs of life from the event loop during the block, so that a loop that is stuck gives none."""
        async with _beating(self, "WATCHDOG=1", self.pause):
            yield


@asynccontextmanager
async def _beating(manager: Manager, line: str, pause: float | None) -> AsyncIterator[None]:
    async def beat() -> None:
        while pause is not None:
            manager.send(line)
            await asyncio.sleep(pause)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
