"""Transactions that share commits: who is served, who is refused, and that nothing is half done."""

# What a test does to its own file between two awaits may block.
# ruff: noqa: ASYNC240

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Event

import pytest

from server.oauth.store import StoreUnavailable
from server.storage.driver import Script, Statement
from server.storage.migrate import migrate
from server.storage.sqlite import Sqlite, open_sqlite
from tests.storage.conftest import Shell
from tests.storage.make import NOW

PATIENCE = 0.4


@pytest.fixture
async def driver(path: Path) -> AsyncIterator[Sqlite]:
    migrate(path, NOW)
    opened = await open_sqlite(path, PATIENCE)
    yield opened
    await opened.close()


def add(name: str) -> Script[str]:
    """Insert a user, in two statements."""
    yield Statement(
        "INSERT INTO users (user_id, issuer, subject, created_at) VALUES (:name, 'i', :name, 0)", {"name": name}
    )
    yield Statement("UPDATE users SET email = :name WHERE user_id = :name", {"name": name})
    return name


def add_and_fail(name: str) -> Script[None]:
    yield from add(name)
    raise LookupError(name)


def add_when(name: str, gate: Event) -> Script[str]:
    """Begin, and hold the writer until the gate opens."""
    result = yield from add(name)
    gate.wait(10)
    return result


def names() -> Script[list[str]]:
    return [name for (name,) in (yield Statement("SELECT user_id FROM users ORDER BY user_id"))]


async def begun(driver: Sqlite, gate: Event) -> "asyncio.Task[str]":
    """Start a transaction that occupies the writer."""
    task = asyncio.create_task(driver.write(add_when("first", gate)))
    await asyncio.sleep(0.1)
    return task


async def test_a_transaction_gives_its_result_and_is_there(driver: Sqlite, shell: Shell) -> None:
    assert await driver.write(add("a")) == "a"
    assert shell("SELECT user_id, email FROM users") == [("a", "a")]


async def test_concurrent_transactions_share_a_commit(driver: Sqlite) -> None:
    seen: list[str] = []
    await driver._writer.set_trace_callback(seen.append)  # noqa: SLF001 - commits show nowhere else

    assert await asyncio.gather(*(driver.write(add(f"{number:02}")) for number in range(20))) == [
        f"{number:02}" for number in range(20)
    ]

    assert seen.count("COMMIT") == 1
    assert seen.count("BEGIN IMMEDIATE") == 1


