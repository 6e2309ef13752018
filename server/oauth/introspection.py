"""Token introspection (RFC 7662): a client learns of tokens that were issued to it, and of no others."""

from server.oauth import scopes, tokens
from server.oauth.context import Context
from server.oauth.grants import Refresh, decide_refresh
from server.oauth.model import Client
from server.oauth.parameters import Parameters

Claims = dict[str, object]

_INACTIVE: Claims = {"active": False}


async def introspect(params: Parameters, client: Client, ctx: Context) -> Claims:
    """Describe an active token of the caller's; for any other it is exactly ``{"active": false}``.

    Raises:
        InvalidRequest: The token is missing.
    """
    token = params.require("token")
    if tokens.is_well_formed(tokens.ACCESS, token):
        return await _access_token(token, client, ctx)
    if tokens.is_well_formed(tokens.REFRESH, token):
        return await _refresh_token(token, client, ctx)
    return _INACTIVE


async def _access_token(token: str, client: Client, ctx: Context) -> Claims:
    live = await ctx.store.get_access_token(tokens.digest(token), ctx.now)
    if live is None or live.token.client_id != client.client_id:
        return _INACTIVE
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


async def _refresh_token(token: str, client: Client, ctx: Context) -> Claims:
    held = await ctx.store.get_refresh_token(tokens.digest(token), ctx.now)
    decision = decide_refresh(held, client.client_id, ctx.settings.oauth_refresh_grace, ctx.now)
    if held is None or decision not in {Refresh.ROTATE, Refresh.REPEAT}:
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
