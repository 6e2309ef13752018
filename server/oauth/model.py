"""What the authorization server knows: frozen values, times in whole Unix seconds.

Secrets appear here as digests only (lower-case hexadecimal SHA-256). ``hint`` is the first few
characters after a token's prefix, by which an operator recognises it.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client (RFC 7591 section 2)."""

    client_id: str
    token_endpoint_auth_method: str
    redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    response_types: tuple[str, ...]
    created_at: int
    client_name: str | None = None
    scope: str | None = None
    secret_digest: str | None = None
    metadata: dict[str, object] = field(default_factory=dict)
    """The rest of what was registered and is echoed: ``client_uri``, ``logo_uri``, ``contacts`` …"""
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Someone who signs in: unique by ``issuer`` and ``subject``, never by an e-mail address."""

    user_id: str
    issuer: str
    subject: str
    name: str | None = None
    email: str | None = None
    disabled_at: int | None = None


UNOPENED = ""
"""The browser digest of a request that no browser has opened; it is no digest of anything."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A validated authorization request that waits for its user's decision."""

    handle_digest: str
    browser_digest: str
    """Of the browser that may answer; `UNOPENED` until one has opened the request."""
    client_id: str
    redirect_uri: str
    state: str | None
    scopes: tuple[str, ...]
    audience: str
    code_challenge: str
    created_at: int
    expires_at: int
    decided_at: int | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """An authorization code (RFC 6749 section 4.1.2), single use."""

    code_digest: str
    hint: str
    client_id: str
    user_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    audience: str
    code_challenge: str
    created_at: int
    expires_at: int
    used_at: int | None = None
    grant_id: str | None = None
    """The grant that came of it, once it was used."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user granted a client: the family of every token that came of one code."""

    grant_id: str
    client_id: str
    user_id: str
    scopes: tuple[str, ...]
    audience: str
    created_at: int
    expires_at: int | None
    """When a new consent is needed, however often refreshed; ``None`` is never."""
    revoked_at: int | None = None
    revoked_reason: str | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token as it is stored."""

    token_digest: str
    hint: str
    grant_id: str
    client_id: str
    user_id: str
    scopes: tuple[str, ...]
    audience: str
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One link of a grant's chain of refresh tokens."""

    token_digest: str
    hint: str
    grant_id: str
    client_id: str
    successor_salt: str
    """Random, 64 hexadecimal digits; keyed with the token itself it yields the token's one successor."""
    created_at: int
    expires_at: int
    used_at: int | None = None
    """When it was presented first; the grace counts from here."""


@dataclass(frozen=True, slots=True)
class LiveAccessToken:
    """An access token whose own row, grant, client and user were all live when it was read."""

    token: AccessToken
    user: User


@dataclass(frozen=True, slots=True)
class HeldRefreshToken:
    """A refresh token together with its grant, and whether the grant, its client and its user are live."""

    token: RefreshToken
    grant: Grant
    grant_live: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows are live."""

    clients: int
    authorization_codes: int
    access_tokens: int
    refresh_tokens: int
