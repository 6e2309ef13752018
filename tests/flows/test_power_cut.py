"""The power fails: what was only in memory is gone. SIGKILL cannot show this, since the kernel keeps what was written.

The database lies on a file system of its own, in an image on a loop device, which is told to stop at once and to write
nothing more (``EXT4_IOC_SHUTDOWN`` with ``EXT4_GOING_FLAGS_NOLOGFLUSH``). Mounted again, it holds what had been synced.
"""

import asyncio
import random  # noqa: TID251 - seeded, so that a failure can be looked at again
from collections.abc import Iterator, Sequence

import aiohttp
import pytest

from tests.flows.child import SERVE, Child
from tests.flows.disk import Disk, disk_for
from tests.flows.ledger import Ledger

WEAKENED = """
import sqlite3, sys
from server.cli import main

class Weakened(sqlite3.Connection):
    def execute(self, sql, *parameters):
        return super().execute(sql.replace("synchronous = FULL", "synchronous = {level}"), *parameters)

connect = sqlite3.connect
sqlite3.connect = lambda *arguments, **options: connect(*arguments, **options, factory=Weakened)
sys.exit(main(["serve"]))
"""


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Give a disk whose power can fail."""
    with disk_for("cutting the power") as disk:
        yield disk


async def survives(disk: Disk, command: Sequence[str], seed: int) -> Ledger:
    """Work on a server whose power fails, and hold it to its account once it is back.

    Raises:
        AssertionError: Something that was acknowledged is gone.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    child = Child(disk.mounted / "data", command=command)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        ledger = Ledger(child.remote(http))
        try:
            await child.start(http)
            load = [asyncio.create_task(ledger.work(random.Random(chance.random()))) for _ in range(4)]  # noqa: S311
            done, _ = await asyncio.wait(load, timeout=chance.uniform(0.4, 1.2), return_when=asyncio.FIRST_COMPLETED)
            assert not done
            for task in load:
                task.cancel()  # nothing that arrives after the cut was acknowledged before it
            disk.cut()
            await asyncio.gather(*load, return_exceptions=True)
            await child.kill()
            disk.unmount()
            disk.mount()
            await child.start(http)
            await ledger.verify(chance, (0, 0))
            assert ledger.live.sql("PRAGMA integrity_check") == [("ok",)]
        finally:
            await child.kill()
    return ledger


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_was_acknowledged_holds_after_a_power_cut(disk: Disk, seed: int) -> None:
    ledger = await survives(disk, SERVE, seed)
    assert ledger.acknowledged > 8


@pytest.mark.parametrize("level", ["NORMAL", "OFF"])
async def test_a_server_that_syncs_less_is_caught(disk: Disk, level: str) -> None:
    for seed in range(5):  # the power may be cut when by chance nothing waits to be synced
        try:
            await survives(disk, ("-c", WEAKENED.format(level=level)), seed)
        except AssertionError:
            return
    pytest.fail("nothing that was acknowledged was ever lost")
