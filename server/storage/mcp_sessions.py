"""Sessions of the protocol's older revisions, and the events on their streams, in SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.storage.driver import Driver, Script, Statement, changed
from server.transport.records import KEPT_BYTES, KEPT_EVENTS, EventRecord, Owner, SessionRecord

TOTAL_BYTES = 256 * 1024 * 1024
"""Bytes of all sessions' events that a purge leaves."""

_TRIMMED = 9 / 10
"""How much of its limits a session keeps that exceeded one, so that the next event does not exceed it again."""

_COLUMNS = "session_digest, client_id, user_id, protocol_version, client_params, created_at, used_at, last_event"

_ADD_SESSION = f"""
INSERT INTO mcp_sessions ({_COLUMNS}, event_count, event_bytes)
VALUES (:session_digest, :client_id, :user_id, :protocol_version, :client_params, :created_at, :used_at, :last_event,
    0, 0)"""  # noqa: S608 - the columns are those above

_COUNT_SESSIONS = "SELECT count(*) FROM mcp_sessions"

_GET_SESSION = f"SELECT {_COLUMNS} FROM mcp_sessions WHERE session_digest = :session_digest"  # noqa: S608 - as above

_LIST_OLDEST = f"SELECT {_COLUMNS} FROM mcp_sessions ORDER BY used_at, session_digest LIMIT :limit"  # noqa: S608 - as above

_BIND_SESSION = """
UPDATE mcp_sessions SET client_id = :client_id, user_id = :user_id
WHERE session_digest = :session_digest AND client_id IS NULL AND user_id IS NULL
RETURNING 1"""

_TOUCH_SESSION = """
UPDATE mcp_sessions SET used_at = CASE WHEN used_at < :used_at THEN :used_at ELSE used_at END
WHERE session_digest = :session_digest
RETURNING 1"""

_END_SESSION = "DELETE FROM mcp_sessions WHERE session_digest = :session_digest"

_END_EVENTS = "DELETE FROM mcp_events WHERE session_digest = :session_digest"

_NOTE_EVENTS = """
UPDATE mcp_sessions
SET last_event = :last_event, event_count = event_count + :count, event_bytes = event_bytes + :bytes
WHERE session_digest = :session_digest
RETURNING event_count, event_bytes"""

_ADD_EVENT = """
INSERT INTO mcp_events (session_digest, event, stream, message, owed, final, size, created_at)
VALUES (:session_digest, :event, :stream, :message, :owed, :final, :size, :now)"""

_LIST_SIZES = "SELECT event, size FROM mcp_events WHERE session_digest = :session_digest ORDER BY event DESC"

_TRIM_EVENTS = "DELETE FROM mcp_events WHERE session_digest = :session_digest AND event <= :until"

_SET_SIZES = """
UPDATE mcp_sessions SET event_count = :count, event_bytes = :bytes WHERE session_digest = :session_digest"""

_ADOPT_EVENTS = "UPDATE mcp_events SET stream = :stream WHERE session_digest = :session_digest AND stream = 0"

_LIST_EVENTS = """
SELECT event, stream, message, owed, final FROM mcp_events
WHERE session_digest = :session_digest AND stream = :stream AND event > :after AND event <= :until
ORDER BY event LIMIT :limit"""

_TOO_OLD = """
SELECT coalesce(max(created_at), 0) FROM (
    SELECT created_at, sum(size) OVER (ORDER BY created_at DESC) AS newer_and_this FROM mcp_events
) AS added_up WHERE newer_and_this > :total"""


class SqlMcpSessionStore:
    """`server.transport.records.SessionStore` in SQL; its docstrings say what each method answers."""

    _driver: Driver

    async def add_mcp_session(self, record: SessionRecord) -> int:
        """Keep a new session, and give how many there are now."""
        return await self._driver.write(_add_session(record))

    async def get_mcp_session(self, session_digest: str) -> SessionRecord | None:
        """Give a session, one that was not used for long too, or ``None``."""
        return await self._driver.read(_get_session(session_digest))

    async def bind_mcp_session(self, session_digest: str, owner: Owner) -> bool:
        """Give a session that belongs to nobody to an owner."""
        bound = {"session_digest": session_digest, "client_id": owner.client_id, "user_id": owner.user_id}
        return await self._driver.write(changed(_BIND_SESSION, **bound))

    async def touch_mcp_sessions(self, uses: Mapping[str, int]) -> frozenset[str]:
        """Note when sessions were used last, and give those that are still there."""
        return await self._driver.write(_touch(uses))

    async def end_mcp_session(self, session_digest: str) -> None:
        """Remove a session and its events."""
        await self._driver.write(_end(session_digest))

    async def list_oldest_mcp_sessions(self, limit: int) -> tuple[int, list[SessionRecord]]:
        """Give how many sessions there are, and those whose noted use is longest ago."""
        return await self._driver.read(_list_oldest(limit))

    async def add_mcp_events(self, events: Sequence[tuple[str, EventRecord]], now: int) -> None:
        """Keep events, and hold their sessions to their limits."""
        await self._driver.write(_add_events(events, now))

    async def adopt_mcp_events(self, session_digest: str, stream: int) -> None:
        """Put the events that wait for a stream on this one."""
        await self._driver.write(_adopt(session_digest, stream))

    async def list_mcp_events(
        self, session_digest: str, stream: int, after: int, until: int, limit: int
    ) -> list[EventRecord]:
        """Give a stream's events, in order."""
        within = {"session_digest": session_digest, "stream": stream, "after": after, "until": until, "limit": limit}
        return await self._driver.read(_list_events(within))


