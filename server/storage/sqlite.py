"""The driver for SQLite, on aiosqlite: a connection that writes, one that reads, and one for long reads.

Each is a thread, and the hop to it costs more than most statements. So concurrent transactions
share one hop, and those that write share one commit as well, each in a savepoint of its own.
"""

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from server.oauth.store import StoreUnavailable
from server.storage.connection import READER, WRITER, HopConnection, connect
from server.storage.damage import Damage, glance
from server.storage.driver import Script, Statement, T
from server.storage.lane import Job, Lane

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that a request waits for the database in all."""

_RECLAIMED_PAGES = 64
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


def _code(error: BaseException) -> int:
    """Give the primary result code of SQLite's, or -1 for an error that is none of its."""
    return getattr(error, "sqlite_errorcode", -1) & 0xFF if isinstance(error, sqlite3.Error) else -1


def _is_unavailable(error: BaseException) -> bool:
    """Tell whether the fault is the database's or its file's, and not that of one transaction."""
    return isinstance(error, (StoreUnavailable, OSError)) or _code(error) in _UNAVAILABLE


class _Kind(NamedTuple):
    """What sets reading and writing transactions apart."""

    begin: tuple[str, ...]
    """What begins it, and is the last point at which it can be locked out."""
    permission: int
    """The bits of the file's mode of which one must be set, even where root could do without."""


_WRITING = _Kind(("BEGIN IMMEDIATE",), 0o222)
_READING = _Kind(("BEGIN", "SELECT 1 FROM sqlite_master LIMIT 1"), 0o444)


class Sqlite:
    """Runs transactions on one SQLite file."""

    def __init__(
        self, path: Path, writer: HopConnection, reader: HopConnection, scanner: HopConnection, patience: float
    ) -> None:
        """Take over three open connections to the file; see `open_sqlite`."""
        self._path = path
        self._name = os.fspath(path)
        status = path.stat()
        self._identity = (status.st_dev, status.st_ino)
        self._damage = Damage()
        self._writer = writer
        self._readers = (reader, scanner)
        self._writes = Lane(writer.post, self._run_writes, patience)
        self._reads = Lane(reader.post, partial(self._run_reads, reader), patience)
        self._scans = Lane(scanner.post, partial(self._run_reads, scanner), patience)

    async def read(self, script: Script[T]) -> T:
        """Run a transaction that only reads, together with the others that wait."""
        result: T = await self._reads.submit(script)
        return result

    async def scan(self, script: Script[T]) -> T:
        """Run a long transaction that only reads, which no other read waits for."""
        result: T = await self._scans.submit(script)
        return result

    async def write(self, script: Script[T]) -> T:
        """Run a transaction, together with the others that wait; its result comes after the commit."""
        result: T = await self._writes.submit(script)
        return result

    async def reclaim(self) -> bool:
        """Give a few free pages back to the file system; ``True`` while there are more."""
        return await self.write(_reclaim())

    async def check(self) -> None:
        """Make sure that what a glance takes in is not damaged, and nothing that was found to be."""
        await self._damage.require_none(self.scan)
        await self.read(glance())

    async def close(self) -> None:
        """Finish what was taken, bring the write-ahead log home, and close the file."""
        for lane in (self._scans, self._reads, self._writes):
            await lane.close()
        for reader in self._readers:
            await reader.close()
        try:
            await self._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            log.warning("%s: the write-ahead log stays until the next start: %s", self._path, error)
        await self._writer.close()

    def _run_writes(self, jobs: list[Job]) -> bool:
        """Run jobs in one transaction; this is the writer's thread."""
        run = _in_savepoint if len(jobs) > 1 else _alone
        return self._run(self._writer.raw, _WRITING, jobs, run)

    def _run_reads(self, reader: HopConnection, jobs: list[Job]) -> bool:
        """Run jobs on one snapshot of the database; this is the reader's thread."""
        return self._run(reader.raw, _READING, jobs, _guarded)

    def _run(
        self, connection: sqlite3.Connection, kind: _Kind, jobs: list[Job], run: Callable[[sqlite3.Cursor, Job], None]
    ) -> bool:
        cursor = connection.cursor()
        try:
            self._check_file(kind.permission)
            for statement in kind.begin:
                cursor.execute(statement).fetchall()
        except (sqlite3.Error, OSError, StoreUnavailable) as error:
            _roll_back(connection)
            if _code(error) in _LOCKED:
                return False
            self._fail(jobs, error)
            return True
        try:
            for job in jobs:
                if not job.future.done():
                    run(cursor, job)
            cursor.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - the callers must hear of whatever it is
            _roll_back(connection)
            self._fail(jobs, error)
        return True

    def _check_file(self, permission: int) -> None:
        """Make sure that the open file is still the one at its path, and that its mode allows the use.

        SQLite would go on with a deleted file, and what it wrote would be gone with the process.
        """
        status = os.stat(self._name)  # noqa: PTH116 - a path object's own takes three times as long, at every hop
        if (status.st_dev, status.st_ino) != self._identity:
            raise StoreUnavailable("the file was replaced while the server was running; restart it")
        if not status.st_mode & permission:
            raise StoreUnavailable(f"the file's mode {status.st_mode & 0o777:o} forbids it")

    def _fail(self, jobs: list[Job], error: BaseException) -> None:
        """Leave an error with every job of a transaction that came to nothing."""
        self._damage.note(error)
        if _is_unavailable(error):
            log.error("%s: %s (%s)", self._path, error, getattr(error, "sqlite_errorname", type(error).__name__))
            for job in jobs:
                job.error = StoreUnavailable(f"the database cannot be used: {error}")
                job.error.__cause__ = error
        else:
            for job in jobs:
                job.error = error


