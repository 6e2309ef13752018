"""Token revocation (RFC 7009): only the client that holds a token can revoke it."""

from server.oauth.audit import Kind
from server.oauth.context import Context
from server.oauth.model import Client, Held, HeldRefreshToken, LiveAccessToken


async def revoke(held: Held | None, client: Client, ctx: Context) -> None:
    """End the family of a refresh token, or one access token; anything else changes nothing."""
    match held:
        case HeldRefreshToken(token, grant) if token.client_id == client.client_id:
            event = ctx.grant_event(Kind.GRANT_REVOKED, grant, "by its client")
            await ctx.store.revoke_grant(grant.grant_id, "revoked by its client", ctx.now, event)
        case LiveAccessToken(token) if token.client_id == client.client_id:
            event = ctx.grant_event(Kind.ACCESS_TOKEN_REVOKED, token, "by its client")
            await ctx.store.revoke_access_token(token.token_digest, ctx.now, event)
