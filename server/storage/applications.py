"""What a user has allowed, application by application, in SQL."""

from server.identity.model import Application
from server.storage.driver import Driver, Rows, Script, Statement

# A client or user whose row was deleted and made anew since is another one.

_GRANTS = """
SELECT c.client_id, c.client_name, g.scopes, g.created_at, g.last_used_at, g.last_address
FROM grants g JOIN clients c ON c.client_id = g.client_id
WHERE g.user_id = :user_id AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > :now)
ORDER BY coalesce(g.last_used_at, g.created_at), g.grant_id"""

_CONSENTS = """
SELECT c.client_id, c.client_name, k.scope, k.created_at, NULL, NULL
FROM consents k
JOIN clients c ON c.client_id = k.client_id AND c.created_at <= k.created_at
JOIN users u ON u.user_id = k.user_id AND u.created_at <= k.created_at
WHERE k.user_id = :user_id AND k.expires_at > :now
ORDER BY k.scope"""


class SqlApplicationStore:
    """The part of `server.identity.store.IdentityStore` that is about what a user has allowed."""

    def __init__(self, driver: Driver) -> None:
        """Look it up through this driver."""
        self._driver = driver

    async def list_applications(self, user_id: str, now: int) -> tuple[Application, ...]:
        """Give the clients that a user has allowed something that is still good, by name."""
        return await self._driver.read(_list(user_id, now))


def _list(user_id: str, now: int) -> Script[tuple[Application, ...]]:
    values = {"user_id": user_id, "now": now}
    granted: Rows = yield Statement(_GRANTS, values)
    consented: Rows = yield Statement(_CONSENTS, values)
    found: dict[str, list[Application]] = {}
    for grants, rows in ((1, granted), (0, consented)):
        for client_id, name, scopes, created_at, last_used_at, last_address in rows:
            one = Application(client_id, name, tuple(scopes.split()), grants, created_at, last_used_at, last_address)
            found.setdefault(client_id, []).append(one)
    merged = (_merge(parts) for parts in found.values())
    return tuple(sorted(merged, key=lambda one: ((one.client_name or "").casefold(), one.client_id)))


def _merge(parts: list[Application]) -> Application:
    """Put together what is known of one client; its grants come in the order of their use, and then its consents."""
    last = max(parts, key=lambda part: part.last_used_at or 0)
    return Application(
        client_id=last.client_id,
        client_name=last.client_name,
        scopes=tuple(dict.fromkeys(scope for part in parts for scope in part.scopes)),
        grants=sum(part.grants for part in parts),
        first_used_at=min(part.first_used_at for part in parts),
        last_used_at=last.last_used_at,
        last_address=last.last_address,
    )