async def test_one_that_fails_takes_no_other_with_it(driver: Sqlite) -> None:
    outcomes = await asyncio.gather(
        driver.write(add("a")),
        driver.write(add_and_fail("b")),
        driver.write(add("a")),
        driver.write(add("c")),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [str, LookupError, sqlite3.IntegrityError, str]
    assert await driver.read(names()) == ["a", "c"]


async def test_one_that_fails_alone_changes_nothing(driver: Sqlite) -> None:
    with pytest.raises(LookupError):
        await driver.write(add_and_fail("a"))

    assert await driver.read(names()) == []
    await driver.write(add("b"))


async def test_whatever_ends_a_transaction_undoes_it_and_takes_no_other_with_it(driver: Sqlite) -> None:
    class Stop(BaseException):
        """No error, as an interrupt is none."""

    def add_and_stop(name: str) -> Script[None]:
        yield from add(name)
        raise Stop

    alone = await asyncio.gather(driver.write(add_and_stop("a")), return_exceptions=True)
    in_company = await asyncio.gather(
        driver.write(add("b")), driver.write(add_and_stop("c")), driver.write(add("d")), return_exceptions=True
    )

    assert [type(outcome) for outcome in (*alone, *in_company)] == [Stop, str, Stop, str]
    assert await driver.read(names()) == ["b", "d"]


async def test_reads_that_fail_take_no_other_with_them(driver: Sqlite) -> None:
    def broken() -> Script[None]:
        yield Statement("SELECT nothing FROM nowhere")

    outcomes = await asyncio.gather(driver.read(broken()), driver.read(names()), return_exceptions=True)

    assert isinstance(outcomes[0], sqlite3.OperationalError)
    assert outcomes[1] == []


async def test_a_read_waits_for_no_writer(driver: Sqlite) -> None:
    gate = Event()
    task = await begun(driver, gate)

    assert await driver.read(names()) == []

    gate.set()
    await task
    assert await driver.read(names()) == ["first"]


async def test_a_read_waits_for_no_scan(driver: Sqlite) -> None:
    gate = Event()

    def scan() -> Script[list[str]]:
        result = yield from names()
        gate.wait(10)
        return result

    scanning = asyncio.create_task(driver.scan(scan()))
    await asyncio.sleep(0.1)

    assert await driver.read(names()) == []
    assert not scanning.done()

    gate.set()
    assert await scanning == []


async def test_one_whose_caller_gave_up_before_it_began_never_runs(driver: Sqlite) -> None:
    gate = Event()
    first = await begun(driver, gate)
    second = asyncio.create_task(driver.write(add("second")))
    third = asyncio.create_task(driver.write(add("third")))
    await asyncio.sleep(0)
    second.cancel()
    with suppress(asyncio.CancelledError):
        await second

    gate.set()
    await first
    await third

    assert await driver.read(names()) == ["first", "third"]


async def test_one_that_has_begun_is_completed_though_its_caller_is_gone(driver: Sqlite) -> None:
    gate = Event()
    first = await begun(driver, gate)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first

    gate.set()
    await driver.write(add("second"))

    assert await driver.read(names()) == ["first", "second"]


async def test_one_that_waits_too_long_in_the_queue_is_refused_and_never_runs(driver: Sqlite) -> None:
    gate = Event()
    first = await begun(driver, gate)
    started = time.monotonic()

    with pytest.raises(StoreUnavailable):
        await driver.write(add("second"))

    assert time.monotonic() - started < PATIENCE + 0.3
    gate.set()
    await first
    await driver.write(add("third"))
    assert await driver.read(names()) == ["first", "third"]


async def test_a_lock_held_by_another_process_is_waited_for(driver: Sqlite, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(driver.write(add("a")))
        await asyncio.sleep(PATIENCE / 2)
        other.execute("COMMIT")

        assert await waiting == "a"


async def test_a_lock_that_lasts_is_refused_with_nothing_changed(driver: Sqlite, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        early = asyncio.create_task(driver.write(add("early")))
        await asyncio.sleep(PATIENCE / 2)
        started = time.monotonic()
        late = asyncio.create_task(driver.write(add("late")))
        with pytest.raises(StoreUnavailable):
            await early
        assert time.monotonic() - started < PATIENCE / 2 + 0.2, "the early one waited longer than its own time"
        assert await driver.read(names()) == []
        other.execute("COMMIT")

        assert await late == "late"

    assert await driver.read(names()) == ["late"]


async def test_a_cancelled_wait_for_a_lock_leaves_nothing_behind(driver: Sqlite, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(driver.write(add("a")))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        other.execute("COMMIT")

    await driver.write(add("b"))
    assert await driver.read(names()) == ["b"]


async def test_a_full_disk_is_refused_with_nothing_changed(driver: Sqlite) -> None:
    pages = await driver._writer.execute_fetchall("PRAGMA page_count")  # noqa: SLF001 - stands in for the disk's size
    await driver._writer.execute_fetchall(f"PRAGMA max_page_count = {next(iter(pages))[0]}")  # noqa: SLF001

    outcomes = await asyncio.gather(driver.write(add("a")), driver.write(add("b" * 100_000)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable, StoreUnavailable]
    assert await driver.read(names()) == []
    assert await driver.write(add("a")) == "a"


async def test_a_file_that_became_read_only_is_still_read(driver: Sqlite, path: Path) -> None:
    path.chmod(0o400)

    with pytest.raises(StoreUnavailable, match="mode 400"):
        await driver.write(add("a"))

    assert await driver.read(names()) == []
    path.chmod(0o600)
    assert await driver.write(add("a")) == "a"


async def test_a_file_that_vanished_or_was_replaced_is_not_written_to(driver: Sqlite, path: Path) -> None:
    moved = path.rename(path.with_name("moved"))

    with pytest.raises(StoreUnavailable, match="No such file"):
        await driver.write(add("a"))
    path.write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="replaced"):
        await driver.read(names())

    path.unlink()
    moved.rename(path)
    assert await driver.write(add("a")) == "a"


async def test_a_corrupt_file_is_refused(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    migrate(path, NOW)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 30)
    driver = await open_sqlite(path, PATIENCE)
    try:
        with pytest.raises(StoreUnavailable):
            await driver.read(names())
    finally:
        await driver.close()
    assert "SQLITE_CORRUPT" in caplog.text


async def test_closing_finishes_what_was_taken_and_takes_no_more(path: Path, shell: Shell) -> None:
    migrate(path, NOW)
    driver = await open_sqlite(path, PATIENCE)
    tasks = [asyncio.create_task(driver.write(add(f"{number:03}"))) for number in range(600)]
    await asyncio.sleep(0)

    await driver.close()

    assert len(await asyncio.gather(*tasks)) == 600
    assert shell("SELECT count(*) FROM users") == [(600,)]
    assert [file.name for file in path.parent.iterdir()] == ["server.db"]
    with pytest.raises(StoreUnavailable):
        await driver.write(add("late"))
