"""Token revocation (RFC 7009): only the client that holds a token can revoke it."""

from server.oauth import tokens
from server.oauth.audit import Kind
from server.oauth.context import Context
from server.oauth.model import Client
from server.oauth.parameters import Parameters


async def revoke(params: Parameters, client: Client, ctx: Context) -> None:
    """End the family of a refresh token, or one access token; anything else changes nothing.

    Raises:
        InvalidRequest: The token is missing.
    """
    token = params.require("token")
    if tokens.is_well_formed(tokens.REFRESH, token):
        held = await ctx.store.get_refresh_token(tokens.digest(token), ctx.now)
        if held is not None and held.token.client_id == client.client_id:
            event = ctx.grant_event(Kind.GRANT_REVOKED, held.grant, "by its client")
            await ctx.store.revoke_grant(held.grant.grant_id, "revoked by its client", ctx.now, event)
    elif tokens.is_well_formed(tokens.ACCESS, token):
        live = await ctx.store.get_access_token(tokens.digest(token), ctx.now)
        if live is not None and live.token.client_id == client.client_id:
            event = ctx.grant_event(Kind.ACCESS_TOKEN_REVOKED, live.token, "by its client")
            await ctx.store.revoke_access_token(live.token.token_digest, ctx.now, event)
