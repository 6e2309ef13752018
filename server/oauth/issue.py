"""What every grant issues: ids, tokens and the token response (RFC 6749 section 5.1)."""

from server.oauth import scopes, tokens
from server.oauth.context import Context
from server.oauth.model import AccessToken, Grant, RefreshToken

TokenAnswer = dict[str, object]
"""The members of a successful token response (RFC 6749 section 5.1)."""


ROUNDING = 1
"""Seconds by which a token outlives what is announced: times are whole, and clients count from the answer's coming.

Without it a busy client would present a token that it takes for live and the server for expired, and
some then send their user through /authorize again instead of refreshing.
"""


def grant_id(ctx: Context) -> str:
    """Make the id of a new grant."""
    return "att_gr_" + ctx.entropy(16).hex()


def access_token(grant: Grant, granted: tuple[str, ...], ctx: Context) -> tuple[str, AccessToken]:
    """Make an access token of a grant for some or all of its scopes, and the row to keep."""
    value = tokens.make(tokens.ACCESS, ctx.entropy)
    return value, AccessToken(
        token_digest=tokens.digest(value),
        hint=tokens.hint(value),
        grant_id=grant.grant_id,
        client_id=grant.client_id,
        user_id=grant.user_id,
        scopes=granted,
        audience=grant.audience,
        created_at=ctx.now,
        expires_at=_until(ctx.settings.oauth_access_token_ttl + ROUNDING, grant, ctx),
        address=ctx.address,
    )


def refresh_token(value: str, grant: Grant, ctx: Context) -> tuple[str, RefreshToken]:
    """Give a refresh token and the row to keep for it."""
    return value, RefreshToken(
        token_digest=tokens.digest(value),
        hint=tokens.hint(value),
        grant_id=grant.grant_id,
        client_id=grant.client_id,
        successor_salt=ctx.entropy(32).hex(),
        created_at=ctx.now,
        expires_at=_until(ctx.settings.oauth_refresh_token_ttl, grant, ctx),
    )


def answer(access: str, row: AccessToken, refresh: str | None, ctx: Context) -> TokenAnswer:
    """Write the token response; what was granted is always in it (RFC 6749 section 5.1)."""
    members: TokenAnswer = {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": min(ctx.settings.oauth_access_token_ttl, row.expires_at - ctx.now),
        "scope": scopes.join(row.scopes),
    }
    return members if refresh is None else {**members, "refresh_token": refresh}


def _until(ttl: int, grant: Grant, ctx: Context) -> int:
    return ctx.now + ttl if grant.expires_at is None else min(ctx.now + ttl, grant.expires_at)
