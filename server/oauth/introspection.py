"""Token introspection (RFC 7662): a client learns of tokens that were issued to it, and of no others."""

from server.oauth import scopes
from server.oauth.context import Context
from server.oauth.model import Client, Held, HeldRefreshToken, LiveAccessToken
from server.oauth.rotation import Refresh, decide_refresh

Claims = dict[str, object]

_INACTIVE: Claims = {"active": False}


def introspect(held: Held | None, client: Client, ctx: Context) -> Claims:
    """Describe an active token of the caller's; for any other it is exactly ``{"active": false}``."""
    match held:
        case LiveAccessToken(token) if token.client_id == client.client_id:
            return _access_token(held, ctx)
        case HeldRefreshToken():
            return _refresh_token(held, client, ctx)
    return _INACTIVE


def _access_token(live: LiveAccessToken, ctx: Context) -> Claims:
    username = {} if live.user is None else {"username": live.user.name or live.user.subject}
    return {
        "active": True,
        "scope": scopes.join(live.token.scopes),
        "client_id": live.token.client_id,
        **username,
        "token_type": "Bearer",
        "exp": live.token.expires_at,
        "iat": live.token.created_at,
        "sub": live.token.client_id if live.user is None else live.user.user_id,
        "aud": live.token.audience,
        "iss": ctx.settings.issuer,
    }


def _refresh_token(held: HeldRefreshToken, client: Client, ctx: Context) -> Claims:
    decision = decide_refresh(held, client.client_id, ctx.settings.oauth_refresh_grace, ctx.now)
    if decision not in {Refresh.ROTATE, Refresh.REPEAT}:
        return _INACTIVE
    used_at = held.token.used_at
    ends = held.token.expires_at if used_at is None else used_at + ctx.settings.oauth_refresh_grace
    return {
        "active": True,
        "scope": scopes.join(held.grant.scopes),
        "client_id": held.token.client_id,
        "exp": ends,
        "iat": held.token.created_at,
        "sub": held.grant.user_id,
        "aud": held.grant.audience,
        "iss": ctx.settings.issuer,
    }
