"""Scopes: what may be asked for, and in which words (RFC 6749 section 3.3)."""

from collections.abc import Iterable
from functools import lru_cache

from server.oauth.errors import InvalidScope
from server.settings import Settings

OFFLINE_ACCESS = "offline_access"
OPENID = "openid"

DESCRIPTIONS = {
    "read": "Look things up for you",
    "write": "Change your preferences",
    "account": "See your accounts, balances and saved payment methods",
    "payment": "Make payments with your saved payment methods",
    OPENID: "Know that it is you, by an identifier",
    "email": "See your e-mail address",
    "profile": "See your name",
}


def describe(scope: str) -> str:
    """Put a scope in plain words; one that has none of its own is named as it is."""
    return DESCRIPTIONS.get(scope, f"Use the permission called {scope}")


def identity(settings: Settings) -> frozenset[str]:
    """Give the scopes that are for telling clients who their user is (OpenID Connect Core section 5.4).

    They are ordinary names where ``openid`` cannot be granted.
    """
    served = settings.oauth_valid_scopes
    return frozenset({OPENID, "email", "profile"}.intersection(served) if OPENID in served else ())


def split(text: str | None) -> tuple[str, ...]:
    """Split a scope parameter at its spaces, dropping blanks and duplicates."""
    return tuple(dict.fromkeys(filter(None, text.split(" ")))) if text else ()


def join(scopes: Iterable[str]) -> str:
    """Write scopes as they go over the wire."""
    return " ".join(scopes)


def requested(text: str | None, settings: Settings) -> tuple[str, ...]:
    """Read the scopes that an authorization request asks for.

    None asked for are the default scopes; ``offline_access`` is accepted and left out.

    Raises:
        InvalidScope: One of them cannot be granted.
    """
    scopes = tuple(scope for scope in split(text) if scope != OFFLINE_ACCESS)
    if not set(scopes) <= set(settings.oauth_valid_scopes):
        raise InvalidScope(f"the scopes that can be granted are {join(settings.oauth_valid_scopes)}")
    return scopes or settings.oauth_default_scopes


def allowed(text: str | None, registered: str | None, settings: Settings) -> tuple[str, ...]:
    """Read the scopes that a client asks for on its own behalf: those that the operator allowed it.

    What these imply may be asked for as well. None asked for are those default scopes that the operator
    allowed it, or else all that the operator did. Scopes that tell who a user is are not among them: there is none.

    Args:
        text: The request's ``scope``.
        registered: The scopes that the operator allowed the client; ``None`` is the default scopes.
        settings: The server's settings.

    Raises:
        InvalidScope: It may not have one of them, or none at all.
    """
    default = settings.oauth_default_scopes
    grantable = [scope for scope in settings.oauth_valid_scopes if scope not in identity(settings)]
    may_have = tuple(scope for scope in split(registered) or default if scope in grantable)
    scopes = tuple(scope for scope in split(text) if scope != OFFLINE_ACCESS)
    held = with_implied(may_have, settings)
    if not held or not set(scopes) <= held:
        may_ask = join(s for s in settings.oauth_valid_scopes if s in held)
        raise InvalidScope(f"the scopes that this client may have are {may_ask or 'none'}")
    return scopes or tuple(scope for scope in may_have if scope in default) or may_have


def with_implied(scopes: Iterable[str], settings: Settings) -> frozenset[str]:
    """Give scopes together with all that they imply, directly or through another."""
    return _closure(tuple(scopes), settings.oauth_scope_implies)


@lru_cache(maxsize=256)
def _closure(scopes: tuple[str, ...], implies: tuple[tuple[str, str], ...]) -> frozenset[str]:
    held = set(scopes)
    while added := {narrower for wider, narrower in implies if wider in held} - held:
        held |= added
    return frozenset(held)


def narrowed(text: str | None, granted: tuple[str, ...], settings: Settings) -> tuple[str, ...]:
    """Read the scopes that a refresh asks for: those granted or implied, or fewer (RFC 6749 section 6).

    Raises:
        InvalidScope: One of them was not granted.
    """
    scopes = tuple(scope for scope in split(text) if scope != OFFLINE_ACCESS)
    if not set(scopes) <= with_implied(granted, settings):
        raise InvalidScope("a refresh cannot widen the scope; send the user through /authorize again for more")
    return scopes or granted
