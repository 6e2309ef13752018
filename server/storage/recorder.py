"""Keeps the events that come without a write: through a bounded queue, in batches, slowly enough for a flood."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice

from server.clock import Clock
from server.oauth.audit import Event, Kind
from server.oauth.store import StoreUnavailable

MOST = 1_000
"""Events that may wait; what comes on top is dropped and counted."""

BATCH = 50
"""Events of one transaction."""

PAUSE = 2.0
"""Seconds between transactions, so that a flood of refusals can fill neither the disk nor the writer's time."""

log = logging.getLogger(__name__)


class Recorder:
    """A queue of events and the task that empties it."""

    def __init__(self, write: Callable[[Sequence[Event]], Awaitable[None]], clock: Clock, pause: float = PAUSE) -> None:
        """Make an empty queue.

        Args:
            write: Keeps events; raises `StoreUnavailable` when it cannot.
            clock: Gives the time at which dropped events are counted.
            pause: Seconds between writes.
        """
        self._write = write
        self._clock = clock
        self._pause = pause
        self._queue: deque[Event] = deque()
        self._uncounted = 0
        self._offered = asyncio.Event()
        self._closing = asyncio.Event()
        self.dropped = 0
        """Events that were dropped since the start."""

    def offer(self, event: Event | None) -> None:
        """Queue an event, or drop it when the queue is full; ``None`` is an audit log that is turned off."""
        if event is None:
            return
        if len(self._queue) >= MOST:
            self.dropped += 1
            self._uncounted += 1
            return
        self._queue.append(event)
        self._offered.set()

    async def run(self) -> None:
        """Keep what is offered, until `close` is called; then what still waits is kept at once."""
        while not self._closing.is_set():
            await self._offered.wait()
            self._offered.clear()
            await self._keep_some()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._pause)
        while self._queue and await self._keep_some():
            pass
        if self._queue:
            log.error("%d audit events could not be kept", len(self._queue))

    def close(self) -> None:
        """Let `run` come to its end."""
        self._closing.set()
        self._offered.set()

    async def _keep_some(self) -> bool:
        """Keep a batch and the count of what was dropped; ``False`` when that failed, and both are still there."""
        batch, count = list(islice(self._queue, BATCH)), self._uncounted
        counted = [Event(self._clock(), Kind.EVENTS_DROPPED, detail=f"{count} events")] if count else []
        if not batch:
            return True
        try:
            await self._write([*batch, *counted])
        except StoreUnavailable as error:
            log.warning("Audit events have to wait: %s", error)
            self._offered.set()
            return False
        except Exception:
            log.exception("%d audit events could not be kept", len(batch))
            self.dropped += len(batch)
        if count:
            log.warning("Audit events were dropped: %d", count)
        for _ in batch:
            self._queue.popleft()
        self._uncounted -= count
        if self._queue:
            self._offered.set()
        return True
