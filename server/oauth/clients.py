"""Clients: registration (RFC 7591) and authentication (RFC 6749 section 2.3)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from server.oauth import redirect, scopes, tokens
from server.oauth.audit import Kind
from server.oauth.context import Context
from server.oauth.errors import InvalidClient, InvalidClientMetadata, InvalidRedirectUri
from server.oauth.model import Client
from server.settings import Settings

NO_SECRET = "none"  # noqa: S105 - the method's name
AUTH_METHODS = (NO_SECRET, "client_secret_post", "client_secret_basic")
GRANT_TYPES = ("authorization_code", "refresh_token")

MAX_REDIRECT_URIS = 10

_DEFAULT_AUTH_METHOD = "client_secret_basic"
_CLIENT_ID = "att_cl_"
_SHOWN = 64  # characters of a client id from outside that the log shows
_CLIENT_SECRET = "att_cs_"  # noqa: S105 - the prefix by which a secret is recognised
_URLS = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
_TEXTS = ("software_id", "software_version", "application_type")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brought to authenticate its client; a secret is in one place or the other."""

    basic: tuple[str, str] | None = None
    """Client id and secret of an ``Authorization: Basic`` header, decoded."""
    client_id: str | None = None
    client_secret: str | None = None


async def authenticate(credentials: Credentials, ctx: Context) -> Client:
    """Authenticate a client by its registered method and no other.

    Raises:
        InvalidClient: It is unknown, its secret is wrong, missing or in the other place, or it sent one though
            it has none.
    """
    client_id = credentials.basic[0] if credentials.basic else credentials.client_id
    if not client_id:
        raise InvalidClient("the request names no client; send client_id")
    client = await ctx.store.get_client(client_id)
    if client is None:
        raise InvalidClient(
            "this client is not registered here; register it again", detail=f"client {client_id[:_SHOWN]!r}"
        )
    if credentials.basic and credentials.client_id not in {None, client_id}:
        raise InvalidClient("the Authorization header and client_id name different clients")
    offered = _offered_secret(client, credentials)
    if client.token_endpoint_auth_method != NO_SECRET and not _is_secret(client, offered):
        raise InvalidClient("the client secret is wrong", detail=f"client {client_id[:_SHOWN]!r}")
    return client


def _offered_secret(client: Client, credentials: Credentials) -> str:
    """Take the secret from where the registered method puts it, and from nowhere else."""
    method = client.token_endpoint_auth_method
    places = {
        "client_secret_basic": credentials.basic[1] if credentials.basic else None,
        "client_secret_post": credentials.client_secret,
    }
    used = {place for place, secret in places.items() if secret} | (
        {"client_secret_basic"} if credentials.basic else set()
    )
    if used != ({method} if method != NO_SECRET else set()):
        raise InvalidClient(f"this client is registered for {method} and must authenticate so")
    return places.get(method) or ""


def _is_secret(client: Client, offered: str) -> bool:
    return client.secret_digest is not None and hmac.compare_digest(client.secret_digest, tokens.digest(offered))


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
    method = _text(metadata, "token_endpoint_auth_method") or _DEFAULT_AUTH_METHOD
    method = method if method in AUTH_METHODS else _DEFAULT_AUTH_METHOD
    secret = None if method == NO_SECRET else tokens.make(_CLIENT_SECRET, ctx.entropy)
    client = Client(
        client_id=_CLIENT_ID + ctx.entropy(16).hex(),
        token_endpoint_auth_method=method,
        redirect_uris=_redirect_uris(metadata),
        grant_types=_served(metadata, "grant_types", GRANT_TYPES, needed="authorization_code"),
        response_types=_served(metadata, "response_types", ("code",), needed="code"),
        created_at=ctx.now,
        client_name=_text(metadata, "client_name"),
        scope=_scope(metadata, ctx.settings),
        secret_digest=None if secret is None else tokens.digest(secret),
        metadata=_rest(metadata),
    )
    event = ctx.event(Kind.CLIENT_REGISTERED, client_id=client.client_id, detail=client.client_name)
    await ctx.store.add_client(client, event)
    return _answer(client, secret)


def _answer(client: Client, secret: str | None) -> dict[str, object]:
    answer: dict[str, object] = {
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
        "redirect_uris": list(client.redirect_uris),
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "grant_types": list(client.grant_types),
        "response_types": list(client.response_types),
        **client.metadata,
    }
    optional = {"client_name": client.client_name, "scope": client.scope}
    answer |= {name: value for name, value in optional.items() if value is not None}
    if secret is not None:
        answer |= {"client_secret": secret, "client_secret_expires_at": 0}
    return answer


def _text(metadata: Mapping[str, object], name: str) -> str | None:
    value = metadata.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidClientMetadata(f"{name} is not a string")
    return value.strip() or None


def _texts(metadata: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = metadata.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidClientMetadata(f"{name} is not a list of strings")
    return tuple(dict.fromkeys(value))


def _redirect_uris(metadata: Mapping[str, object]) -> tuple[str, ...]:
    offered = _texts(metadata, "redirect_uris")
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
    offered = _texts(metadata, name) or served
    kept = tuple(item for item in offered if item in served)
    if needed not in kept:
        raise InvalidClientMetadata(f"{name} must include {needed}")
    return kept


def _scope(metadata: Mapping[str, object], settings: Settings) -> str | None:
    known = {*settings.oauth_valid_scopes, scopes.OFFLINE_ACCESS}
    return scopes.join(s for s in scopes.split(_text(metadata, "scope")) if s in known) or None


def _rest(metadata: Mapping[str, object]) -> dict[str, object]:
    """Keep the remaining fields that are known; a link that is not http or https is left out."""
    rest: dict[str, object] = {}
    for name in _URLS:
        value = _text(metadata, name)
        if value and _is_web_link(value):
            rest[name] = value
    rest |= {name: value for name in _TEXTS if (value := _text(metadata, name))}
    if contacts := _texts(metadata, "contacts"):
        rest["contacts"] = list(contacts)
    return rest


def _is_web_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
