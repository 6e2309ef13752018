"""What presenting a refresh token comes to (RFC 9700 section 4.14.2)."""

from enum import Enum, auto

from server.oauth.model import HeldRefreshToken


class Refresh(Enum):
    """What presenting a refresh token comes to."""

    ROTATE = auto()
    """It is used for the first time: it gets its successor."""
    REPEAT = auto()
    """It is presented again within the grace: a further access token, the same successor."""
    REUSE = auto()
    """It is presented again after the grace: the family ends."""
    REFUSE = auto()
    """It is over, or not this client's."""


def decide_refresh(held: HeldRefreshToken | None, client_id: str, grace: int, now: int) -> Refresh:
    """Decide about a presented refresh token (RFC 9700 section 4.14.2).

    Args:
        held: The stored token and its grant, if there is one.
        client_id: The authenticated client.
        grace: Seconds after its first use in which a token may be presented again.
        now: The time in Unix seconds.
    """
    if held is None or held.token.client_id != client_id or not held.grant_live:
        return Refresh.REFUSE
    used_at = held.token.used_at
    if used_at is None:
        return Refresh.ROTATE if now < held.token.expires_at else Refresh.REFUSE
    return Refresh.REPEAT if now < used_at + grace else Refresh.REUSE
