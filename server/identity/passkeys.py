"""Passkeys of local accounts (Web Authentication Level 3): added by who is signed in, and good to sign in by alone.

py_webauthn verifies what authenticators say. A challenge is sealed and says for itself what it is for, in which
browser and until when; so showing a page keeps nothing, and only an answered challenge is written down.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import bytes_to_base64url, parse_client_data_json
from webauthn.helpers import parse_authentication_credential_json as read_assertion
from webauthn.helpers import parse_registration_credential_json as read_attestation
from webauthn.helpers.base64url_to_bytes import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from server.identity.users import LOCAL
from server.oauth import tokens
from server.oauth.audit import Event, Kind
from server.oauth.context import Context
from server.oauth.model import User
from server.sealing import Sealer, Unsealable
from server.settings import Settings

SIGN_IN = "sign-in"
ADD = "add"

CHALLENGE_TTL = 600
"""Seconds in which a page's challenge can be answered."""

RECENT = 900
"""Seconds since somebody signed in for which they may change how they sign in."""

MOST = 20
"""Passkeys that one account may have."""

LONGEST_NAME = 60

_PURPOSE = "passkey challenge"
_SITE_NAME = "ATT MCP Server"

T = TypeVar("T")


class PasskeyError(Exception):
    """A passkey was not accepted. The reason is for the log alone."""

    def __init__(self, reason: str, user_id: str | None = None) -> None:
        """Say why, and whose account it was about, if that is known."""
        super().__init__(reason)
        self.reason = reason
        self.user_id = user_id


@dataclass(frozen=True, slots=True)
class Passkey:
    """A credential's public side."""

    credential_id: str
    """The authenticator's own id of it, in base64url."""
    user_id: str
    name: str
    """What its owner calls it."""
    public_key: str
    """A COSE key in base64url."""
    sign_count: int
    """How often it was used, where its authenticator counts; 0 where it does not."""
    synced: bool
    """Whether it may be on several devices."""
    created_at: int
    last_used_at: int | None = None


class Answered(NamedTuple):
    """A challenge that was answered."""

    digest: str
    expires_at: int


class PasskeyStore(Protocol):
    """Where passkeys are kept; absence, races, failures and events are as `server.oauth.store.Store` has them."""

    async def get_user(self, user_id: str) -> User | None:
        """Give a user, disabled ones too, or ``None``."""

    async def list_passkeys(self, user_id: str) -> tuple[Passkey, ...]:
        """Give a user's passkeys, the oldest first."""

    async def get_passkey(self, credential_id: str) -> Passkey | None:
        """Give the passkey, or ``None``."""

    async def add_passkey(self, passkey: Passkey, answered: Answered, event: Event | None = None) -> bool:
        """Keep a new passkey of a live user; ``False`` when it is there, or the challenge was answered before."""

    async def use_passkey(self, passkey: Passkey, former_count: int, answered: Answered) -> bool:
        """Note that a passkey was used; ``False`` when it went or was used meanwhile, or the challenge was."""

    async def remove_passkey(self, user_id: str, credential_id: str, event: Event | None = None) -> bool:
        """Remove a user's passkey; ``False`` when it is not there, or is all that they can sign in by."""

    async def remove_password(self, user_id: str, event: Event | None = None) -> bool:
        """Remove the password of a user who has a passkey; ``False`` when there is none, or no passkey."""


def host(settings: Settings) -> str | None:
    """Give the host to which passkeys belong; ``None`` where there can be none: elsewhere than locally, or at a number.

    Browsers take no address for a relying party (Web Authentication Level 3 section 5.1.3).
    """
    name = urlsplit(settings.server_url).hostname or ""
    try:
        ip_address(name)
    except ValueError:
        return name if settings.oauth_provider == LOCAL else None
    return None


def sign_in_options(rp_id: str, cookie: str, sealer: Sealer, ctx: Context) -> str:
    """Write what a browser is asked for to sign somebody in: any passkey for here, whose owner was verified.

    Args:
        rp_id: As `host` gives it.
        cookie: The browser's random id, to which the challenge is bound.
        sealer: Seals the challenge.
        ctx: The request's context.
    """
    options = webauthn.generate_authentication_options(
        rp_id=rp_id,
        challenge=_challenge(SIGN_IN, cookie, sealer, ctx),
        timeout=CHALLENGE_TTL * 1000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def add_options(user: User, present: tuple[Passkey, ...], rp_id: str, cookie: str, sealer: Sealer, ctx: Context) -> str:
    """Write what a browser is asked for to make a passkey, one that no present one shares its authenticator with.

    Args:
        user: Whose.
        present: Those that they have.
        rp_id: As `host` gives it.
        cookie: The session's random id, to which the challenge is bound.
        sealer: Seals the challenge.
        ctx: The request's context.
    """
    options = webauthn.generate_registration_options(
        rp_id=rp_id,
        rp_name=_SITE_NAME,
        user_id=user.user_id.encode(),
        user_name=user.subject,
        user_display_name=user.label,
        challenge=_challenge(ADD, cookie, sealer, ctx),
        timeout=CHALLENGE_TTL * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential_id)) for one in present
        ],
    )
    return webauthn.options_to_json(options)


