"""A real database for the catalogue's editions."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.storage.database import Database, open_database

NOW = 1_800_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Database]:
    async with open_database(path, NOW) as opened:
        yield opened
