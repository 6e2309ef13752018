"""Sign-ins at the upstream provider, and the browsers that approved the hop there."""

from server.identity.oidc.model import Approval, Attempt
from server.storage.driver import Driver, Script, Statement, changed

_ADD_ATTEMPT = """
INSERT INTO upstream_sign_ins (
    state_digest, browser_digest, issuer, nonce_digest, sealed, created_at, expires_at, used_at
) VALUES (
    :state_digest, :browser_digest, :issuer, :nonce_digest, :sealed, :created_at, :expires_at, :used_at
)"""

_GET_ATTEMPT = """
SELECT state_digest, browser_digest, issuer, nonce_digest, sealed, created_at, expires_at, used_at
FROM upstream_sign_ins WHERE state_digest = :state_digest"""

_USE_ATTEMPT = """
UPDATE upstream_sign_ins SET used_at = :now
WHERE state_digest = :state_digest AND used_at IS NULL AND expires_at > :now
RETURNING 1"""

_APPROVE = """
INSERT INTO browser_approvals (browser_digest, client_id, redirect_uri, fingerprint, created_at, expires_at)
VALUES (:browser_digest, :client_id, :redirect_uri, :fingerprint, :created_at, :expires_at)
ON CONFLICT (browser_digest, client_id, redirect_uri) DO UPDATE SET
    fingerprint = excluded.fingerprint, created_at = excluded.created_at, expires_at = excluded.expires_at"""

# A client whose row was deleted and made anew since is another one.
_HAS_APPROVAL = """
SELECT 1 FROM browser_approvals b
JOIN clients c ON c.client_id = b.client_id AND c.created_at <= b.created_at
WHERE b.browser_digest = :browser_digest AND b.client_id = :client_id AND b.redirect_uri = :redirect_uri
    AND b.fingerprint = :fingerprint AND b.expires_at > :created_at"""


_FORGET_APPROVAL = """
DELETE FROM browser_approvals WHERE (browser_digest, client_id) IN (
    SELECT browser_digest, client_id FROM authorization_requests WHERE handle_digest = :handle_digest
)"""


class SqlUpstreamStore:
    """`server.identity.oidc.model.UpstreamStore` in SQL."""

    def __init__(self, driver: Driver) -> None:
        """Keep everything through this driver."""
        self._driver = driver

    async def add_attempt(self, attempt: Attempt, approval: Approval | None = None) -> None:
        """Keep a new sign-in, and that its browser approved the hop for a client."""
        await self._driver.write(_add_attempt(attempt, approval))

    async def get_attempt(self, state_digest: str) -> Attempt | None:
        """Give the sign-in, used and expired ones too, or ``None``."""
        return await self._driver.read(_get_attempt(state_digest))

    async def use_attempt(self, state_digest: str, now: int) -> bool:
        """Use up a sign-in that is unused and has not expired; ``False`` when there is none such."""
        return await self._driver.write(changed(_USE_ATTEMPT, state_digest=state_digest, now=now))

    async def has_approval(self, wanted: Approval) -> bool:
        """Tell whether a browser approved the hop for a client that still is what it was."""
        return await self._driver.read(changed(_HAS_APPROVAL, **_fields(wanted)))


def forget_approval(handle_digest: str) -> Script[None]:
    """Let a browser be asked again about the client of a request that was denied, as part of that transaction."""
    yield Statement(_FORGET_APPROVAL, {"handle_digest": handle_digest})


def _add_attempt(attempt: Attempt, approval: Approval | None) -> Script[None]:
    yield Statement(_ADD_ATTEMPT, _fields(attempt))
    if approval is not None:
        yield Statement(_APPROVE, _fields(approval))


def _get_attempt(state_digest: str) -> Script[Attempt | None]:
    found = yield Statement(_GET_ATTEMPT, {"state_digest": state_digest})
    return Attempt(*found[0]) if found else None


def _fields(value: Attempt | Approval) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__slots__}
