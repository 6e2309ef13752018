"""What the tools note in the audit log."""

from server import current
from server.oauth.audit import Event, Kind
from server.services import Services


def noted(
    services: Services, kind: Kind, now: int, *, client_id: str | None, user_id: str | None, detail: str
) -> Event | None:
    """Say what a call changes, and from where it came; ``None`` when no audit log is kept.

    Args:
        services: Have the settings.
        kind: What happens.
        now: Unix seconds.
        client_id: The application whose token it is.
        user_id: The user whose token it is.
        detail: A few words.
    """
    if not services.settings.audit_retention_days:
        return None
    return Event(now, kind, client_id, user_id, current.client_address.get(), detail=detail)