async def authenticate(answer: str, rp_id: str, cookie: str, sealer: Sealer, store: PasskeyStore, ctx: Context) -> User:
    """Find out who somebody is by a passkey alone (Web Authentication Level 3 section 7.2).

    Args:
        answer: What the browser's script got, as JSON.
        rp_id: As `host` gives it.
        cookie: The browser's random id.
        sealer: Opens the challenge.
        store: Where passkeys are kept.
        ctx: The request's context.

    Raises:
        PasskeyError: It is not known here, not theirs, or the answer is not good.
    """
    credential = _read(read_assertion, answer)
    challenge, answered = _opened(SIGN_IN, credential.response.client_data_json, cookie, sealer, ctx)
    known = await store.get_passkey(credential.id)
    user = None if known is None else await store.get_user(known.user_id)
    if known is None or user is None:
        raise PasskeyError("there is no such passkey")
    if credential.response.user_handle != known.user_id.encode():
        raise PasskeyError("the passkey was made for another account", known.user_id)
    verified = _verified(
        lambda: webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=ctx.settings.server_url,
            credential_public_key=base64url_to_bytes(known.public_key),
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        ),
        known.user_id,
    )
    used = replace(known, sign_count=verified.new_sign_count, last_used_at=ctx.now)
    if not await store.use_passkey(used, known.sign_count, answered):
        raise PasskeyError("the challenge was answered before, or the passkey went meanwhile", known.user_id)
    return user


async def add(
    answer: str, name: str, user: User, rp_id: str, cookie: str, sealer: Sealer, store: PasskeyStore, ctx: Context
) -> None:
    """Keep a passkey that an authenticator has made (Web Authentication Level 3 section 7.1).

    Args:
        answer: What the browser's script got, as JSON.
        name: What its owner calls it; cut where it is too long.
        user: Whose it is.
        rp_id: As `host` gives it.
        cookie: The session's random id.
        sealer: Opens the challenge.
        store: Where passkeys are kept.
        ctx: The request's context.

    Raises:
        PasskeyError: The answer is not good, or there are too many.
    """
    credential = _read(read_attestation, answer)
    challenge, answered = _opened(ADD, credential.response.client_data_json, cookie, sealer, ctx)
    if len(await store.list_passkeys(user.user_id)) >= MOST:
        raise PasskeyError("the account has as many passkeys as it may", user.user_id)
    made = _verified(
        lambda: webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=ctx.settings.server_url,
            require_user_verification=True,
        ),
        user.user_id,
    )
    passkey = Passkey(
        credential_id=bytes_to_base64url(made.credential_id),
        user_id=user.user_id,
        name=name.strip()[:LONGEST_NAME] or "Passkey",
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        synced=made.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        created_at=ctx.now,
    )
    event = ctx.event(Kind.PASSKEY_ADDED, user_id=user.user_id, detail=passkey.name)
    if not await store.add_passkey(passkey, answered, event):
        raise PasskeyError("the passkey is here already, or the challenge was answered before", user.user_id)


def _challenge(purpose: str, cookie: str, sealer: Sealer, ctx: Context) -> bytes:
    content = [purpose, tokens.digest(cookie), ctx.now + CHALLENGE_TTL, ctx.entropy(16).hex()]
    return sealer.seal(_PURPOSE, json.dumps(content).encode()).encode("ascii")


def _opened(purpose: str, client_data: bytes, cookie: str, sealer: Sealer, ctx: Context) -> tuple[bytes, Answered]:
    """Give the challenge that an answer repeats, if it is one of ours, for this, in this browser, and not over."""
    challenge: bytes = _read(parse_client_data_json, client_data).challenge
    try:
        content = json.loads(sealer.unseal(_PURPOSE, challenge.decode("ascii")))
    except (Unsealable, UnicodeDecodeError):
        raise PasskeyError("the challenge is not one of this server's") from None
    meant_for, browser, expires_at, _ = content
    if meant_for != purpose or browser != tokens.digest(cookie):
        raise PasskeyError("the challenge is another page's or another browser's")
    if expires_at <= ctx.now:
        raise PasskeyError("the challenge is over")
    return challenge, Answered(tokens.digest(challenge.decode("ascii")), expires_at)


def _read(reader: Callable[..., T], answer: str | bytes) -> T:
    return _verified(lambda: reader(answer), None)


def _verified(work: Callable[[], T], user_id: str | None) -> T:
    """Let the library look at what came from outside; whatever it trips over there is a refusal."""
    try:
        return work()
    except Exception as error:
        raise PasskeyError(f"{type(error).__name__}: {error}", user_id) from error
