"""Clients: what they say of themselves, and registration (RFC 7591)."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from server.oauth import jwks, redirect, scopes, tokens
from server.oauth.audit import Kind
from server.oauth.context import Context
from server.oauth.errors import InvalidClientMetadata, InvalidRedirectUri
from server.oauth.model import Client
from server.settings import Settings

NO_SECRET = "none"  # noqa: S105 - the method's name
PRIVATE_KEY_JWT = "private_key_jwt"
SECRET_METHODS = ("client_secret_post", "client_secret_basic")
AUTH_METHODS = (NO_SECRET, *SECRET_METHODS, PRIVATE_KEY_JWT)
GRANT_TYPES = ("authorization_code", "refresh_token")
"""The grant types for which a client may register itself."""

CLIENT_CREDENTIALS = "client_credentials"
"""The grant type of clients that the operator created."""

MAX_REDIRECT_URIS = 10

_DEFAULT_AUTH_METHOD = "client_secret_basic"
_URLS = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
_TEXTS = ("software_id", "software_version", "application_type")


async def register(metadata: Mapping[str, object], ctx: Context) -> dict[str, object]:
    """Register a client and give what it is told (RFC 7591 section 3.2.1).

    What is asked for but not served is left out or replaced; the answer says what holds.

    Args:
        metadata: The decoded JSON object that the client sent.
        ctx: The request's context.

    Raises:
        InvalidRedirectUri: There is no redirect URI that can be accepted, or there are more than 10.
        InvalidClientMetadata: A field has the wrong type, or nothing remains that the client could do.
    """
    method = auth_method(metadata)
    secret = tokens.make(tokens.CLIENT_SECRET, ctx.entropy) if method in SECRET_METHODS else None
    registration_token = tokens.make(tokens.REGISTRATION, ctx.entropy)
    client = describe(new_id(ctx.entropy), metadata, method, ctx.settings, ctx.now)
    client = replace(
        client,
        secret_digest=None if secret is None else tokens.digest(secret),
        registration_digest=tokens.digest(registration_token),
    )
    event = ctx.event(Kind.CLIENT_REGISTERED, client_id=client.client_id, detail=client.client_name)
    await ctx.store.add_client(client, event)
    return answer(client, secret, registration_token, ctx.settings)


def new_id(entropy: tokens.Entropy) -> str:
    """Make the id of a new client."""
    return "att_cl_" + entropy(16).hex()


def auth_method(metadata: Mapping[str, object]) -> str:
    """Choose how a client authenticates: the method that it asks for if it is served, or else the default."""
    method = text(metadata, "token_endpoint_auth_method")
    return method if method in AUTH_METHODS else _DEFAULT_AUTH_METHOD


def describe(client_id: str, metadata: Mapping[str, object], method: str, settings: Settings, now: int) -> Client:
    """Make a client of what it says of itself (RFC 7591 section 2).

    Args:
        client_id: Its id.
        metadata: The decoded JSON object.
        method: How it authenticates; for ``private_key_jwt`` its keys are kept too.
        settings: The server's settings.
        now: Unix seconds.

    Raises:
        InvalidRedirectUri: There is no redirect URI that can be accepted, or there are more than 10.
        InvalidClientMetadata: A field has the wrong type, or nothing remains that the client could do.
    """
    keys = jwks.source(metadata, settings) if method == PRIVATE_KEY_JWT else {}
    return Client(
        client_id=client_id,
        token_endpoint_auth_method=method,
        redirect_uris=_redirect_uris(metadata),
        grant_types=_served(metadata, "grant_types", GRANT_TYPES, needed="authorization_code"),
        response_types=_served(metadata, "response_types", ("code",), needed="code"),
        created_at=now,
        client_name=text(metadata, "client_name"),
        scope=_scope(metadata, settings),
        metadata=_rest(metadata) | keys,
    )


def answer(client: Client, secret: str | None, registration_token: str, settings: Settings) -> dict[str, object]:
    """Write the client information response (RFC 7591 section 3.2.1, RFC 7592 section 3).

    Args:
        client: What was registered.
        secret: Its secret, where it is known: only a digest is kept.
        registration_token: The token by which it manages its registration.
        settings: The server's settings.
    """
    content: dict[str, object] = {
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
        "registration_access_token": registration_token,
        "registration_client_uri": f"{settings.server_url}/register/{client.client_id}",
        "redirect_uris": list(client.redirect_uris),
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "grant_types": list(client.grant_types),
        "response_types": list(client.response_types),
        **client.metadata,
    }
    optional = {"client_name": client.client_name, "scope": client.scope}
    content |= {name: value for name, value in optional.items() if value is not None}
    if secret is not None:
        content |= {"client_secret": secret, "client_secret_expires_at": 0}
    return content


def text(metadata: Mapping[str, object], name: str) -> str | None:
    """Read a text; ``None`` for one that is absent or blank. Raises `InvalidClientMetadata` for another type."""
    value = metadata.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidClientMetadata(f"{name} is not a string")
    return value.strip() or None


def texts(metadata: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Read a list of texts without its duplicates. Raises `InvalidClientMetadata` for another type."""
    value = metadata.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidClientMetadata(f"{name} is not a list of strings")
    return tuple(dict.fromkeys(value))


def _redirect_uris(metadata: Mapping[str, object]) -> tuple[str, ...]:
    offered = texts(metadata, "redirect_uris")
    if len(offered) > MAX_REDIRECT_URIS:
        raise InvalidRedirectUri(f"there are more than {MAX_REDIRECT_URIS} redirect URIs")
    accepted = tuple(uri for uri in offered if redirect.is_acceptable(uri))
    if not accepted:
        raise InvalidRedirectUri(
            "redirect_uris needs at least one URI that is https, http on loopback, or an app scheme with a host"
        )
    return accepted


def _served(metadata: Mapping[str, object], name: str, served: tuple[str, ...], *, needed: str) -> tuple[str, ...]:
    """Keep of a list what is served here; no list at all means everything."""
    offered = texts(metadata, name) or served
    kept = tuple(item for item in offered if item in served)
    if needed not in kept:
        raise InvalidClientMetadata(f"{name} must include {needed}")
    return kept


def _scope(metadata: Mapping[str, object], settings: Settings) -> str | None:
    known = {*settings.oauth_valid_scopes, scopes.OFFLINE_ACCESS}
    return scopes.join(s for s in scopes.split(text(metadata, "scope")) if s in known) or None


def _rest(metadata: Mapping[str, object]) -> dict[str, object]:
    """Keep the remaining fields that are known; a link that is not http or https is left out."""
    rest: dict[str, object] = {}
    for name in _URLS:
        value = text(metadata, name)
        if value and _is_web_link(value):
            rest[name] = value
    rest |= {name: value for name in _TEXTS if (value := text(metadata, name))}
    if contacts := texts(metadata, "contacts"):
        rest["contacts"] = list(contacts)
    return rest


def _is_web_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
