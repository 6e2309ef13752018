"""The form of codes, tokens and other secrets: how they are made, told apart and digested.

A token is a prefix that tells its kind, 43 base62 digits that carry 256 random bits, and six more
that hold the CRC-32 of all before them: secret scanners find it, and garbage never costs a look-up.
"""

import hashlib
import hmac
import zlib
from collections.abc import Callable

CODE = "att_ac_"
ACCESS = "att_at_"
REFRESH = "att_rt_"
CLIENT_SECRET = "att_cs_"  # noqa: S105 - the prefix by which a secret is recognised
REGISTRATION = "att_rg_"
MCP_SESSION = "att_ms_"

HINT_LENGTH = 6

Entropy = Callable[[int], bytes]
"""Gives that many random bytes, as `secrets.token_bytes` does."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_BODY = 43
_CHECKSUM = 6


def _base62(number: int, width: int) -> str:
    """Write a number with leading zeros, two pairs of digits at a time."""
    text = ""
    for _ in range(0, width, 4):
        number, two = divmod(number, 62**4)
        text = f"{_PAIRS[two // 62**2]}{_PAIRS[two % 62**2]}{text}"
    return text[-width:]


def _seal(prefix: str, random: bytes) -> str:
    text = prefix + _base62(int.from_bytes(random), _BODY)
    return text + _base62(zlib.crc32(text.encode("ascii")), _CHECKSUM)


def make(prefix: str, entropy: Entropy) -> str:
    """Make a new token of 256 random bits under a prefix."""
    return _seal(prefix, entropy(32))


def successor(token: str, salt: str) -> str:
    """Derive the one refresh token that follows another.

    Args:
        token: The refresh token presented; it is the HMAC-SHA256 key, so that digests alone yield nothing.
        salt: The random value in its row.
    """
    return _seal(REFRESH, hmac.digest(token.encode("ascii"), salt.encode("ascii"), "sha256"))


def is_well_formed(prefix: str, token: str) -> bool:
    """Tell whether a text is a token of that kind with a right checksum."""
    if len(token) != len(prefix) + _BODY + _CHECKSUM or not token.startswith(prefix) or not token.isascii():
        return False
    return token[-_CHECKSUM:] == _base62(zlib.crc32(token[:-_CHECKSUM].encode("ascii")), _CHECKSUM)


def digest(secret: str) -> str:
    """Give the hexadecimal SHA-256 under which a secret is stored and looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hint(token: str) -> str:
    """Give the first characters after the prefix, by which an operator recognises a token."""
    return token.split("_", 2)[2][:HINT_LENGTH]
