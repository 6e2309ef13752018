"""Damage to the file beneath a server that is at work: noticed by the probe, and over once it is mended."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.oauth.store import StoreUnavailable
from server.storage.database import Database
from server.storage.driver import Script, Statement
from tests.storage import make
from tests.storage.conftest import Shell

PAGE = 4096


@contextmanager
def damaged(path: Path, shell: Shell, name: str) -> Iterator[None]:
    """Overwrite the first page of a table or an index, or of the file, and put back in the end what was there."""
    shell("PRAGMA wal_checkpoint(TRUNCATE)")
    roots = {"sqlite_schema": 1, **dict(shell("SELECT name, rootpage FROM sqlite_schema"))}
    start = (roots[name] - 1) * PAGE
    with path.open("rb+", buffering=0) as file:
        kept = os.pread(file.fileno(), PAGE, start)
        os.pwrite(file.fileno(), b"\xff" * PAGE, start)
        yield
        os.pwrite(file.fileno(), kept, start)


def rows(table: str) -> Script[int]:
    """Come upon a table."""
    return len((yield Statement(f"SELECT * FROM {table}")))  # noqa: S608 - a constant


@pytest.mark.parametrize("name", ["grants", "refresh_tokens", "sqlite_autoindex_refresh_tokens_1"])
async def test_the_probe_looks_at_what_every_request_needs(
    database: Database, path: Path, shell: Shell, name: str
) -> None:
    await make.logged_in(database)
    await database.ping_writable()

    with damaged(path, shell, name), pytest.raises(StoreUnavailable, match="malformed"):
        await database.ping_writable()

    await database.ping_writable()


async def test_the_first_page_is_looked_at_too(database: Database, path: Path, shell: Shell) -> None:
    with damaged(path, shell, "sqlite_schema"), pytest.raises(StoreUnavailable, match="not a database"):
        await database.ping_writable()


async def test_what_any_transaction_came_upon_is_remembered_until_it_is_mended(
    database: Database, path: Path, shell: Shell
) -> None:
    with damaged(path, shell, "payments"):
        await database.ping_writable()
        with pytest.raises(StoreUnavailable):
            await database.driver.read(rows("payments"))
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="damaged"):
                await database.ping_writable()

    await database.ping_writable()
    assert await database.driver.read(rows("payments")) == 0


async def test_one_look_at_a_time_is_enough(database: Database, path: Path, shell: Shell) -> None:
    with damaged(path, shell, "payments"), pytest.raises(StoreUnavailable):
        await database.driver.read(rows("payments"))

    outcomes = await asyncio.gather(*(database.driver.check() for _ in range(3)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [type(None), StoreUnavailable, StoreUnavailable]
    await database.driver.check()
