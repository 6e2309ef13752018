"""A sign-in at the provider that is under way, and where it is kept."""

from dataclasses import dataclass
from typing import Protocol

ATTEMPT_TTL = 600
"""Seconds that a sign-in waits for the provider's answer."""

APPROVAL_TTL = 30 * 86_400
"""Seconds for which a browser that went on to the provider for a client need not be asked about that again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hop to the provider. Its ``state`` is single use, and good in one browser only."""

    state_digest: str
    browser_digest: str
    issuer: str
    """The provider that was asked, as it was configured."""
    nonce_digest: str
    sealed: str
    """The PKCE verifier, and the handle of the authorization request to go on to, if there is one."""
    created_at: int
    expires_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody at a browser went on to the provider for a client; it grants nothing."""

    browser_digest: str
    client_id: str
    redirect_uri: str
    """Where the page said that they would be sent back to; on loopback without its port."""
    fingerprint: str
    created_at: int
    expires_at: int


class UpstreamStore(Protocol):
    """Sign-ins under way, and approvals of the hop. One method is one transaction."""

    async def add_attempt(self, attempt: Attempt, approval: Approval | None = None) -> None:
        """Keep a new sign-in, and that its browser approved the hop for the client."""

    async def get_attempt(self, state_digest: str) -> Attempt | None:
        """Give the sign-in, used and expired ones too, or ``None``."""

    async def use_attempt(self, state_digest: str, now: int) -> bool:
        """Use up a sign-in that is unused and has not expired; ``False`` when there is none such."""

    async def has_approval(self, wanted: Approval) -> bool:
        """Tell whether a browser approved this hop before, and the client still is what it was."""
