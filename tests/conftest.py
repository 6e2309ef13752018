"""What holds for every test, and a live server for those that want one."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from server.settings import Settings
from tests.support import Live, serve

# What a shell runs in the background ignores an interrupt, and so would the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Time limits are pytest's: a shared machine makes single examples slow. CI repeats the same examples.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.load_profile("ci" if settings.get_current_profile_name() == "ci" else "local")

Start = Callable[..., AbstractAsyncContextManager[Live]]
"""Serves with settings of one's own."""


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the developer's own environment and ``.env`` out: every setting has its default."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def start(tmp_path: Path, nothing_set: None) -> Callable[..., AbstractAsyncContextManager[Live]]:  # noqa: ARG001 - for its effect
    """Give a function that serves with settings of one's own: ``async with start(oauth_refresh_grace=0) as live``."""
    return partial(serve, tmp_path)


@pytest.fixture
async def live(start: Callable[..., AbstractAsyncContextManager[Live]]) -> AsyncIterator[Live]:
    """Give a server that listens, without rate limits, all else at its default, and a clock that stands still."""
    async with start() as running:
        yield running
