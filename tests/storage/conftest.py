"""A real database in a fresh folder, and the sqlite3 shell's view of it."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.storage.database import Database, open_database
from tests.storage.make import NOW

Shell = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "server.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    async with open_database(path, NOW) as opened:
        yield opened


@pytest.fixture
def shell(path: Path) -> Shell:
    """Give a function that runs one statement as an operator would, on a connection of its own."""

    def run(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute(statement, parameters).fetchall()
            connection.commit()
            return found

    return run
