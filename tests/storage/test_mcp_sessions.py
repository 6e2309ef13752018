"""Sessions and their events as rows: bounded, purged, and in an operator's words."""

from dataclasses import replace
from typing import Any

import pytest

from server.storage import mcp_sessions
from server.storage.database import Database
from server.storage.purge import purge
from server.transport.records import (
    IDLE,
    KEPT_BYTES,
    KEPT_EVENTS,
    LOST,
    NOBODY,
    EventRecord,
    Owner,
    SessionRecord,
)
from tests.storage import make
from tests.storage.conftest import Shell
from tests.storage.make import NOW, digest

SESSION = SessionRecord(digest("s"), Owner("client", "user"), "2025-11-25", '{"clientInfo":{"name":"x"}}', NOW, NOW)
ALL = 1 << 40


def event(number: int, stream: int = 1, size: int = 0, **more: Any) -> EventRecord:
    return EventRecord(number, stream, "x" * size, **more)


async def add(database: Database, *events: EventRecord, session: str = "s", now: int = NOW) -> None:
    await database.add_mcp_events([(digest(session), one) for one in events], now)


async def kept(database: Database, session: str = "s", stream: int = 1) -> list[int]:
    found = await database.list_mcp_events(digest(session), stream, 0, ALL, 100_000)
    return [one.number for one in found]


async def test_a_session_is_given_back_as_it_was_kept(database: Database) -> None:
    assert await database.get_mcp_session(SESSION.session_digest) is None
    assert await database.add_mcp_session(SESSION) == 1
    assert await database.get_mcp_session(SESSION.session_digest) == SESSION
    assert await database.add_mcp_session(replace(SESSION, session_digest=digest("t"), owner=NOBODY)) == 2


async def test_only_a_session_of_nobody_is_bound_and_only_once(database: Database) -> None:
    await database.add_mcp_session(SESSION)
    await database.add_mcp_session(replace(SESSION, session_digest=digest("t"), owner=NOBODY))
    assert not await database.bind_mcp_session(SESSION.session_digest, Owner("other", None))
    assert await database.bind_mcp_session(digest("t"), Owner("machine", None))
    assert not await database.bind_mcp_session(digest("t"), Owner("other", "user"))
    found = await database.get_mcp_session(digest("t"))
    assert found is not None
    assert found.owner == Owner("machine", None)


async def test_a_use_is_noted_never_backwards_and_only_of_what_is_there(database: Database) -> None:
    await database.add_mcp_session(SESSION)
    for used_at, noted in ((NOW + 5, NOW + 5), (NOW + 3, NOW + 5)):
        there = await database.touch_mcp_sessions({SESSION.session_digest: used_at, digest("gone"): used_at})
        assert there == {SESSION.session_digest}
        found = await database.get_mcp_session(SESSION.session_digest)
        assert found is not None
        assert found.used_at == noted


async def test_the_oldest_are_those_whose_use_is_longest_ago(database: Database) -> None:
    for name, used_at in (("a", NOW + 3), ("b", NOW + 1), ("c", NOW + 2)):
        await database.add_mcp_session(replace(SESSION, session_digest=digest(name), used_at=used_at))
    count, oldest = await database.list_oldest_mcp_sessions(2)
    assert (count, [one.session_digest for one in oldest]) == (3, [digest("b"), digest("c")])


async def test_events_are_given_back_by_stream_in_order_and_within_bounds(database: Database) -> None:
    await database.add_mcp_session(SESSION)
    events = [
        EventRecord(1, 1, None, "7"),
        event(2, 0, 5),
        EventRecord(3, 1, '{"é": 1}'),
        EventRecord(4, 1, "{}", "7", final=True),
    ]
    await add(database, *events)
    assert await database.list_mcp_events(digest("s"), 1, 0, ALL, 10) == [events[0], *events[2:]]
    assert await database.list_mcp_events(digest("s"), 1, 1, 3, 10) == [events[2]]
    assert await database.list_mcp_events(digest("s"), 1, 0, ALL, 1) == [events[0]]
    assert await database.list_mcp_events(digest("other"), 1, 0, ALL, 10) == []
    await database.adopt_mcp_events(digest("s"), 9)
    assert await kept(database, stream=9) == [2]
    found = await database.get_mcp_session(digest("s"))
    assert found is not None
    assert found.last_event == 4


