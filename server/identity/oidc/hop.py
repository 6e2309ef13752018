"""The hop to the provider: the authentication request (OpenID Connect Core section 3.1.2.1), and what is kept of it."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from server.identity.oidc.discovery import Metadata
from server.identity.oidc.model import ATTEMPT_TTL, Attempt
from server.identity.oidc.registration import Registration
from server.oauth import remembered, tokens
from server.oauth.model import AuthorizationRequest
from server.oauth.redirect import with_parameters
from server.sealing import Sealer

SCOPES = "openid profile email"

_PURPOSE = "upstream sign-in"
_MAX_HINT = 320  # characters, which is more than an address has
_OTHERWISE = {"login": "select_account", "select_account": "login"}


@dataclass(frozen=True, slots=True)
class Hop:
    """What must be known when the provider's answer comes."""

    verifier: str = field(repr=False)
    """Of PKCE (RFC 7636)."""
    nonce_digest: str
    handle: str | None = field(repr=False)
    """The handle of the authorization request to go on to; ``None`` leads to the person's account."""
    since: int | None
    """The earliest time at which the user may have signed in, if that matters."""


class _Secrets(NamedTuple):
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Wish:
    """How the person is to be asked."""

    prompts: tuple[str, ...] = ()
    login_hint: str | None = None
    max_age: int | None = None

    @classmethod
    def of(cls, request: AuthorizationRequest | None, *, another: bool) -> "Wish":
        """Ask as an authorization request says; for another account, if the person wants to change it."""
        if request is None or another:
            return cls(("select_account",) if another else ())
        return cls(remembered.prompts(request), request.login_hint, request.max_age)


def make(
    metadata: Metadata,
    registration: Registration,
    browser: str,
    handle: str | None,
    wish: Wish,
    sealer: Sealer,
    random: Iterable[bytes],
    now: int,
) -> tuple[str, Attempt]:
    """Write an authentication request, and what to keep until its answer comes.

    Args:
        metadata: The provider's.
        registration: The client that asks.
        browser: The random id in the browser's cookie, to which the answer is bound.
        handle: Of the authorization request to go on to, if there is one.
        wish: How the person is to be asked.
        sealer: Seals what must be read back.
        random: Three times 32 random bytes.
        now: Unix seconds.
    """
    secrets = _Secrets(*(value.hex() for value in random))
    prompts = _prompts(wish, metadata)
    since = now if "login" in prompts else None if wish.max_age is None else now - wish.max_age
    kept = json.dumps({"verifier": secrets.verifier, "handle": handle, "since": since}).encode()
    attempt = Attempt(
        state_digest=tokens.digest(secrets.state),
        browser_digest=tokens.digest(browser),
        issuer=registration.issuer,
        nonce_digest=tokens.digest(secrets.nonce),
        sealed=sealer.seal(_PURPOSE, kept),
        created_at=now,
        expires_at=now + ATTEMPT_TTL,
    )
    asked = _parameters(registration, secrets, prompts, wish)
    given = {name: value for name, value in asked.items() if value}
    return with_parameters(metadata.authorization_endpoint, given), attempt


def _parameters(registration: Registration, secrets: _Secrets, prompts: tuple[str, ...], wish: Wish) -> dict[str, str]:
    hint = wish.login_hint or ""
    return {
        "response_type": "code",
        "client_id": registration.client_id,
        "redirect_uri": registration.redirect_uri,
        "scope": SCOPES,
        "state": secrets.state,
        "nonce": secrets.nonce,
        "code_challenge": _challenge(secrets.verifier),
        "code_challenge_method": "S256",
        "prompt": " ".join(prompts),
        "login_hint": hint if len(hint) <= _MAX_HINT else "",
        "max_age": "" if wish.max_age is None else str(wish.max_age),
    }


def read_back(attempt: Attempt, sealer: Sealer) -> Hop:
    """Open what was kept.

    Raises:
        Unsealable: It was sealed under another secret.
    """
    kept = json.loads(sealer.unseal(_PURPOSE, attempt.sealed))
    return Hop(kept["verifier"], attempt.nonce_digest, kept["handle"], kept["since"])


def _prompts(wish: Wish, metadata: Metadata) -> tuple[str, ...]:
    """Give the prompts in words that the provider knows: one that it lacks is stood in for by the other."""
    known = metadata.prompts
    wanted = (name if name in known else _OTHERWISE[name] for name in wish.prompts if name in _OTHERWISE)
    return tuple(dict.fromkeys(wanted))


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
