"""What the authorization server knows: frozen values, times in whole Unix seconds.

Secrets appear here as digests only (lower-case hexadecimal SHA-256). ``hint`` is the first few
characters after a token's prefix, by which an operator recognises it. What requests make by the thousand are named
tuples, which are made in a third of the time.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Document:
    """What is known of a client id metadata document, beside the client that it describes."""

    auth_methods: tuple[str, ...]
    """Every way in which the client may authenticate, the one that it prefers first."""
    fetched_at: int
    """When it was read last and found good."""
    expires_at: int
    """When it is to be fetched anew."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client that registered itself (RFC 7591 section 2), or that a document at its id describes."""

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
    document: Document | None = None
    """Where the client's id is a URL: what is known of the document there."""
    registration_digest: str | None = None
    """The digest of the token by which it manages its registration (RFC 7592)."""
    created_by: str = "client"
    """``client`` when it registered itself, ``operator`` when it was added on the command line."""

    @property
    def auth_methods(self) -> tuple[str, ...]:
        """How it may authenticate: by the one method that it registered, or by any that its document lists."""
        return self.document.auth_methods if self.document else (self.token_endpoint_auth_method,)


@dataclass(frozen=True, slots=True)
class KeySet:
    """A JSON Web Key Set as it was fetched from a ``jwks_uri`` (RFC 7517 section 5)."""

    jwks_uri: str
    jwks: dict[str, object]
    fetched_at: int
    expires_at: int
    """When it is to be fetched anew."""


class User(NamedTuple):
    """Someone who signs in: unique by ``issuer`` and ``subject``, never by an e-mail address."""

    user_id: str
    issuer: str
    subject: str
    name: str | None = None
    email: str | None = None
    disabled_at: int | None = None

    @property
    def label(self) -> str:
        """The name that people know them by, as far as it is known."""
        return self.name or self.email or self.subject


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is at the browser."""

    user: User
    signed_in: bool
    """Whether they proved who they are; a consent of somebody who did not is never remembered."""
    authenticated_at: int | None = None
    """When they did (OpenID Connect Core section 2, ``auth_time``)."""


UNOPENED = ""
"""The browser digest of a request that no browser has opened; it is no digest of anything."""


class AuthorizationRequest(NamedTuple):
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
    prompt: str | None = None
    """The prompts that it names, separated by spaces (OpenID Connect Core section 3.1.2.1)."""
    login_hint: str | None = None
    """Who might sign in, in the client's own words."""
    max_age: int | None = None
    """Seconds that its user's sign-in may lie back (OpenID Connect Core section 3.1.2.1)."""
    session_digest: str | None = None
    """The session by which its user signed in, or chose an account, for this very request."""
    nonce: str | None = None
    """To be repeated in the ID token (OpenID Connect Core section 3.1.2.1)."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user's decision comes to beyond the one request."""

    user_id: str
    client_id: str
    redirect_uri: str
    """Where the page said that the user would be sent back to; on loopback without its port."""
    fingerprint: str
    """A digest of what the client had registered when it was given."""
    scopes: tuple[str, ...]
    """Those that were allowed, to be remembered."""
    withdrawn: tuple[str, ...]
    """Those that were not, to be remembered no longer."""
    created_at: int
    expires_at: int


class AuthorizationCode(NamedTuple):
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
    nonce: str | None = None
    """The request's, for the ID token."""
    auth_time: int | None = None
    """When its user proved who they are, where that is known."""


class Grant(NamedTuple):
    """What a user granted a client: the family of every token that came of one code."""

    grant_id: str
    client_id: str
    user_id: str | None
    """``None`` for client credentials: the client acts for itself (RFC 6749 section 4.4)."""
    scopes: tuple[str, ...]
    audience: str
    created_at: int
    expires_at: int | None
    """When a new consent is needed, however often refreshed; ``None`` is never."""
    revoked_at: int | None = None
    revoked_reason: str | None = None
    auth_time: int | None = None
    """When its user proved who they are, where that is known (OpenID Connect Core section 2)."""


class AccessToken(NamedTuple):
    """An access token as it is stored."""

    token_digest: str
    hint: str
    grant_id: str
    client_id: str
    user_id: str | None
    scopes: tuple[str, ...]
    audience: str
    created_at: int
    expires_at: int
    address: str | None = None
    """Whence it is asked for; kept with its grant, not with the token."""


class RefreshToken(NamedTuple):
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


class LiveAccessToken(NamedTuple):
    """An access token whose own row, grant, client and user, if it has one, were all live when it was read."""

    token: AccessToken
    user: User | None


class HeldRefreshToken(NamedTuple):
    """A refresh token together with its grant, and whether the grant, its client and its user are live."""

    token: RefreshToken
    grant: Grant
    grant_live: bool


Held = AuthorizationCode | HeldRefreshToken | LiveAccessToken
"""What is kept of a code or token that a client presents."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows are live."""

    clients: int
    authorization_codes: int
    access_tokens: int
    refresh_tokens: int