async def test_events_of_a_session_that_is_gone_are_not_kept(database: Database, shell: Shell) -> None:
    await database.add_mcp_session(SESSION)
    await database.add_mcp_events([(digest("gone"), event(1)), (digest("s"), event(1))], NOW)
    assert await kept(database, "gone") == []
    await database.end_mcp_session(digest("s"))
    assert shell("SELECT (SELECT count(*) FROM mcp_sessions), (SELECT count(*) FROM mcp_events)") == [(0, 0)]


async def test_a_session_keeps_no_more_events_than_it_may(database: Database) -> None:
    await database.add_mcp_session(SESSION)
    await add(database, *(event(number) for number in range(1, KEPT_EVENTS + 1)))
    assert len(await kept(database)) == KEPT_EVENTS
    await add(database, event(KEPT_EVENTS + 1))
    found = await kept(database)
    assert KEPT_EVENTS * 0.85 < len(found) < KEPT_EVENTS
    assert found[-1] == KEPT_EVENTS + 1


async def test_a_session_keeps_no_more_bytes_than_it_may_but_always_its_newest_event(database: Database) -> None:
    await database.add_mcp_session(SESSION)
    for number in range(1, 6):
        await add(database, event(number, size=KEPT_BYTES // 3))
    assert await kept(database) == [4, 5]
    await add(database, event(6, size=KEPT_BYTES - 300))
    assert await kept(database) == [6]


async def test_what_an_event_owes_counts_too(database: Database) -> None:
    await database.add_mcp_session(SESSION)
    for number in range(1, 6):
        await add(database, event(number, owed="7" * (KEPT_BYTES // 3)))
    assert await kept(database) == [4, 5]


async def test_what_the_purge_took_does_not_count(database: Database) -> None:
    await database.add_mcp_session(replace(SESSION, used_at=NOW + IDLE))
    await add(database, *(event(number) for number in range(1, KEPT_EVENTS + 1)))
    await purge(database.driver, NOW + IDLE)
    assert await kept(database) == []
    later = range(KEPT_EVENTS + 1, KEPT_EVENTS + 101)
    await add(database, *(event(number) for number in later), now=NOW + IDLE)
    assert await kept(database) == [*later]


async def test_sessions_go_when_they_are_surely_idle_and_their_events_with_them(database: Database) -> None:
    await database.add_mcp_session(SESSION)
    await database.add_mcp_session(replace(SESSION, session_digest=digest("t"), used_at=NOW + 2))
    for name in ("s", "t"):
        await add(database, event(1), session=name, now=NOW + 100)
    removed = await purge(database.driver, NOW + LOST - 1)
    assert (removed["mcp_sessions"], removed["mcp_events"]) == (0, 0)
    removed = await purge(database.driver, NOW + LOST)
    assert (removed["mcp_sessions"], removed["mcp_events"]) == (1, 1)
    assert await kept(database, "t") == [1]


async def test_events_go_after_an_hour(database: Database) -> None:
    await database.add_mcp_session(replace(SESSION, used_at=NOW + IDLE))
    await add(database, event(1))
    await add(database, event(2), now=NOW + 1)
    assert (await purge(database.driver, NOW + IDLE))["mcp_events"] == 1
    assert await kept(database) == [2]


async def test_all_events_together_are_bounded_the_oldest_go_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_sessions, "TOTAL_BYTES", 10_000)
    for name in ("s", "t"):
        await database.add_mcp_session(replace(SESSION, session_digest=digest(name), used_at=NOW + 10))
    for number in range(1, 5):
        for name in ("s", "t"):
            await add(database, event(number, size=2_000 - 256), session=name, now=NOW + number)
    await purge(database.driver, NOW + 10)
    assert await kept(database, "s") == await kept(database, "t") == [3, 4]
    await purge(database.driver, NOW + 10)
    assert await kept(database, "s") == [3, 4]


async def test_an_operator_reads_whose_session_it_is_and_what_waits(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    await database.add_mcp_session(replace(SESSION, client_params='{"clientInfo":{"name":"Inspector","version":"2"}}'))
    await add(database, event(1, size=44))
    [row] = shell(
        "SELECT session_id, client_name, user_name, software, software_version, protocol_version, opened, status, "
        "events, event_bytes FROM v_mcp_sessions"
    )
    session_id, client_name, user_name, *rest = row
    assert session_id == digest("s")[:16]
    assert (client_name, user_name) == ("Ein Café ☕", "Uschi")
    assert rest == ["Inspector", "2", "2025-11-25", "2027-01-15 08:00:00", "live", 1, 300]
