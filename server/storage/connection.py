"""A connection to the SQLite file, in a thread of its own."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import aiosqlite

_BUSY_SLICE = 0.05
"""Seconds of one attempt at a locked database; between attempts, those who waited too long are let go."""

_COMMON = ("PRAGMA foreign_keys = ON", "PRAGMA cache_size = -4096", "PRAGMA temp_store = MEMORY")
WRITER = (*_COMMON, "PRAGMA synchronous = FULL", "PRAGMA journal_size_limit = 67108864")
READER = (*_COMMON, "PRAGMA query_only = ON")


class HopConnection(aiosqlite.Connection):
    """aiosqlite's connection, with a way to run one callable in its thread and hear nothing back.

    It relies on how aiosqlite 0.22 queues its calls, which a test holds it to.
    """

    def post(self, function: Callable[[], None]) -> None:
        """Queue a callable for the connection's thread; it must not raise."""
        self._tx.put_nowait((None, function))

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection itself, for use in its thread only."""
        return self._conn


async def connect(path: Path, mode: Literal["rw", "ro"], pragmas: tuple[str, ...]) -> HopConnection:
    """Open a connection whose transactions are begun and ended by hand."""

    def connector() -> sqlite3.Connection:
        location = f"{path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(
            location, uri=True, timeout=_BUSY_SLICE, isolation_level=None, cached_statements=256
        )
        for pragma in pragmas:
            connection.execute(pragma)
        return connection

    connection = HopConnection(connector, iter_chunk_size=64)
    await connection
    return connection
