"""Clients that the operator creates: static ones for codes, and machine clients (RFC 6749 section 4.4)."""

from collections.abc import Mapping, Sequence

from server.oauth import clients, jwks, redirect, scopes, tokens
from server.oauth.errors import InvalidRedirectUri, InvalidScope
from server.oauth.model import Client
from server.settings import Settings

AUTH_METHODS = (*reversed(clients.SECRET_METHODS), clients.PRIVATE_KEY_JWT)
"""How a machine client may prove who it is; the first unless it is said."""


def create(
    name: str,
    allowed: Sequence[str],
    redirect_uris: Sequence[str],
    method: str,
    keys: Mapping[str, object],
    *,
    settings: Settings,
    entropy: tokens.Entropy,
    now: int,
) -> tuple[Client, str | None]:
    """Make a confidential client and its secret, if it has one: of that the client holds the digest.

    It may use client credentials; with redirect URIs it may send users through ``/authorize`` too.

    Args:
        name: What the consent page calls it.
        allowed: The scopes that it may have for itself; none are the default scopes.
        redirect_uris: Where users may be sent back to.
        method: One of `AUTH_METHODS`.
        keys: For ``private_key_jwt`` its public keys: ``jwks`` or ``jwks_uri`` (RFC 7591 section 2).
        settings: The server's settings.
        entropy: Gives random bytes.
        now: Unix seconds.

    Raises:
        InvalidScope: A scope is not one that can be granted.
        InvalidClientMetadata: The keys are missing, or cannot be used.
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
    secret = tokens.make(tokens.CLIENT_SECRET, entropy) if method in clients.SECRET_METHODS else None
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
        secret_digest=None if secret is None else tokens.digest(secret),
        metadata=jwks.source(keys, settings) if secret is None else {},
        created_by="operator",
    ), secret
