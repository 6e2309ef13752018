"""Sign-in sessions: how long one lasts, and whether it will do for a request."""

from server.identity.model import Session
from server.oauth import tokens
from server.oauth.context import Context
from server.oauth.model import AuthorizationRequest
from server.oauth.remembered import prompts

IDLE = 86_400
"""Seconds without use after which a session is over."""

LIFETIME = 7 * 86_400
"""Seconds after which a session is over, however much it is used."""

TOUCH = 300
"""Seconds after which a further use of a session is written down."""

_ANEW = frozenset({"login", "select_account"})


def new(value: str, user_id: str, method: str, ctx: Context, upstream: str | None = None) -> Session:
    """Make a session.

    Args:
        value: What the browser's cookie will be; random.
        user_id: Whose session.
        method: How they proved who they are.
        ctx: The request's context.
        upstream: What the provider has to remember, sealed.
    """
    return Session(
        session_digest=tokens.digest(value),
        user_id=user_id,
        method=method,
        created_at=ctx.now,
        last_used_at=ctx.now,
        expires_at=ctx.now + LIFETIME,
        address=ctx.address,
        upstream=upstream,
    )


def answers(session: Session, asked: AuthorizationRequest, now: int) -> bool:
    """Tell whether a session will do for an authorization request (OpenID Connect Core section 3.1.2.1).

    One that was begun, or chosen, for this very request always does.
    """
    if asked.session_digest == session.session_digest:
        return True
    return _ANEW.isdisjoint(prompts(asked)) and is_recent(session, asked, now)


def may_be_chosen(session: Session, asked: AuthorizationRequest, now: int) -> bool:
    """Tell whether the user of a session may go on as who they are, once they have been asked."""
    return "login" not in prompts(asked) and is_recent(session, asked, now)


def is_recent(session: Session, asked: AuthorizationRequest, now: int) -> bool:
    """Tell whether the sign-in lies back no further than the request allows; ``max_age=0`` is never met."""
    return asked.max_age is None or now - session.created_at < asked.max_age
