"""A context with a real database, for deciding without HTTP."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.oauth.context import Context
from server.settings import load_settings
from server.storage.database import open_database
from tests.support import START


@pytest.fixture
async def ctx(tmp_path: Path, nothing_set: None) -> AsyncIterator[Context]:  # noqa: ARG001 - for its effect
    """Give a context whose settings are the defaults, at the test clock's start."""
    async with open_database(tmp_path / "server.db", START) as store:
        yield Context(store, load_settings(), os.urandom, START)