def too_old() -> Script[int]:
    """Find the time up to which events have to go for the rest to keep within `TOTAL_BYTES`; 0 when none has to."""
    found = yield Statement(_TOO_OLD, {"total": TOTAL_BYTES})
    return int(found[0][0])


def _record(row: tuple[Any, ...]) -> SessionRecord:
    session_digest, client_id, user_id, *rest = row
    return SessionRecord(session_digest, Owner(client_id, user_id), *rest)


def _add_session(record: SessionRecord) -> Script[int]:
    values = {name: getattr(record, name) for name in record.__slots__ if name != "owner"}
    owner = {"client_id": record.owner.client_id, "user_id": record.owner.user_id}
    yield Statement(_ADD_SESSION, {**values, **owner})
    return int((yield Statement(_COUNT_SESSIONS))[0][0])


def _get_session(session_digest: str) -> Script[SessionRecord | None]:
    found = yield Statement(_GET_SESSION, {"session_digest": session_digest})
    return _record(found[0]) if found else None


def _list_oldest(limit: int) -> Script[tuple[int, list[SessionRecord]]]:
    count = int((yield Statement(_COUNT_SESSIONS))[0][0])
    return count, [_record(row) for row in (yield Statement(_LIST_OLDEST, {"limit": limit}))]


def _touch(uses: Mapping[str, int]) -> Script[frozenset[str]]:
    there = set()
    for digest, used_at in uses.items():
        if (yield Statement(_TOUCH_SESSION, {"session_digest": digest, "used_at": used_at})):
            there.add(digest)
    return frozenset(there)


def _end(session_digest: str) -> Script[None]:
    yield Statement(_END_SESSION, {"session_digest": session_digest})
    yield Statement(_END_EVENTS, {"session_digest": session_digest})


def _add_events(events: Sequence[tuple[str, EventRecord]], now: int) -> Script[None]:
    of_session: dict[str, list[EventRecord]] = {}
    for digest, event in events:
        of_session.setdefault(digest, []).append(event)
    for digest, own in of_session.items():
        noted = {"last_event": own[-1].number, "count": len(own), "bytes": sum(event.size for event in own)}
        sizes = yield Statement(_NOTE_EVENTS, {"session_digest": digest, **noted})
        if not sizes:
            continue
        for event in own:
            yield _insert(digest, event, now)
        if sizes[0][0] > KEPT_EVENTS or sizes[0][1] > KEPT_BYTES:
            yield from _trim(digest)


def _insert(digest: str, event: EventRecord, now: int) -> Statement:
    values = {"session_digest": digest, "event": event.number, "stream": event.stream, "message": event.message}
    rest = {"owed": event.owed, "final": int(event.final), "size": event.size, "now": now}
    return Statement(_ADD_EVENT, values | rest)


def _trim(session_digest: str) -> Script[None]:
    """Count a session's events anew, and remove the oldest of them if they are too many or too large."""
    session = {"session_digest": session_digest}
    found = yield Statement(_LIST_SIZES, session)
    most, most_bytes = KEPT_EVENTS, KEPT_BYTES
    if len(found) > most or sum(size for _, size in found) > most_bytes:
        most, most_bytes = int(most * _TRIMMED), int(most_bytes * _TRIMMED)
    count = total = 0
    for event, size in found:
        if count and (count + 1 > most or total + size > most_bytes):
            yield Statement(_TRIM_EVENTS, {**session, "until": event})
            break
        count, total = count + 1, total + size
    yield Statement(_SET_SIZES, {**session, "count": count, "bytes": total})


def _adopt(session_digest: str, stream: int) -> Script[None]:
    yield Statement(_ADOPT_EVENTS, {"session_digest": session_digest, "stream": stream})


def _list_events(within: Mapping[str, object]) -> Script[list[EventRecord]]:
    rows = yield Statement(_LIST_EVENTS, within)
    return [EventRecord(number, stream, message, owed, bool(final)) for number, stream, message, owed, final in rows]
