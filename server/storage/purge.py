"""Removes what is over, in batches so small that no request waits on them.

Each batch is one short transaction in the ordinary queue: a purge that is killed has lost nothing,
and the next one goes on.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from server.clock import Clock
from server.oauth.store import StoreUnavailable
from server.storage.driver import Driver, Script, Statement, T
from server.storage.retention import SWEEPS, times
from server.storage.retention_upstream import UPSTREAM_SWEEPS
from server.storage.sweep import Sweep

log = logging.getLogger(__name__)

BATCH = 100
"""Rows that one transaction removes at most: each may touch several pages of its own."""

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
    for sweep in (*SWEEPS, *UPSTREAM_SWEEPS):
        removed[sweep.table] = removed.get(sweep.table, 0) + await _sweep(driver, sweep, times(now, audit_days))
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


async def run_purge(driver: Driver, clock: Clock, interval: float, audit_days: int = 0) -> None:
    """Purge now and then, for ever: whatever goes wrong is logged and tried again next time.

    Args:
        driver: The database.
        clock: Gives the time of each purge.
        interval: Seconds between purges.
        audit_days: For how many days audit events are kept; 0 leaves them alone.
    """
    while True:
        try:
            removed = await purge(driver, clock(), audit_days)
        except StoreUnavailable as error:
            log.warning("The purge was put off: %s", error)
        except Exception:
            log.exception("The purge failed")
        else:
            if any(removed.values()):
                log.info("Purged %s", in_words(removed))
        await asyncio.sleep(interval)
