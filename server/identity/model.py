"""What is known of people who sign in: frozen values, times in whole Unix seconds."""

from dataclasses import dataclass

from server.oauth.model import User


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in in one browser. A new sign-in is a new session, with an id of its own."""

    session_digest: str
    """Of the cookie's value."""
    user_id: str
    method: str
    """How they proved who they are: ``password``, ``invitation``, ``passkey`` or ``oidc``."""
    created_at: int
    """When they did (OpenID Connect Core section 2, ``auth_time``)."""
    last_used_at: int
    expires_at: int
    """When it ends, however much it is used."""
    address: str | None = None
    """From where they signed in."""
    upstream: str | None = None
    """What the provider has to remember, sealed."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session and its live user."""

    user: User
    session: Session


@dataclass(frozen=True, slots=True)
class Account:
    """A local account as signing in needs it."""

    user: User
    password_hash: str | None
    """As Argon2id writes it (RFC 9106); ``None`` where no password was set yet."""


@dataclass(frozen=True, slots=True)
class Application:
    """A client that a user has allowed something."""

    client_id: str
    client_name: str | None
    scopes: tuple[str, ...]
    """Those of every live grant, and those that are allowed again without asking."""
    grants: int
    """How many are live."""
    first_used_at: int
    last_used_at: int | None
    last_address: str | None
    """To which address tokens were issued last."""
