"""What is kept of codes and tokens, in SQL."""

from server.oauth import tokens
from server.oauth.model import AuthorizationCode, Client, Held, HeldRefreshToken, LiveAccessToken, RefreshToken, User
from server.storage import rows
from server.storage import statements as sql
from server.storage.clients import get_client
from server.storage.driver import Driver, Script, Statement

_ACCESS_COLUMNS = 9
_REFRESH_COLUMNS = 8


class SqlHeldStore:
    """The part of `server.oauth.store.Store` that looks up what a client presents."""

    _driver: Driver

    async def get_authorization_code(self, code_digest: str) -> AuthorizationCode | None:
        """Give the code, used and expired ones too, or ``None``."""
        return await self._driver.read(_get_authorization_code(code_digest))

    async def get_access_token(self, token_digest: str, now: int) -> LiveAccessToken | None:
        """Give the token if it, its grant, its client and its user, if it has one, are all live, else ``None``."""
        return await self._driver.read(_get_access_token(token_digest, now))

    async def get_refresh_token(self, token_digest: str, now: int) -> HeldRefreshToken | None:
        """Give the token with its grant, used and expired ones too, or ``None``."""
        return await self._driver.read(_get_refresh_token(token_digest, now))

    async def get_client_and_held(
        self, client_id: str, prefix: str, secret_digest: str, now: int
    ) -> tuple[Client | None, Held | None]:
        """Give a client and what is kept of a code or token that it presents."""
        return await self._driver.read(_get_client_and_held(client_id, prefix, secret_digest, now))


def _get_authorization_code(code_digest: str) -> Script[AuthorizationCode | None]:
    found = yield Statement(sql.GET_AUTHORIZATION_CODE, {"code_digest": code_digest})
    return rows.authorization_code(found[0]) if found else None


def _get_access_token(token_digest: str, now: int) -> Script[LiveAccessToken | None]:
    found = yield Statement(sql.GET_LIVE_ACCESS, {"token_digest": token_digest, "now": now})
    if not found:
        return None
    row, user = found[0][:_ACCESS_COLUMNS], found[0][_ACCESS_COLUMNS:]
    return LiveAccessToken(rows.access_token(row), None if user[0] is None else User(*user))


def _get_refresh_token(token_digest: str, now: int) -> Script[HeldRefreshToken | None]:
    found = yield Statement(sql.GET_REFRESH, {"token_digest": token_digest, "now": now})
    if not found:
        return None
    row = found[0]
    token, grant = RefreshToken(*row[:_REFRESH_COLUMNS]), rows.grant(row[_REFRESH_COLUMNS:-1])
    return HeldRefreshToken(token, grant, grant_live=bool(row[-1]))


def _get_client_and_held(
    client_id: str, prefix: str, secret_digest: str, now: int
) -> Script[tuple[Client | None, Held | None]]:
    client = yield from get_client(client_id)
    held: Held | None
    match prefix:
        case tokens.CODE:
            held = yield from _get_authorization_code(secret_digest)
        case tokens.ACCESS:
            held = yield from _get_access_token(secret_digest, now)
        case tokens.REFRESH:
            held = yield from _get_refresh_token(secret_digest, now)
        case _:
            raise ValueError(f"{prefix} begins neither a code nor a token")
    return client, held
