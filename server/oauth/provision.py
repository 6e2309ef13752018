"""Clients that the operator creates: static ones for codes, and machine clients (RFC 6749 section 4.4)."""

from collections.abc import Sequence

from server.oauth import clients, redirect, scopes, tokens
from server.oauth.errors import InvalidRedirectUri, InvalidScope
from server.oauth.model import Client
from server.settings import Settings

AUTH_METHODS = ("client_secret_basic", "client_secret_post")
"""How a machine client may prove who it is; a method with keys of its own would be added here."""


def create(
    name: str,
    allowed: Sequence[str],
    redirect_uris: Sequence[str],
    method: str,
    *,
    settings: Settings,
    entropy: tokens.Entropy,
    now: int,
) -> tuple[Client, str]:
    """Make a confidential client and its secret, of which the client holds the digest.

    It may use client credentials; with redirect URIs it may send users through ``/authorize`` too.

    Args:
        name: What the consent page calls it.
        allowed: The scopes that it may have for itself; none are the default scopes.
        redirect_uris: Where users may be sent back to.
        method: One of `AUTH_METHODS`.
        settings: The server's settings.
        entropy: Gives random bytes.
        now: Unix seconds.

    Raises:
        InvalidScope: A scope is not one that can be granted.
        InvalidRedirectUri: A redirect URI cannot be accepted, or there are too many.
    """
    for scope in allowed:
        if scope not in settings.oauth_valid_scopes:
            raise InvalidScope(f"{scope!r} is not among the scopes {scopes.join(settings.oauth_valid_scopes)}")
    for uri in redirect_uris:
        if not redirect.is_acceptable(uri):
            raise InvalidRedirectUri(f"{uri!r} is neither https, nor http on loopback, nor an app scheme with a host")
    if len(redirect_uris) > clients.MAX_REDIRECT_URIS:
        raise InvalidRedirectUri(f"there are more than {clients.MAX_REDIRECT_URIS} redirect URIs")
    secret = tokens.make(tokens.CLIENT_SECRET, entropy)
    codes = clients.GRANT_TYPES if redirect_uris else ()
    return Client(
        client_id=clients.new_id(entropy),
        token_endpoint_auth_method=method,
        redirect_uris=tuple(dict.fromkeys(redirect_uris)),
        grant_types=(*codes, clients.CLIENT_CREDENTIALS),
        response_types=("code",) if redirect_uris else (),
        created_at=now,
        client_name=name,
        scope=scopes.join(dict.fromkeys(allowed)) or None,
        secret_digest=tokens.digest(secret),
        created_by="operator",
    ), secret
