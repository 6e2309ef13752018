"""Removes what is over, in batches so small that no request waits on them.

Each batch is one short transaction in the ordinary queue: a purge that is killed has lost nothing,
and the next one goes on.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from server.clock import Clock
from server.meter import Meter
from server.oauth.store import StoreUnavailable
from server.storage import mcp_sessions
from server.storage.driver import Driver, Script, Statement, T
from server.storage.retention import SWEEPS, times
from server.storage.sweep import Sweep
from server.transport.records import IDLE, LOST

log = logging.getLogger(__name__)

BATCH = 100
"""Rows that one transaction removes at most: each may touch several pages of its own."""

JUMP = 60
"""Seconds by which the clock may run ahead of the time that passes, or behind it, from one purge to the next."""

CALM = 3_600
"""Seconds for which nothing is removed after it did."""

_STEP = 1_000
"""Rows that one transaction walks over at most."""


async def purge(driver: Driver, now: int, audit_days: int = 0) -> dict[str, int]:
    """Remove all that is over, give the space back, and say how many rows went from each table.

    Args:
        driver: The database.
        now: Unix seconds.
        audit_days: For how many days audit events are kept; 0 leaves them alone.

    Raises:
        StoreUnavailable: The database cannot be written; what was removed until then stays removed.
    """
    removed: dict[str, int] = {}
    points = times(now, audit_days) | await _times_of_sessions(driver, now)
    for sweep in SWEEPS:
        removed[sweep.table] = removed.get(sweep.table, 0) + await _sweep(driver, sweep, points)
    while await _paced(driver.reclaim()):
        pass
    return removed


def in_words(removed: dict[str, int]) -> str:
    """Say what was removed, in words; nothing when nothing was."""
    return ", ".join(f"{count} {table}" for table, count in removed.items() if count)


async def _paced(work: Coroutine[Any, Any, T]) -> T:
    """Do a piece of work, and then leave the database to the requests for as long as it took."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    result = await work
    await asyncio.sleep(loop.time() - started)
    return result


async def _times_of_sessions(driver: Driver, now: int) -> dict[str, int]:
    return {"session_lost": now - LOST, "events_until": max(now - IDLE, await driver.scan(mcp_sessions.too_old()))}


async def _sweep(driver: Driver, sweep: Sweep, points: dict[str, int]) -> int:
    total, after = 0, ""
    while True:
        removed, until = await _paced(driver.write(_batch(sweep, after, points)))
        total += removed
        if removed < BATCH:
            if until is None:
                return total
            after = until


def _batch(sweep: Sweep, after: str, points: dict[str, int]) -> Script[tuple[int, str | None]]:
    """Remove one batch; gives how many rows it had, and how far the walk has come, if it goes on."""
    until = None
    if sweep.boundary is not None:
        until = (yield Statement(sweep.boundary, {"after": after, "step": _STEP}))[0][0]
        if until is None:
            return 0, None
    values = {"after": after, "until": until, "batch": BATCH, **points}
    return len((yield Statement(sweep.delete, values))), until


async def run_purge(
    driver: Driver, clock: Clock, interval: float, audit_days: int = 0, meter: Meter | None = None
) -> None:
    """Purge now and then, for ever: whatever goes wrong is logged and tried again next time.

    After the clock has jumped nothing is removed for an hour: it may jump back, and what was removed would be missing.

    Args:
        driver: The database.
        clock: Gives the time of each purge.
        interval: Seconds between purges.
        audit_days: For how many days audit events are kept; 0 leaves them alone.
        meter: Counts what is removed, if anybody wants to know.
    """
    meter = meter or Meter()
    steadiness = Steadiness(clock)
    while True:
        if steadiness.lasts():
            await _purge_once(driver, clock(), audit_days, meter)
        await asyncio.sleep(interval)


async def _purge_once(driver: Driver, now: int, audit_days: int, meter: Meter) -> None:
    try:
        removed = await purge(driver, now, audit_days)
    except StoreUnavailable as error:
        meter.purge_failed()
        log.warning("The purge was put off: %s", error)
    except Exception:
        meter.purge_failed()
        log.exception("The purge failed")
    else:
        meter.purge_done(removed, now)
        if any(removed.values()):
            log.info("Purged %s", in_words(removed))


class Steadiness:
    """Compares the clock with the time that passes: somebody may set it, or a machine wakes from a long sleep."""

    def __init__(self, clock: Clock, calm: float = CALM) -> None:
        """Believe the clock as it is now, on the running loop, and after a jump so many seconds later."""
        self._clock = clock
        self._calm = calm
        self._loop = asyncio.get_running_loop()
        self._offset = clock() - self._loop.time()
        self._trusted_from = self._loop.time()

    def lasts(self) -> bool:
        """Tell whether the clock has not jumped for that long, or since the beginning."""
        jump = self._clock() - self._loop.time() - self._offset
        self._offset += jump
        if abs(jump) > JUMP:
            log.warning("The clock jumped by %d s: nothing is purged for the next %d s", jump, self._calm)
            self._trusted_from = self._loop.time() + self._calm
        return self._loop.time() >= self._trusted_from
