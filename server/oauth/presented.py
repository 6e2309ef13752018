"""The code or token that a client presents, looked up together with the client."""

from server.oauth import tokens
from server.oauth.context import Context
from server.oauth.model import Client, Held


async def look_up(client_id: str, secret: str | None, ctx: Context) -> tuple[Client | None, Held | None]:
    """Find a client and what is kept of a code or token, in one read; other text costs no look-up.

    Args:
        client_id: Who presents it, as far as is known.
        secret: The code or token as it was sent, if there is one; it need not be the client's.
        ctx: The request's context.
    """
    for prefix in (tokens.REFRESH, tokens.ACCESS, tokens.CODE):
        if secret is not None and tokens.is_well_formed(prefix, secret):
            return await ctx.store.get_client_and_held(client_id, prefix, tokens.digest(secret), ctx.now)
    return await ctx.store.get_client(client_id), None
