"""What an operator lists: the rows of the views, narrowed down. A status is what the server would make of a row."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from server.oauth.audit import Event
from server.storage.audit import recorded
from server.storage.driver import Driver, Script, Statement

Row = dict[str, Any]
"""One row by its columns' names; times are UTC, ``YYYY-MM-DD HH:MM:SS``."""

CLIENT_STATUSES = ("active", "idle")
GRANT_STATUSES = ("live", "revoked", "expired", "client deleted", "user deleted", "user disabled")
TOKEN_STATUSES = (*GRANT_STATUSES, "used", "grant deleted", "grant revoked", "grant expired")


USER_STATUSES = ("active", "invited", "disabled")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: those that meet all that is not ``None``."""

    client: str | None = None
    """A client's id or its exact name."""
    user: str | None = None
    """A user's id or exact name."""
    status: str | None = None
    key: str | None = None
    """The id of a client, grant or token."""
    hint: str | None = None
    """The first characters of a token after its prefix."""


_CLIENT_COLUMNS = (
    "client_id",
    "client_name",
    "created_by",
    "auth_method",
    "redirect_uris",
    "grant_types",
    "scope",
    "registered",
    "last_used",
    "open_grants",
    "status",
)
_GRANT_COLUMNS = (
    "grant_id",
    "client_id",
    "client_name",
    "user_id",
    "user_name",
    "scopes",
    "granted",
    "expires",
    "status",
    "revoked",
    "revoked_reason",
)
_TOKEN_COLUMNS = (
    "token_id",
    "kind",
    "hint",
    "grant_id",
    "client_id",
    "client_name",
    "user_id",
    "user_name",
    "scopes",
    "issued",
    "expires",
    "status",
)
_USER_COLUMNS = (
    "user_id",
    "username",
    "name",
    "email",
    "issuer",
    "subject",
    "created",
    "password_set",
    "open_sessions",
    "open_grants",
    "status",
    "disabled",
)
_SESSION_COLUMNS = (
    "session_id",
    "user_id",
    "user_name",
    "method",
    "address",
    "signed_in",
    "last_used",
    "expires",
    "status",
)

_LIST_CLIENTS = f"""
SELECT {", ".join(_CLIENT_COLUMNS)} FROM v_clients
WHERE (:key IS NULL OR client_id = :key)
    AND (:client IS NULL OR client_id = :client OR client_name = :client)
    AND (:user IS NULL OR client_id IN (SELECT client_id FROM v_grants WHERE user_id = :user OR user_name = :user))
    AND (:status IS NULL OR status = :status)
ORDER BY registered DESC, client_id"""  # noqa: S608 - the columns are those above

_LIST_GRANTS = f"""
SELECT {", ".join(_GRANT_COLUMNS)} FROM v_grants
WHERE (:key IS NULL OR grant_id = :key)
    AND (:client IS NULL OR client_id = :client OR client_name = :client)
    AND (:user IS NULL OR user_id = :user OR user_name = :user)
    AND (:status IS NULL OR status = :status)
ORDER BY granted DESC, grant_id"""  # noqa: S608 - the columns are those above

_LIST_TOKENS = f"""
SELECT {", ".join(_TOKEN_COLUMNS)} FROM v_tokens
WHERE (:key IS NULL OR token_id = :key)
    AND (:hint IS NULL OR hint = :hint)
    AND (:client IS NULL OR client_id = :client OR client_name = :client)
    AND (:user IS NULL OR user_id = :user OR user_name = :user)
    AND (:status IS NULL OR status = :status)
ORDER BY issued DESC, token_id"""  # noqa: S608 - the columns are those above

_LIST_USERS = f"""
SELECT {", ".join(_USER_COLUMNS)} FROM v_users
WHERE (:key IS NULL OR user_id = :key OR username = :key)
    AND (:user IS NULL OR name = :user OR email = :user)
    AND (:status IS NULL OR status = :status)
ORDER BY created DESC, user_id"""  # noqa: S608 - the columns are those above

_LIST_SESSIONS = f"""
SELECT {", ".join(_SESSION_COLUMNS)} FROM v_sessions
WHERE (:user IS NULL OR user_id = :user) AND (:status IS NULL OR status = :status)
ORDER BY last_used DESC, session_id"""  # noqa: S608 - the columns are those above

_REVOKE_ACCESS = """
UPDATE access_tokens SET revoked_at = :now
WHERE token_digest >= :token_id AND token_digest < :token_id || 'g' AND revoked_at IS NULL AND expires_at > :now
RETURNING 1"""

TOKEN_ID_LENGTH = 16
"""Hexadecimal digits of a token's digest that make its id."""


class SqlListings:
    """Lists clients, grants and tokens, newest first, for an operator; and ends a token by its id."""

    def __init__(self, driver: Driver) -> None:
        """List what this driver holds."""
        self._driver = driver

    async def list_clients(self, selection: Selection) -> list[Row]:
        """Give clients; ``user`` selects those that hold or held a grant of that user."""
        rows = await self._driver.scan(_rows(_LIST_CLIENTS, _CLIENT_COLUMNS, selection))
        for row in rows:
            row |= {name: json.loads(row[name]) for name in ("redirect_uris", "grant_types")}
        return rows

    async def list_grants(self, selection: Selection) -> list[Row]:
        """Give grants, those that are over too."""
        return await self._driver.scan(_rows(_LIST_GRANTS, _GRANT_COLUMNS, selection))

    async def list_tokens(self, selection: Selection) -> list[Row]:
        """Give access and refresh tokens, those that are over too."""
        return await self._driver.scan(_rows(_LIST_TOKENS, _TOKEN_COLUMNS, selection))

    async def list_users(self, selection: Selection) -> list[Row]:
        """Give users; ``key`` is an id or a username, ``user`` an exact name or address."""
        return await self._driver.scan(_rows(_LIST_USERS, _USER_COLUMNS, selection))

    async def list_sessions(self, selection: Selection) -> list[Row]:
        """Give sign-in sessions, those that are over too; ``user`` is an id."""
        return await self._driver.scan(_rows(_LIST_SESSIONS, _SESSION_COLUMNS, selection))

    async def revoke_access_token_by_id(self, token_id: str, now: int, event: Event | None = None) -> bool:
        """End one access token; ``False`` when it was over already."""
        return await self._driver.write(recorded(_revoke(token_id, now), event))


def _revoke(token_id: str, now: int) -> Script[bool]:
    return bool((yield Statement(_REVOKE_ACCESS, {"token_id": token_id, "now": now})))


def _rows(statement: str, columns: tuple[str, ...], selection: Selection) -> Script[list[Row]]:
    found = yield Statement(statement, asdict(selection))
    return [dict(zip(columns, row, strict=True)) for row in found]