def _perform(cursor: sqlite3.Cursor, script: Script[T]) -> T:
    """Run a script's statements to its end and give its result."""
    try:
        statement = next(script)
        while True:
            statement = script.send(cursor.execute(statement.sql, statement.parameters).fetchall())
    except StopIteration as stop:
        result: T = stop.value
        return result


def _alone(cursor: sqlite3.Cursor, job: Job) -> None:
    """Run the only job of a transaction: when it fails, so does the transaction."""
    job.result = _perform(cursor, job.script)


def _guarded(cursor: sqlite3.Cursor, job: Job) -> None:
    """Run a job whose failure concerns no other, unless it is the database that failed."""
    try:
        job.result = _perform(cursor, job.script)
    except BaseException as error:
        if _is_unavailable(error) or not cursor.connection.in_transaction:
            raise
        job.error = error


def _in_savepoint(cursor: sqlite3.Cursor, job: Job) -> None:
    """Run one job of several so that its failure undoes what it did, and no more."""
    cursor.execute("SAVEPOINT job")
    _guarded(cursor, job)
    if job.error is not None:
        cursor.execute("ROLLBACK TO job")
    cursor.execute("RELEASE job")


def _roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction that may be open; SQLite ends one by itself after some errors."""
    try:
        connection.rollback()
    except sqlite3.Error as error:
        log.warning("rolling back failed: %s", error)


def _reclaim() -> Script[bool]:
    yield Statement(f"PRAGMA incremental_vacuum({_RECLAIMED_PAGES})")
    rows = yield Statement("PRAGMA freelist_count")
    return bool(rows[0][0])


async def open_sqlite(path: Path, patience: float = PATIENCE) -> Sqlite:
    """Open a file that has been migrated; the caller closes it.

    Args:
        path: The file.
        patience: Seconds that a transaction may wait until it begins.

    Raises:
        sqlite3.Error: The file cannot be opened.
    """
    async with AsyncExitStack() as stack:
        writer = await connect(path, "rw", WRITER)
        stack.push_async_callback(writer.close)
        reader = await connect(path, "ro", READER)
        stack.push_async_callback(reader.close)
        scanner = await connect(path, "ro", READER)
        stack.pop_all()
    return Sqlite(path, writer, reader, scanner, patience)
