"""The authorization server's store: each method is one transaction, written once for any driver."""

from server.oauth.audit import Event
from server.oauth.model import (
    AccessToken,
    AuthorizationCode,
    AuthorizationRequest,
    Client,
    Consent,
    Counts,
    Grant,
    RefreshToken,
    User,
)
from server.storage import rows
from server.storage import statements as sql
from server.storage.audit import recorded
from server.storage.consents import remember
from server.storage.driver import Driver, Script, Statement, changed
from server.storage.upstream import forget_approval

_REQUEST_COLUMNS = 16


class SqlStore:
    """`server.oauth.store.Store` in SQL; its docstrings say what each method answers."""

    def __init__(self, driver: Driver) -> None:
        """Keep everything through this driver."""
        self._driver = driver

    async def add_authorization_request(self, request: AuthorizationRequest) -> None:
        """Keep a validated request until its user decides."""
        await self._driver.write(_add_authorization_request(request))

    async def get_authorization_request(self, handle_digest: str) -> AuthorizationRequest | None:
        """Give the request, decided and expired ones too, or ``None``."""
        return await self._driver.read(_get_authorization_request(handle_digest))

    async def get_request_and_client(
        self, handle_digest: str, user_id: str | None = None
    ) -> tuple[AuthorizationRequest | None, Client | None, bool]:
        """Give the request and its client, and tell whether a user is disabled."""
        return await self._driver.read(_get_request_and_client(handle_digest, user_id))

    async def open_authorization_request(self, handle_digest: str, browser_digest: str, now: int) -> bool:
        """Bind a pending request that no browser has opened."""
        opening = {"handle_digest": handle_digest, "browser_digest": browser_digest, "now": now}
        return await self._driver.write(changed(sql.OPEN_AUTHORIZATION_REQUEST, **opening))

    async def approve_authorization_request(
        self,
        handle_digest: str,
        user: User,
        code: AuthorizationCode,
        now: int,
        consent: Consent | None = None,
        event: Event | None = None,
    ) -> bool:
        """Decide a pending request: keep its user, if new, its code, and what is to be remembered."""
        return await self._driver.write(recorded(_approve(handle_digest, user, code, now, consent), event))

    async def deny_authorization_request(
        self, handle_digest: str, now: int, consent: Consent | None = None, event: Event | None = None
    ) -> bool:
        """Decide a pending request without a code."""
        return await self._driver.write(recorded(_deny(handle_digest, now, consent), event))

    async def redeem_authorization_code(
        self,
        code_digest: str,
        grant: Grant,
        access: AccessToken,
        refresh: RefreshToken | None,
        now: int,
        event: Event | None = None,
    ) -> bool:
        """Use up a code, and keep what it yields."""
        return await self._driver.write(recorded(_redeem(code_digest, grant, access, refresh, now), event))

    async def add_machine_grant(self, grant: Grant, access: AccessToken, now: int, event: Event | None = None) -> bool:
        """Keep a grant without a user and its one access token, if its client is live."""
        return await self._driver.write(recorded(_add_machine_grant(grant, access, now), event))

    async def rotate_refresh_token(
        self, token_digest: str, successor: RefreshToken, access: AccessToken, now: int, event: Event | None = None
    ) -> bool:
        """Use a refresh token for the first time: keep its successor and the access token."""
        return await self._driver.write(recorded(_rotate(token_digest, successor, access, now), event))

    async def add_access_token(self, access: AccessToken, now: int, event: Event | None = None) -> bool:
        """Keep a further access token of a live grant."""
        return await self._driver.write(recorded(_add_access_token(access, now), event))

    async def revoke_access_token(self, token_digest: str, now: int, event: Event | None = None) -> bool:
        """End one access token; ``False`` when it was over already."""
        script = changed(sql.REVOKE_ACCESS, token_digest=token_digest, now=now)
        return await self._driver.write(recorded(script, event))

    async def revoke_grant(self, grant_id: str, reason: str, now: int, event: Event | None = None) -> bool:
        """End a grant and with it every token of its family; ``False`` when it was over already."""
        script = changed(sql.REVOKE_GRANT, grant_id=grant_id, reason=reason, now=now)
        return await self._driver.write(recorded(script, event))

    async def count_live(self, now: int) -> Counts:
        """Count the live rows."""
        return await self._driver.scan(count_live(now))


def _add_authorization_request(request: AuthorizationRequest) -> Script[None]:
    yield Statement(sql.ADD_AUTHORIZATION_REQUEST, rows.parameters(request))


def _get_authorization_request(handle_digest: str) -> Script[AuthorizationRequest | None]:
    found = yield Statement(sql.GET_AUTHORIZATION_REQUEST, {"handle_digest": handle_digest})
    return rows.authorization_request(found[0]) if found else None


