"""What must be read back is sealed under the installation's one secret: each purpose has a key of its own."""

import os
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_LENGTH = 32
"""The fewest bytes that a secret has."""

_NONCE = 12


class SecretError(Exception):
    """The secret cannot be had; the message is one line that says why and what to do."""


class Unsealable(Exception):  # noqa: N818 - it names a state, as `binascii.Incomplete` does
    """What was presented was not sealed here, or for something else, or under another secret."""


class Sealer:
    """Seals and opens with AES-256-GCM, under keys derived from the secret (RFC 5869)."""

    def __init__(self, secret: bytes, entropy: Callable[[int], bytes] = os.urandom) -> None:
        """Take the secret, at least `SECRET_LENGTH` bytes of it, and what gives random bytes."""
        self._secret = secret
        self._entropy = entropy
        self._cipher = lru_cache(maxsize=None)(lambda purpose: AESGCM(self.key(purpose)))

    def key(self, purpose: str) -> bytes:
        """Derive the 32 bytes of key for a purpose, the same wherever and whenever the secret is the same."""
        return HKDF(SHA256(), length=32, salt=None, info=f"att-mcp-server {purpose}".encode()).derive(self._secret)

    def seal(self, purpose: str, content: bytes) -> str:
        """Seal some bytes into base64url text, which only `unseal` with the same purpose opens."""
        nonce = self._entropy(_NONCE)
        return urlsafe_b64encode(nonce + self._cipher(purpose).encrypt(nonce, content, None)).decode()

    def unseal(self, purpose: str, sealed: str) -> bytes:
        """Give what was sealed for a purpose.

        Raises:
            Unsealable: It was changed, or sealed for another purpose or under another secret.
        """
        try:
            raw = urlsafe_b64decode(sealed.encode("ascii"))
            return self._cipher(purpose).decrypt(raw[:_NONCE], raw[_NONCE:], None)
        except (ValueError, InvalidTag):
            raise Unsealable(f"this was not sealed for {purpose} under this secret") from None


def key_file(database: Path) -> Path:
    """Name the file of the secret of a database for which ``SECRET_KEY`` is not set."""
    return database.with_name(f"{database.name}.key")


def load_secret(configured: str, file: Path, entropy: Callable[[int], bytes] = os.urandom) -> bytes:
    """Give the secret: the configured one, or that of the file, which is made at the first start.

    Args:
        configured: ``SECRET_KEY``, or an empty text.
        file: Where it is kept otherwise, readable by its owner alone; its folder exists.
        entropy: Gives random bytes.

    Raises:
        SecretError: The file holds no secret, is open to others, or cannot be read or made.
    """
    if configured:
        return configured.encode()
    try:
        if not file.exists():
            _make(file, entropy)
        return _read(file)
    except (OSError, ValueError) as error:
        raise SecretError(f"{file}: {error}; mend that, or set SECRET_KEY") from error


def _make(file: Path, entropy: Callable[[int], bytes]) -> None:
    """Make the file, whole or not at all; of several processes that start at once, one makes it."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii", dir=file.parent, prefix=f".{file.name}.") as draft:
        draft.write(f"{entropy(SECRET_LENGTH).hex()}\n")
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, file)
        except FileExistsError:
            return
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(file: Path) -> bytes:
    if file.stat().st_mode & 0o077:
        raise ValueError("others than its owner can read this secret (chmod 600 shuts them out)")
    secret = bytes.fromhex(file.read_text("ascii"))
    if len(secret) < SECRET_LENGTH:
        raise ValueError(f"it holds fewer than {SECRET_LENGTH} bytes, in hexadecimal")
    return secret
