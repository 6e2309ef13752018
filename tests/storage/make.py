"""Values to keep, each named by one word, at one point in time."""

import hashlib
from dataclasses import replace

from server.oauth.model import (
    AccessToken,
    AuthorizationCode,
    AuthorizationRequest,
    Client,
    Consent,
    Grant,
    RefreshToken,
    User,
)
from server.storage.database import Database

NOW = 1_800_000_000
HOUR = 3_600
DAY = 86_400
AUDIENCE = "https://mcp.example.com/mcp"
REDIRECT_URI = "http://localhost:3000/callback"


def digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def client(client_id: str = "client", created_at: int = NOW) -> Client:
    return Client(
        client_id=client_id,
        token_endpoint_auth_method="client_secret_basic",
        redirect_uris=(REDIRECT_URI, "cursor://anysphere/callback"),
        grant_types=("authorization_code", "refresh_token"),
        response_types=("code",),
        created_at=created_at,
        client_name="Ein Café ☕",
        scope="read write",
        secret_digest=digest("secret"),
        metadata={"client_uri": "https://example.com", "contacts": ["a@example.com"]},
    )


def user(user_id: str = "user", disabled_at: int | None = None) -> User:
    return User(user_id, "https://issuer.example.com", user_id, "Uschi", "uschi@example.com", disabled_at)


def request(word: str = "handle", client_id: str = "client") -> AuthorizationRequest:
    return AuthorizationRequest(
        handle_digest=digest(word),
        browser_digest=digest("browser"),
        client_id=client_id,
        redirect_uri=REDIRECT_URI,
        state=" a state, exactly ",
        scopes=("read", "write"),
        audience=AUDIENCE,
        code_challenge="c" * 43,
        created_at=NOW,
        expires_at=NOW + 600,
    )


def code(word: str = "code", client_id: str = "client", user_id: str = "user") -> AuthorizationCode:
    return AuthorizationCode(
        code_digest=digest(word),
        hint=word[:6],
        client_id=client_id,
        user_id=user_id,
        redirect_uri=REDIRECT_URI,
        scopes=("read",),
        audience=AUDIENCE,
        code_challenge="c" * 43,
        created_at=NOW,
        expires_at=NOW + 600,
    )


def grant(grant_id: str = "grant", client_id: str = "client", user_id: str = "user") -> Grant:
    return Grant(grant_id, client_id, user_id, ("read",), AUDIENCE, NOW, NOW + 90 * DAY)


def access(
    word: str = "access", grant_id: str = "grant", client_id: str = "client", user_id: str = "user"
) -> AccessToken:
    return AccessToken(digest(word), word[:6], grant_id, client_id, user_id, ("read",), AUDIENCE, NOW, NOW + HOUR)


def refresh(word: str = "refresh", grant_id: str = "grant", client_id: str = "client") -> RefreshToken:
    return RefreshToken(digest(word), word[:6], grant_id, client_id, digest(f"salt of {word}"), NOW, NOW + DAY)


def machine(client_id: str = "machine") -> Client:
    return replace(
        client(client_id),
        redirect_uris=(),
        grant_types=("client_credentials",),
        response_types=(),
        created_by="operator",
    )


async def machine_at_work(database: Database) -> None:
    """Let a machine client have an access token for itself."""
    await database.add_client(machine())
    granted = grant("for itself", "machine")._replace(user_id=None, expires_at=NOW + HOUR)
    held = access("of its own", "for itself", "machine")._replace(user_id=None)
    assert await database.add_machine_grant(granted, held, NOW)


def consent(
    scopes: tuple[str, ...] = ("read",), withdrawn: tuple[str, ...] = (), user_id: str = "user", created_at: int = NOW
) -> Consent:
    fingerprint = digest("fingerprint")
    return Consent(user_id, "client", REDIRECT_URI, fingerprint, scopes, withdrawn, created_at, created_at + 30 * DAY)


async def consented(database: Database, given: Consent) -> None:
    """Keep a consent, by way of a request that is approved."""
    word = f"{given.user_id} {given.created_at} {given.scopes}"
    await database.add_authorization_request(request(word))
    assert await database.approve_authorization_request(
        digest(word), user(given.user_id), code(word, user_id=given.user_id), given.created_at, given
    )


async def logged_in(database: Database, *, refreshable: bool = True) -> None:
    """Bring a client through its first login, so that everything of it is live."""
    await database.add_client(client())
    await database.add_authorization_request(request())
    assert await database.approve_authorization_request(digest("handle"), user(), code(), NOW)
    first = refresh() if refreshable else None
    assert await database.redeem_authorization_code(digest("code"), grant(), access(), first, NOW)
