"""What deciding about one request takes."""

from dataclasses import dataclass, field

from server.oauth.audit import Event, Kind
from server.oauth.model import AccessToken, AuthorizationCode, Grant
from server.oauth.remote import Remote
from server.oauth.signing import Signer
from server.oauth.store import Store
from server.oauth.tokens import Entropy
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The store, the settings, randomness, the request's one time in Unix seconds, other servers, and its address."""

    store: Store
    settings: Settings
    entropy: Entropy
    now: int
    remote: Remote = field(default_factory=Remote)
    address: str | None = None
    """The client's, for the audit log."""
    signer: Signer | None = None
    """Signs ID tokens; without one there are none."""

    def event(
        self,
        kind: Kind,
        *,
        client_id: str | None = None,
        user_id: str | None = None,
        grant_id: str | None = None,
        detail: str | None = None,
    ) -> Event | None:
        """Say what happens in this request; ``None`` when no audit log is kept."""
        if not self.settings.audit_retention_days:
            return None
        return Event(self.now, kind, client_id, user_id, self.address, grant_id, detail)

    def grant_event(
        self, kind: Kind, holding: Grant | AccessToken | AuthorizationCode, detail: str | None = None
    ) -> Event | None:
        """Say what happens to a grant, or to something that belongs to one."""
        return self.event(
            kind, client_id=holding.client_id, user_id=holding.user_id, grant_id=holding.grant_id, detail=detail
        )
