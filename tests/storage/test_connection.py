"""The contract with aiosqlite that one hop a transaction rests on, and how the file is opened."""

import asyncio
import threading
from pathlib import Path
from queue import SimpleQueue

import aiosqlite
import pytest

from server.storage.connection import READER, WRITER, connect
from server.storage.migrate import migrate
from tests.storage.make import NOW


@pytest.fixture
def migrated(path: Path) -> Path:
    migrate(path, NOW)
    return path


async def test_a_posted_callable_runs_in_the_connections_own_thread(migrated: Path) -> None:
    connection = await connect(migrated, "rw", WRITER)
    try:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        seen: list[object] = []

        def look() -> None:
            seen.extend((threading.current_thread(), connection.raw.execute("SELECT 1").fetchone()))
            loop.call_soon_threadsafe(done.set)

        connection.post(look)
        await asyncio.wait_for(done.wait(), 5)
        assert seen == [connection._thread, (1,)]  # noqa: SLF001 - the contract is with what is private
        assert seen[0] is not threading.current_thread()
    finally:
        await connection.close()


async def test_aiosqlite_still_queues_a_future_and_a_callable(migrated: Path) -> None:
    assert aiosqlite.__version__.startswith("0.22."), "read server/storage/connection.py against the new version"
    connection = await connect(migrated, "rw", WRITER)
    queue = connection._tx  # noqa: SLF001 - the contract is with what is private
    await connection.close()

    assert isinstance(queue, SimpleQueue)
    connection.post(print)
    assert queue.get_nowait() == (None, print)


async def test_the_writer_waits_for_the_disk_and_the_reader_cannot_write(migrated: Path) -> None:
    writer, reader = await connect(migrated, "rw", WRITER), await connect(migrated, "ro", READER)
    try:
        pragmas = ("synchronous", "journal_mode", "auto_vacuum", "foreign_keys")
        values = [await writer.execute_fetchall(f"PRAGMA {pragma}") for pragma in pragmas]
        assert values == [[(2,)], [("wal",)], [(2,)], [(1,)]]
        with pytest.raises(aiosqlite.OperationalError, match="readonly"):
            await reader.execute("DELETE FROM clients")
    finally:
        await reader.close()
        await writer.close()
