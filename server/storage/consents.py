"""What users allowed, remembered apart from the grants that came of it."""

from server.oauth.audit import Event
from server.oauth.model import Consent
from server.storage.audit import recorded
from server.storage.driver import Driver, Script, Statement

_REMEMBER_CONSENT = """
INSERT INTO consents (user_id, client_id, redirect_uri, scope, fingerprint, created_at, expires_at)
VALUES (:user_id, :client_id, :redirect_uri, :scope, :fingerprint, :created_at, :expires_at)
ON CONFLICT (user_id, client_id, redirect_uri, scope) DO UPDATE SET
    fingerprint = excluded.fingerprint, created_at = excluded.created_at, expires_at = excluded.expires_at"""

_WITHDRAW_CONSENT = """
DELETE FROM consents
WHERE user_id = :user_id AND client_id = :client_id AND redirect_uri = :redirect_uri AND scope = :scope"""

_FORGET_CONSENTS_OF_APPLICATION = "DELETE FROM consents WHERE user_id = :user_id AND client_id = :client_id"

# A client or user whose row was deleted and made anew since is another one.

_GET_CONSENTED_SCOPES = """
SELECT k.scope FROM consents k
JOIN clients c ON c.client_id = k.client_id AND c.created_at <= k.created_at
JOIN users u ON u.user_id = k.user_id AND u.disabled_at IS NULL AND u.created_at <= k.created_at
WHERE k.user_id = :user_id AND k.client_id = :client_id AND k.redirect_uri = :redirect_uri
    AND k.fingerprint = :fingerprint AND k.expires_at > :now
ORDER BY k.scope"""

_REVOKE_GRANTS_OF_APPLICATION = """
UPDATE grants SET revoked_at = :now, revoked_reason = :reason
WHERE user_id = :user_id AND client_id = :client_id AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > :now)
RETURNING 1"""

_EXPIRE_CODES_OF_APPLICATION = """
UPDATE authorization_codes SET expires_at = :now
WHERE user_id = :user_id AND client_id = :client_id AND used_at IS NULL AND expires_at > :now"""


class SqlConsentStore:
    """The part of `server.oauth.store.Store` that is about consents, in SQL."""

    def __init__(self, driver: Driver) -> None:
        """Keep everything through this driver."""
        self._driver = driver

    async def get_consented_scopes(
        self, user_id: str, client_id: str, redirect_uri: str, fingerprint: str, now: int
    ) -> tuple[str, ...]:
        """Give the scopes that a live user allowed a client and that are still remembered."""
        return await self._driver.read(_get_consented_scopes(user_id, client_id, redirect_uri, fingerprint, now))

    async def forget_application(
        self, user_id: str, client_id: str, reason: str, now: int, event: Event | None = None
    ) -> int:
        """End what a user allowed a client, and give how many grants there were."""
        return await self._driver.write(recorded(_forget_application(user_id, client_id, reason, now), event))


def remember(consent: Consent) -> Script[None]:
    """Remember what was allowed and forget what was not, as part of the transaction that decides."""
    given_for = {
        "user_id": consent.user_id,
        "client_id": consent.client_id,
        "redirect_uri": consent.redirect_uri,
    }
    about = {
        "fingerprint": consent.fingerprint,
        "created_at": consent.created_at,
        "expires_at": consent.expires_at,
    }
    for scope in consent.scopes:
        yield Statement(_REMEMBER_CONSENT, {**given_for, "scope": scope, **about})
    for scope in consent.withdrawn:
        yield Statement(_WITHDRAW_CONSENT, {**given_for, "scope": scope})


def _get_consented_scopes(
    user_id: str, client_id: str, redirect_uri: str, fingerprint: str, now: int
) -> Script[tuple[str, ...]]:
    given_for = {"user_id": user_id, "client_id": client_id, "redirect_uri": redirect_uri, "fingerprint": fingerprint}
    found = yield Statement(_GET_CONSENTED_SCOPES, {**given_for, "now": now})
    return tuple(scope for (scope,) in found)


def _forget_application(user_id: str, client_id: str, reason: str, now: int) -> Script[int]:
    application = {"user_id": user_id, "client_id": client_id, "now": now}
    yield Statement(_FORGET_CONSENTS_OF_APPLICATION, application)
    yield Statement(_EXPIRE_CODES_OF_APPLICATION, application)
    return len((yield Statement(_REVOKE_GRANTS_OF_APPLICATION, {**application, "reason": reason})))
