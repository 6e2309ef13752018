"""Events without a write: kept in batches, never more than so many, and what is dropped is counted."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from server.oauth.audit import Event, Kind
from server.oauth.store import StoreUnavailable
from server.storage.database import Database
from server.storage.recorder import BATCH, MOST, Recorder
from tests.storage.conftest import Shell
from tests.storage.make import NOW
from tests.support import until

COUNT = "SELECT count(*) FROM audit_log WHERE event = 'rate_limited'"
DROPPED = "SELECT detail FROM audit_log WHERE event = 'events_dropped'"


def event(number: int = 0) -> Event:
    return Event(NOW, Kind.RATE_LIMITED, detail=str(number))


@asynccontextmanager
async def running(recorder: Recorder) -> AsyncIterator[Recorder]:
    """Run a recorder, and close it as the application does."""
    task = asyncio.create_task(recorder.run())
    yield recorder
    recorder.close()
    await asyncio.wait_for(task, 10)


async def test_an_event_is_kept_soon(database: Database, shell: Shell) -> None:
    async with running(Recorder(database.add_events, lambda: NOW)) as recorder:
        recorder.offer(event())
        await until(lambda: shell(COUNT) == [(1,)])


async def test_a_log_that_is_off_takes_nothing(database: Database, shell: Shell) -> None:
    async with running(Recorder(database.add_events, lambda: NOW)) as recorder:
        recorder.offer(None)
    assert shell("SELECT count(*) FROM audit_log") == [(0,)]


async def test_what_waits_is_kept_in_order_at_the_end(database: Database, shell: Shell) -> None:
    async with running(Recorder(database.add_events, lambda: NOW, pause=60)) as recorder:
        for number in range(3 * BATCH + 1):
            recorder.offer(event(number))
    assert shell("SELECT detail FROM audit_log ORDER BY id") == [(str(number),) for number in range(3 * BATCH + 1)]


async def test_a_flood_is_written_slowly(database: Database, shell: Shell) -> None:
    async with running(Recorder(database.add_events, lambda: NOW, pause=60)) as recorder:
        for number in range(3 * BATCH):
            recorder.offer(event(number))
        await until(lambda: shell(COUNT) != [(0,)])
        await asyncio.sleep(0.2)
        assert shell(COUNT) == [(BATCH,)]


async def test_the_queue_has_a_bound_and_drops_are_counted(
    database: Database, shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(database.add_events, lambda: NOW + 5)
    for number in range(MOST + 17):
        recorder.offer(event(number))
    assert recorder.dropped == 17
    async with running(recorder):
        pass
    assert shell(COUNT) == [(MOST,)]
    assert shell(DROPPED) == [("17 events",)]
    assert "Audit events were dropped: 17" in caplog.text


class Failing:
    """A store that cannot be written until it is told so."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.kept: list[Event] = []
        self.tried = 0

    async def add(self, events: Sequence[Event]) -> None:
        self.tried += 1
        if self.error is not None:
            raise self.error
        self.kept += events


async def test_events_wait_for_a_database_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    store = Failing(StoreUnavailable("locked"))
    async with running(Recorder(store.add, lambda: NOW, pause=0.01)) as recorder:
        recorder.offer(event(1))
        await until(lambda: store.tried > 2)
        recorder.offer(event(2))
        store.error = None
        await until(lambda: len(store.kept) == 2)
    assert store.kept == [event(1), event(2)]
    assert "have to wait" in caplog.text


async def test_a_database_that_stays_away_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    store = Failing(StoreUnavailable("locked"))
    async with running(Recorder(store.add, lambda: NOW)) as recorder:
        recorder.offer(event())
    assert "1 audit events could not be kept" in caplog.text


async def test_a_batch_that_breaks_does_not_stop_those_that_follow(caplog: pytest.LogCaptureFixture) -> None:
    store = Failing(ValueError("odd"))
    with caplog.at_level(logging.ERROR):
        async with running(Recorder(store.add, lambda: NOW, pause=0.01)) as recorder:
            recorder.offer(event(1))
            await until(lambda: store.tried == 1)
            store.error = None
            recorder.offer(event(2))
            await until(lambda: store.kept == [event(2)])
    assert "1 audit events could not be kept" in caplog.text
