"""The keys that sign ID tokens (RFC 7515, RFC 7517): made, rotated and published; private halves are sealed.

One key signs at a time. A retired one stays published until the last token that it signed has ended.
"""

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from server.oauth.audit import Event
from server.sealing import Sealer, SecretError, Unsealable

ALGORITHM = "RS256"
"""The one algorithm that every OpenID provider has to serve (OpenID Connect Core section 15.1)."""

LEEWAY = 300
"""Seconds for which a retired key is published beyond the end of its tokens: clocks differ, and sets are cached."""

_BITS = 2048
_PURPOSE = "signing key"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair as it is stored."""

    kid: str
    """The thumbprint of the public half (RFC 7638)."""
    algorithm: str
    public_jwk: dict[str, str]
    sealed_private_key: str = field(repr=False)
    created_at: int
    retired_at: int | None = None
    """When it ceased to sign; ``None`` for the one that does."""
    expires_at: int | None = None
    """When it is no longer published; ``None`` while it signs."""


class KeyStore(Protocol):
    """Where the keys are kept; what `server.oauth.store.Store` says of absence, races and failures holds here too."""

    async def get_signing_key(self) -> SigningKey | None:
        """Give the key that signs, or ``None``."""

    async def list_signing_keys(self, now: int) -> tuple[SigningKey, ...]:
        """Give the keys that are published, the one that signs first."""

    async def add_first_signing_key(self, key: SigningKey) -> bool:
        """Keep a key to sign with, if there is none; ``False`` when there is one."""

    async def rotate_signing_key(self, key: SigningKey, expires_at: int, event: Event | None = None) -> None:
        """Keep a key to sign with, and retire the one before, which is published until it expires."""

    async def withdraw_retired_keys(self, now: int, event: Event | None = None) -> None:
        """Publish no retired key any more."""


class Signer:
    """Makes and uses private keys. It keeps those that it opened, so that each is unsealed once."""

    def __init__(self, sealer: Sealer) -> None:
        """Seal and open with this."""
        self._sealer = sealer
        self._opened: dict[str, RSAPrivateKey] = {}

    async def make(self, now: int) -> SigningKey:
        """Make a key pair, in a thread: it takes a while. Its randomness is the cryptographic library's own."""
        private = await asyncio.to_thread(generate_private_key, 65_537, _BITS)
        public = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
        members = {name: str(public[name]) for name in ("e", "kty", "n")}
        kid = _thumbprint(members)
        plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        jwk = {**members, "kid": kid, "use": "sig", "alg": ALGORITHM}
        return SigningKey(kid, ALGORITHM, jwk, self._sealer.seal(_PURPOSE, plain), now)

    def sign(self, claims: dict[str, object], key: SigningKey) -> str:
        """Sign claims.

        Raises:
            SecretError: The private half cannot be opened.
        """
        return jwt.encode(claims, self.open(key), algorithm=key.algorithm, headers={"kid": key.kid})

    def open(self, key: SigningKey) -> RSAPrivateKey:
        """Give a private half.

        Raises:
            SecretError: It was sealed under another secret; the message is one line that says what to do.
        """
        if key.kid not in self._opened:
            try:
                plain = self._sealer.unseal(_PURPOSE, key.sealed_private_key)
            except Unsealable:
                raise SecretError(
                    f"the signing key {key.kid} was sealed under another SECRET_KEY: put that one back, "
                    "or make a new key with `att-mcp-server keys rotate`"
                ) from None
            private = load_der_private_key(plain, None)
            assert isinstance(private, RSAPrivateKey)  # noqa: S101 - no other kind is ever made
            self._opened[key.kid] = private
        return self._opened[key.kid]


async def current(store: KeyStore, signer: Signer, now: int) -> SigningKey:
    """Give the key that signs, made now if there is none; of several processes that make one, one's is kept.

    Raises:
        SecretError: It cannot be opened.
        StoreUnavailable: The database cannot answer just now.
    """
    key = await store.get_signing_key()
    while key is None:
        await store.add_first_signing_key(await signer.make(now))
        key = await store.get_signing_key()
    signer.open(key)
    return key


async def rotate(store: KeyStore, signer: Signer, now: int, token_life: int, event: Event | None = None) -> SigningKey:
    """Let a new key sign from now on, and give it.

    Args:
        store: Where the keys are kept.
        signer: Makes the key.
        now: Unix seconds.
        token_life: Seconds that a token lives which the former key has signed.
        event: What the audit log is to say of it.
    """
    key = await signer.make(now)
    await store.rotate_signing_key(key, now + token_life + LEEWAY, event)
    return key


def published(keys: tuple[SigningKey, ...]) -> dict[str, object]:
    """Write the JSON Web Key Set (RFC 7517 section 5)."""
    return {"keys": [key.public_jwk for key in keys]}


def _thumbprint(members: dict[str, str]) -> str:
    """Digest the required members of a public key in their one order (RFC 7638 section 3)."""
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()