def _get_request_and_client(
    handle_digest: str, user_id: str | None
) -> Script[tuple[AuthorizationRequest | None, Client | None, bool]]:
    found = yield Statement(sql.GET_REQUEST_AND_CLIENT, {"handle_digest": handle_digest, "user_id": user_id})
    if not found:
        return None, None, False
    row, is_disabled = found[0][:-1], bool(found[0][-1])
    request, client = rows.authorization_request(row[:_REQUEST_COLUMNS]), row[_REQUEST_COLUMNS:]
    return request, None if client[0] is None else rows.client(client), is_disabled


def _deny(handle_digest: str, now: int, consent: Consent | None) -> Script[bool]:
    if not (yield Statement(sql.DENY_AUTHORIZATION_REQUEST, {"handle_digest": handle_digest, "now": now})):
        return False
    if consent is not None:
        yield from remember(consent)
    yield from forget_approval(handle_digest)
    return True


def _approve(
    handle_digest: str, user: User, code: AuthorizationCode, now: int, consent: Consent | None
) -> Script[bool]:
    decision = {"handle_digest": handle_digest, "user_id": user.user_id, "now": now}
    decided = yield Statement(sql.APPROVE_AUTHORIZATION_REQUEST, decision)
    if not decided:
        return False
    [(is_known,)] = decided
    if not is_known:
        yield from _start_afresh(user, now)
    if consent is not None:
        yield from remember(consent)
    yield Statement(sql.ADD_AUTHORIZATION_CODE, rows.parameters(code))
    return True


def _start_afresh(user: User, now: int) -> Script[None]:
    """Keep a new user, and end what an earlier row of the same id, deleted since, may have left open."""
    former = {"user_id": user.user_id, "now": now, "reason": "user_deleted"}
    yield Statement(sql.REVOKE_GRANTS_OF_USER, former)
    yield Statement(sql.EXPIRE_CODES_OF_USER, former)
    yield Statement(sql.FORGET_CONSENTS_OF_USER, former)
    yield Statement(sql.ADD_USER, {**rows.parameters(user), "now": now})


def _redeem(
    code_digest: str, grant: Grant, access: AccessToken, refresh: RefreshToken | None, now: int
) -> Script[bool]:
    use = {"code_digest": code_digest, "grant_id": grant.grant_id, "now": now}
    if not (yield Statement(sql.USE_AUTHORIZATION_CODE, use)):
        return False
    if refresh is None:
        grant = _ending_with(grant, access)
    yield from _add_grant(grant, access, refresh, now)
    return True


def _add_machine_grant(grant: Grant, access: AccessToken, now: int) -> Script[bool]:
    if not (yield Statement(sql.GET_CLIENT, {"client_id": grant.client_id})):
        return False
    yield from _add_grant(grant, access, None, now)
    return True


def _ending_with(grant: Grant, access: AccessToken) -> Grant:
    """Let a grant that cannot be refreshed end with its only token."""
    ends = access.expires_at if grant.expires_at is None else min(grant.expires_at, access.expires_at)
    return grant._replace(expires_at=ends)


def _add_grant(grant: Grant, access: AccessToken, refresh: RefreshToken | None, now: int) -> Script[None]:
    """Keep a grant with its first tokens."""
    yield Statement(sql.ADD_GRANT, {**rows.parameters(grant), **_use(access, refresh, now)})
    yield from _add_tokens(access, refresh, now)


def _issue(access: AccessToken, refresh: RefreshToken | None, now: int) -> Script[None]:
    """Keep further tokens of a grant."""
    yield Statement(sql.USE_GRANT, _use(access, refresh, now))
    yield from _add_tokens(access, refresh, now)


def _use(access: AccessToken, refresh: RefreshToken | None, now: int) -> dict[str, object]:
    """Say of a grant for what it is used: to issue these tokens."""
    until = access.expires_at if refresh is None else max(access.expires_at, refresh.expires_at)
    return {"grant_id": access.grant_id, "address": access.address, "until": until, "now": now}


def _add_tokens(access: AccessToken, refresh: RefreshToken | None, now: int) -> Script[None]:
    """Keep tokens, and that their client was used."""
    if refresh is not None:
        yield Statement(sql.ADD_REFRESH, rows.parameters(refresh))
    yield Statement(sql.ADD_ACCESS, rows.parameters(access))
    yield Statement(sql.USE_CLIENT, {"client_id": access.client_id, "now": now})


def _rotate(token_digest: str, successor: RefreshToken, access: AccessToken, now: int) -> Script[bool]:
    if not (yield Statement(sql.USE_REFRESH, {"token_digest": token_digest, "now": now})):
        return False
    yield from _issue(access, successor, now)
    return True


def _add_access_token(access: AccessToken, now: int) -> Script[bool]:
    if not (yield Statement(sql.GET_LIVE_GRANT, {"grant_id": access.grant_id, "now": now})):
        return False
    yield from _issue(access, None, now)
    return True


def count_live(now: int) -> Script[Counts]:
    """Count the live rows."""
    found = yield Statement(sql.COUNT_LIVE, {"now": now})
    return Counts(*found[0])
