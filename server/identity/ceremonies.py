"""Making a passkey, and signing in with one (Web Authentication Level 3 section 7).

py_webauthn verifies what authenticators say. A challenge is sealed and says for itself what it is for, in which
browser and until when; so showing a page keeps nothing, and only an answered challenge is written down.

What is imported here takes memory, so it is only imported where somebody has or may have a passkey.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

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

from server.identity.passkeys import LONGEST_NAME, MOST, Answered, Ceremony, Passkey, PasskeyError, PasskeyStore
from server.oauth import tokens
from server.oauth.audit import Kind
from server.oauth.model import User
from server.sealing import Unsealable

SIGN_IN = "sign-in"
ADD = "add"

CHALLENGE_TTL = 600
"""Seconds in which a page's challenge can be answered."""

_PURPOSE = "passkey challenge"
_SITE_NAME = "ATT MCP Server"

T = TypeVar("T")


def sign_in_options(ceremony: Ceremony) -> str:
    """Write what a browser is asked for to sign somebody in: any passkey for here, whose owner was verified."""
    options = webauthn.generate_authentication_options(
        rp_id=ceremony.rp_id,
        challenge=_challenge(SIGN_IN, ceremony),
        timeout=CHALLENGE_TTL * 1000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def add_options(user: User, present: tuple[Passkey, ...], ceremony: Ceremony) -> str:
    """Write what a browser is asked for to make a passkey, one that no present one shares its authenticator with.

    Args:
        user: Whose.
        present: Those that they have.
        ceremony: Bound to their session.
    """
    options = webauthn.generate_registration_options(
        rp_id=ceremony.rp_id,
        rp_name=_SITE_NAME,
        user_id=user.user_id.encode(),
        user_name=user.subject,
        user_display_name=user.label,
        challenge=_challenge(ADD, ceremony),
        timeout=CHALLENGE_TTL * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential_id)) for one in present
        ],
    )
    return webauthn.options_to_json(options)


async def authenticate(answer: str, ceremony: Ceremony, store: PasskeyStore) -> User:
    """Find out who somebody is by a passkey alone (Web Authentication Level 3 section 7.2).

    Args:
        answer: What the browser's script got, as JSON.
        ceremony: Bound to the browser.
        store: Where passkeys are kept.

    Raises:
        PasskeyError: It is not known here, not theirs, or the answer is not good.
    """
    credential = _read(read_assertion, answer)
    challenge, answered = _opened(SIGN_IN, credential.response.client_data_json, ceremony)
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
            expected_rp_id=ceremony.rp_id,
            expected_origin=ceremony.ctx.settings.server_url,
            credential_public_key=base64url_to_bytes(known.public_key),
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        ),
        known.user_id,
    )
    used = replace(known, sign_count=verified.new_sign_count, last_used_at=ceremony.ctx.now)
    if not await store.use_passkey(used, known.sign_count, answered):
        raise PasskeyError("the challenge was answered before, or the passkey went meanwhile", known.user_id)
    return user


async def add(answer: str, name: str, user: User, ceremony: Ceremony, store: PasskeyStore) -> None:
    """Keep a passkey that an authenticator has made (Web Authentication Level 3 section 7.1).

    Args:
        answer: What the browser's script got, as JSON.
        name: What its owner calls it; cut where it is too long.
        user: Whose it is.
        ceremony: Bound to their session.
        store: Where passkeys are kept.

    Raises:
        PasskeyError: The answer is not good, or there are too many.
    """
    credential = _read(read_attestation, answer)
    challenge, answered = _opened(ADD, credential.response.client_data_json, ceremony)
    if len(await store.list_passkeys(user.user_id)) >= MOST:
        raise PasskeyError("the account has as many passkeys as it may", user.user_id)
    made = _verified(
        lambda: webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=ceremony.rp_id,
            expected_origin=ceremony.ctx.settings.server_url,
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
        created_at=ceremony.ctx.now,
    )
    event = ceremony.ctx.event(Kind.PASSKEY_ADDED, user_id=user.user_id, detail=passkey.name)
    if not await store.add_passkey(passkey, answered, event):
        raise PasskeyError("the passkey is here already, or the challenge was answered before", user.user_id)


def _challenge(purpose: str, ceremony: Ceremony) -> bytes:
    ctx = ceremony.ctx
    content = [purpose, tokens.digest(ceremony.cookie), ctx.now + CHALLENGE_TTL, ctx.entropy(16).hex()]
    return ceremony.sealer.seal(_PURPOSE, json.dumps(content).encode()).encode("ascii")


def _opened(purpose: str, client_data: bytes, ceremony: Ceremony) -> tuple[bytes, Answered]:
    """Give the challenge that an answer repeats, if it is one of ours, for this, in this browser, and not over."""
    challenge: bytes = _read(parse_client_data_json, client_data).challenge
    try:
        content = json.loads(ceremony.sealer.unseal(_PURPOSE, challenge.decode("ascii")))
    except (Unsealable, UnicodeDecodeError):
        raise PasskeyError("the challenge is not one of this server's") from None
    meant_for, browser, expires_at, _ = content
    if meant_for != purpose or browser != tokens.digest(ceremony.cookie):
        raise PasskeyError("the challenge is another page's or another browser's")
    if expires_at <= ceremony.ctx.now:
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
