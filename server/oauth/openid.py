"""OpenID Connect for clients that want to know who their user is (OpenID Connect Core 1.0).

It is served where ``openid`` is among the scopes that can be granted, and not otherwise.
"""

import base64
import hashlib

from server.oauth import scopes, signing
from server.oauth.bearer import Caller
from server.oauth.context import Context
from server.oauth.errors import InsufficientScope, InvalidToken
from server.oauth.issue import TokenAnswer
from server.oauth.model import AccessToken, User
from server.settings import Settings

Claims = dict[str, object]


def claims_supported(settings: Settings) -> list[str]:
    """Name the claims that an ID token or UserInfo may hold (OpenID Connect Discovery section 3)."""
    granted = scopes.identity(settings)
    return [
        *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"),
        *(("email", "email_verified") if "email" in granted else ()),
        *(("name",) if "profile" in granted else ()),
    ]


def claims(user: User, granted: tuple[str, ...], settings: Settings) -> Claims:
    """Say what is known of a user and may be told under these scopes (OpenID Connect Core section 5.4).

    The subject is the user's id here: the same for every client, and never given to another user. An address that
    nobody vouched for is not kept at all, so the one that is there is verified.
    """
    held = scopes.with_implied(granted, settings) & scopes.identity(settings)
    told: Claims = {"sub": user.user_id}
    if "email" in held and user.email is not None:
        told |= {"email": user.email, "email_verified": True}
    if "profile" in held and user.name is not None:
        told["name"] = user.name
    return told


async def with_id_token(
    answer: TokenAnswer, row: AccessToken, auth_time: int | None, ctx: Context, nonce: str | None = None
) -> TokenAnswer:
    """Add an ID token to a token response, where its scopes have ``openid`` (Core sections 3.1.3.3 and 12.2).

    It ends with the access token beside it.

    Args:
        answer: The response without one.
        row: Its access token.
        auth_time: When the user proved who they are, in Unix seconds, where that is known.
        ctx: The request's context.
        nonce: The authorization request's; a refreshed ID token has none.

    Raises:
        SecretError: The signing key cannot be opened.
    """
    if ctx.signer is None or row.user_id is None or not _asks(row.scopes, ctx.settings):
        return answer
    user = await ctx.store.get_user(row.user_id)
    if user is None:
        return answer
    content: Claims = {
        "iss": ctx.settings.issuer,
        "aud": row.client_id,
        "exp": row.expires_at,
        "iat": ctx.now,
        "at_hash": _hash(str(answer["access_token"])),
        **claims(user, row.scopes, ctx.settings),
        **({} if auth_time is None else {"auth_time": auth_time}),
        **({} if nonce is None else {"nonce": nonce}),
    }
    key = await signing.current(ctx.store, ctx.signer, ctx.now)
    return {**answer, "id_token": ctx.signer.sign(content, key)}


def userinfo(caller: Caller, settings: Settings) -> Claims:
    """Say who holds an access token (OpenID Connect Core section 5.3).

    The token is one for the MCP endpoint, as all are: this server is the only audience that there is.

    Raises:
        InsufficientScope: The token does not have ``openid``.
        InvalidToken: It belongs to a client that acts for itself, and so to nobody.
    """
    if not _asks(caller.access.scopes, settings):
        raise InsufficientScope("this needs an access token with the scope openid")
    if caller.user is None:
        raise InvalidToken("This access token belongs to an application, not to a user.")
    return claims(caller.user, caller.access.scopes, settings)


def _asks(granted: tuple[str, ...], settings: Settings) -> bool:
    """Tell whether scopes have ``openid``, where that means what it does in OpenID Connect."""
    return scopes.OPENID in scopes.with_implied(granted, settings) & scopes.identity(settings)


def _hash(access_token: str) -> str:
    """Give the left half of a token's SHA-256, as RS256 wants it (OpenID Connect Core section 3.1.3.6)."""
    digest = hashlib.sha256(access_token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
