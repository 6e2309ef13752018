"""An event and the write that it tells of are one commit; events are found by what they are about."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable

import pytest

from server.oauth.audit import Event, Filter, Kind
from server.storage.database import Database
from tests.storage import make
from tests.storage.conftest import Shell
from tests.storage.make import NOW, digest

EVENT = Event(NOW, Kind.TOKENS_ISSUED, "client", "user", "192.0.2.1", "grant", "read")
STORED = (NOW, "tokens_issued", "client", "user", "192.0.2.1", "grant", "read")
LOG = "SELECT time, event, client_id, user_id, address, grant_id, detail FROM audit_log ORDER BY id"
EVERYTHING = [
    "clients",
    "users",
    "authorization_requests",
    "authorization_codes",
    "grants",
    "access_tokens",
    "refresh_tokens",
]

Write = Callable[[Database], Awaitable[object]]

WRITES: dict[str, Write] = {
    "add_client": lambda database: database.add_client(make.client("another"), EVENT),
    "approve": lambda database: database.approve_authorization_request(
        digest("pending"), make.user(), make.code("second"), NOW, event=EVENT
    ),
    "deny": lambda database: database.deny_authorization_request(digest("pending"), NOW, event=EVENT),
    "redeem": lambda database: database.redeem_authorization_code(
        digest("unused"), make.grant("newer"), make.access("a2", "newer"), make.refresh("r2", "newer"), NOW, EVENT
    ),
    "rotate": lambda database: database.rotate_refresh_token(
        digest("refresh"), make.refresh("r3"), make.access("a3"), NOW, EVENT
    ),
    "repeat": lambda database: database.add_access_token(make.access("a4"), NOW, EVENT),
    "revoke_access": lambda database: database.revoke_access_token(digest("access"), NOW, EVENT),
    "revoke_grant": lambda database: database.revoke_grant("grant", "reuse", NOW, EVENT),
}


@pytest.fixture
async def busy(database: Database) -> Database:
    """Give a database in which each of the writes can be done."""
    await make.logged_in(database)
    for word in ("pending", "another"):
        await database.add_authorization_request(make.request(word))
    await database.approve_authorization_request(digest("another"), make.user(), make.code("unused"), NOW)
    return database


def contents(shell: Shell) -> list[list[tuple[object, ...]]]:
    return [shell(f"SELECT * FROM {table} ORDER BY 1") for table in EVERYTHING]  # noqa: S608 - the names are those above


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_what_is_written_has_its_event(busy: Database, shell: Shell, write: Write) -> None:
    before = contents(shell)
    assert await write(busy) is not False
    assert contents(shell) != before
    assert shell(LOG) == [STORED]


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_an_event_that_cannot_be_kept_undoes_its_write(busy: Database, shell: Shell, write: Write) -> None:
    shell("CREATE TRIGGER no BEFORE INSERT ON audit_log BEGIN SELECT raise(ABORT, 'the log is full'); END")
    before = contents(shell)
    with pytest.raises(sqlite3.IntegrityError, match="the log is full"):
        await write(busy)
    assert (contents(shell), shell(LOG)) == (before, [])
    shell("DROP TRIGGER no")
    assert await write(busy) is not False
    assert (contents(shell) != before, shell(LOG)) == (True, [STORED])


@pytest.mark.parametrize("write", [write for name, write in WRITES.items() if name != "repeat"])
async def test_what_lost_its_race_has_no_event(busy: Database, shell: Shell, write: Write) -> None:
    outcomes = await asyncio.gather(*(write(busy) for _ in range(5)), return_exceptions=True)
    assert sum(outcome in {None, True} for outcome in outcomes if not isinstance(outcome, BaseException)) == 1
    assert shell(LOG) == [STORED]


async def test_a_write_that_fails_in_company_takes_its_event_with_it_and_no_other(
    database: Database, shell: Shell
) -> None:
    names = ["one", "two", "one", "three"]
    events = [Event(NOW, Kind.CLIENT_REGISTERED, name, detail=str(number)) for number, name in enumerate(names)]
    outcomes = await asyncio.gather(
        *(database.add_client(make.client(event.client_id or ""), event) for event in events), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), sqlite3.IntegrityError, type(None)]
    assert shell("SELECT client_id, detail FROM audit_log ORDER BY id") == [("one", "0"), ("two", "1"), ("three", "3")]


async def test_a_write_that_nobody_waits_for_any_more_leaves_neither_or_both(database: Database, shell: Shell) -> None:
    for number in range(40):
        event = Event(NOW, Kind.CLIENT_REGISTERED, str(number))
        task = asyncio.create_task(database.add_client(make.client(str(number)), event))
        await asyncio.sleep(number * 0.0001)
        task.cancel()
    await database.add_client(make.client("last"), Event(NOW, Kind.CLIENT_REGISTERED, "last"))
    assert shell("SELECT client_id FROM clients ORDER BY 1") == shell("SELECT client_id FROM audit_log ORDER BY 1")


async def test_events_are_found_by_what_they_are_about(database: Database) -> None:
    events = [
        Event(NOW, Kind.CLIENT_REGISTERED, "a"),
        Event(NOW + 1, Kind.CONSENT_GIVEN, "a", "u"),
        Event(NOW + 2, Kind.TOKENS_ISSUED, "a", "u", "192.0.2.1", "g"),
        Event(NOW + 3, Kind.TOKENS_ISSUED, "b", "v", "192.0.2.1", "h"),
    ]
    await database.add_events(events)

    async def found(wanted: Filter, after: int = 0, limit: int = 100) -> list[int]:
        recorded, last = await database.list_events(wanted, after, limit)
        assert last == 4
        assert [one.event for one in recorded] == [events[one.id - 1] for one in recorded]
        return [one.id for one in recorded]

    assert await found(Filter()) == [1, 2, 3, 4]
    assert await found(Filter(), limit=2) == [3, 4]
    assert await found(Filter(), after=3) == [4]
    assert await found(Filter(event="tokens_issued")) == [3, 4]
    assert await found(Filter(client_id="a")) == [1, 2, 3]
    assert await found(Filter(user_id="u")) == [2, 3]
    assert await found(Filter(grant_id="h")) == [4]
    assert await found(Filter(since=NOW + 2)) == [3, 4]
    assert await found(Filter("tokens_issued", "a", "u", "g", NOW + 2)) == [3]
    assert await found(Filter("tokens_issued", "b", "u")) == []


async def test_the_view_shows_times_and_names_as_long_as_there_are_any(busy: Database, shell: Shell) -> None:
    await busy.add_events([EVENT])
    view = "SELECT at, event, client_name, user_name, address, detail, grant_id FROM v_audit"
    assert shell(view) == [
        ("2027-01-15 08:00:00", "tokens_issued", "Ein Café ☕", "Uschi", "192.0.2.1", "read", "grant")
    ]
    shell("DELETE FROM clients")
    assert shell(view)[0][2] is None
