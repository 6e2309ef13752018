"""The audit log in SQL."""

from collections.abc import Sequence

from server.oauth.audit import Event, Filter, Recorded
from server.storage.driver import Driver, Script, Statement, T

_ADD_EVENT = """
INSERT INTO audit_log (time, event, client_id, user_id, address, grant_id, detail)
VALUES (:time, :event, :client_id, :user_id, :address, :grant_id, :detail)"""

_LIST_EVENTS = """
SELECT id, time, event, client_id, user_id, address, grant_id, detail FROM audit_log
WHERE id > :after
    AND (:event IS NULL OR event = :event)
    AND (:client_id IS NULL OR client_id = :client_id)
    AND (:user_id IS NULL OR user_id = :user_id)
    AND (:grant_id IS NULL OR grant_id = :grant_id)
    AND (:since IS NULL OR time >= :since)
ORDER BY id DESC LIMIT :limit"""

_LAST_EVENT = "SELECT coalesce(max(id), 0) FROM audit_log"


class SqlAuditStore:
    """Keeps events that come without a write of their own, and gives what was kept."""

    _driver: Driver

    async def add_events(self, events: Sequence[Event]) -> None:
        """Keep events in their order, in one transaction."""
        await self._driver.write(_add(events))

    async def list_events(self, wanted: Filter, after: int, limit: int) -> tuple[list[Recorded], int]:
        """Give the newest of the events that are wanted, oldest first, and the number of the last event of any kind.

        Args:
            wanted: Which.
            after: The number that all of them exceed.
            limit: How many at most.
        """
        return await self._driver.scan(_list(wanted, after, limit))


def recorded(script: Script[T], event: Event | None) -> Script[T]:
    """Run a transaction and keep an event with it, unless it answers ``False``: then it has changed nothing."""
    result = yield from script
    if event is not None and result is not False:
        yield insert(event)
    return result


def insert(event: Event) -> Statement:
    """Give the statement that keeps an event, for a transaction that tells of itself."""
    return Statement(_ADD_EVENT, {name: getattr(event, name) for name in event.__slots__})


def _add(events: Sequence[Event]) -> Script[None]:
    for event in events:
        yield insert(event)


def _list(wanted: Filter, after: int, limit: int) -> Script[tuple[list[Recorded], int]]:
    last = (yield Statement(_LAST_EVENT))[0][0]
    values = {name: getattr(wanted, name) for name in wanted.__slots__}
    found = yield Statement(_LIST_EVENTS, {**values, "after": after, "limit": limit})
    return [Recorded(number, Event(*fields)) for number, *fields in reversed(found)], last
