"""Damage to the SQLite file: remembered once a transaction comes upon it, until the file is found whole."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping

from server.oauth.store import StoreUnavailable
from server.storage.driver import Script, Statement

log = logging.getLogger(__name__)

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_KEYS: Mapping[str, str] = {
    "clients": "client_id",
    "users": "user_id",
    "authorization_requests": "handle_digest",
    "authorization_codes": "code_digest",
    "grants": "grant_id",
    "access_tokens": "token_digest",
    "refresh_tokens": "token_digest",
    "sessions": "session_digest",
    "mcp_sessions": "session_digest",
}
"""The tables without which nobody is served, and what their rows are found by."""

_GLANCE = " UNION ALL ".join(
    f"SELECT max(rowid) FROM {table} UNION ALL SELECT max({key}) FROM {table}"  # noqa: S608 - the names are those above
    for table, key in _KEYS.items()
)


class Damage:
    """What is known of damage to one file."""

    def __init__(self) -> None:
        """Know of none."""
        self._found: sqlite3.Error | None = None
        self._looking = False

    def note(self, error: BaseException) -> None:
        """Remember an error that damage causes; others are none of it. Any connection's thread may call this."""
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", -1) & 0xFF in _DAMAGED:
            self._found = error

    async def require_none(self, scan: Callable[[Script[bool]], Awaitable[bool]]) -> None:
        """Look at the whole file if damage is known, but not twice at a time.

        Args:
            scan: Runs a transaction that reads a great deal.

        Raises:
            StoreUnavailable: It is still damaged, or being looked at.
        """
        found = self._found
        if found is None:
            return
        if self._looking:
            raise StoreUnavailable(f"the database is damaged: {found}")
        self._looking = True
        try:
            whole = await scan(_is_whole())
        finally:
            self._looking = False
        if not whole or self._found is not found:
            raise StoreUnavailable(f"the database is damaged: {found}")
        self._found = None
        log.warning("The database is whole again")


def glance() -> Script[None]:
    """Read the newest page of each of the main tables, and of the index by which its rows are found."""
    yield Statement(_GLANCE)


def _is_whole() -> Script[bool]:
    """Look at every page, but do not compare indexes with their tables, which would take far longer."""
    rows = yield Statement("PRAGMA quick_check(1)")
    return rows == [("ok",)]
