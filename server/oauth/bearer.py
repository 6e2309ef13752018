"""The resource server's side of OAuth: bearer tokens and challenges (RFC 6750, RFC 9728 section 5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from server.oauth.errors import InvalidRequest, InvalidToken
from server.oauth.model import AccessToken, User
from server.oauth.store import Store
from server.oauth.tokens import ACCESS, digest, is_well_formed


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, as a live access token says."""

    token: str = field(repr=False)
    access: AccessToken
    user: User | None
    """``None`` for a client that acts for itself (RFC 6749 section 4.4)."""


def read_token(authorization: Sequence[str]) -> str | None:
    """Give the bearer token of a request, or ``None`` when it carries none (RFC 6750 section 2.1).

    Args:
        authorization: The values of every ``Authorization`` header, in order.

    Raises:
        InvalidRequest: The header was sent more than once.
    """
    if len(authorization) > 1:
        raise InvalidRequest("The Authorization header was sent more than once.")
    scheme, _, token = (authorization[0] if authorization else "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def verify(store: Store, token: str, audience: str, now: int) -> Caller:
    """Find out who holds a token. Text that is no token at all costs no look-up.

    Args:
        store: Where tokens are kept.
        token: The token as it was sent.
        audience: The resource that the token must have been issued for (RFC 8707).
        now: Unix seconds.

    Raises:
        InvalidToken: It is malformed, unknown, expired, revoked or for another resource.
        StoreUnavailable: The database cannot answer just now.
    """
    live = await store.get_access_token(digest(token), now) if is_well_formed(ACCESS, token) else None
    if live is None or live.token.audience != audience:
        raise InvalidToken("The access token is unknown, expired, revoked or issued for another resource.")
    return Caller(token, live.token, live.user)


def challenge(metadata_url: str, scopes: Sequence[str], error: str = "", description: str = "") -> str:
    """Write the value of a ``WWW-Authenticate`` header (RFC 6750 section 3, RFC 9728 section 5.1).

    Args:
        metadata_url: Where the protected resource's metadata is.
        scopes: Every scope that the operation needs.
        error: The error code, when credentials were sent.
        description: Printable ASCII without quotes or backslashes.
    """
    parameters = {
        "resource_metadata": metadata_url,
        "scope": " ".join(scopes),
        "error": error,
        "error_description": description,
    }
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items() if value)
