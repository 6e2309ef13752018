"""An authenticator in software, and the browser before it (Web Authentication Level 3 sections 6 and 7).

It signs for real, and every part of what it says can be changed.
"""

import hashlib
import html
import json
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from tests.browser import Answer

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def options(shown: Answer) -> dict[str, Any]:
    """Give what a page asks the browser for."""
    found: dict[str, Any] = json.loads(html.unescape(re.findall(r'data-options="([^"]*)"', shown.text)[0]))
    return found


@dataclass
class Authenticator:
    """Holds one passkey."""

    origin: str
    rp_id: str = "localhost"
    counts: bool = True
    flags: int = PRESENT | VERIFIED
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    user_handle: bytes = b""
    count: int = 0

    def make(self, asked: dict[str, Any], **changes: str) -> str:
        """Answer what a page asks for to add a passkey, as JSON."""
        self.user_handle = decoded(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        length = len(self.credential_id).to_bytes(2)
        data = self._data(HAS_KEY) + bytes(16) + length + self.credential_id + cbor2.dumps(public)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            clientDataJSON=encoded(self._client_data("webauthn.create", asked, changes)),
            attestationObject=encoded(attestation),
        )

    def sign(self, asked: dict[str, Any], **changes: str) -> str:
        """Answer what a page asks for to sign somebody in, as JSON."""
        self.count += self.counts
        client_data, data = self._client_data("webauthn.get", asked, changes), self._data()
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ECDSA(SHA256()))
        return self._credential(
            clientDataJSON=encoded(client_data),
            authenticatorData=encoded(data),
            signature=encoded(signature),
            userHandle=encoded(self.user_handle),
        )

    def _data(self, more: int = 0) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([self.flags | more]) + self.count.to_bytes(4)

    def _client_data(self, kind: str, asked: dict[str, Any], changes: dict[str, str]) -> bytes:
        said = {"type": kind, "challenge": asked["challenge"], "origin": self.origin, "crossOrigin": False, **changes}
        return json.dumps(said).encode()

    def _credential(self, **response: str) -> str:
        name = encoded(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
