"""Clients' public keys (RFC 7517): which can be used, and which of them may have signed an assertion."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from server.oauth.errors import InvalidClientMetadata
from server.oauth.remote import RemoteError, check_url
from server.settings import Settings

ALGORITHMS: dict[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""The signature algorithms that are served, each with the one type and curve of key that it goes with (RFC 8725)."""

MAX_CANDIDATES = 8
"""Keys that are tried on one assertion: a set may be long, and each try takes the processor's time."""

_PUBLIC = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_RSA_BITS = range(2048, 8192 + 1)
_LARGEST_EXPONENT = 2**32


def source(metadata: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """Read where a client's keys are: inline, or at a URL; and the algorithm that it keeps to, if any.

    Raises:
        InvalidClientMetadata: There are none, or both (RFC 7591 section 2); or they cannot be used.
    """
    inline, uri = metadata.get("jwks"), metadata.get("jwks_uri")
    if (inline is None) == (uri is None):
        raise InvalidClientMetadata("private_key_jwt needs either jwks or jwks_uri")
    algorithm = metadata.get("token_endpoint_auth_signing_alg")
    if algorithm is not None and (not isinstance(algorithm, str) or algorithm not in ALGORITHMS):
        raise InvalidClientMetadata(f"token_endpoint_auth_signing_alg must be one of {' '.join(ALGORITHMS)}")
    found = {"jwks_uri": _checked_uri(uri, settings)} if inline is None else {"jwks": _checked(inline)}
    return found if algorithm is None else {**found, "token_endpoint_auth_signing_alg": algorithm}


def _checked_uri(uri: object, settings: Settings) -> object:
    if not isinstance(uri, str):
        raise InvalidClientMetadata("jwks_uri is not a string")
    try:
        check_url(uri, settings.oauth_cimd_dev_origins)
    except RemoteError as error:
        raise InvalidClientMetadata(f"jwks_uri cannot be used: {error.reason}") from None
    return uri


def _checked(inline: object) -> object:
    keys = inline.get("keys") if isinstance(inline, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise InvalidClientMetadata("jwks is not an object with a list of keys")
    if any(not _PRIVATE.isdisjoint(key) for key in keys):
        raise InvalidClientMetadata("jwks holds a private or secret key; send public keys only, and replace that one")
    if not any(_fits(key, algorithm) for key in keys for algorithm in ALGORITHMS):
        raise InvalidClientMetadata("jwks holds no RSA (2048 to 8192 bits), P-256 or Ed25519 key to verify with")
    return inline


def candidates(keys: Mapping[str, Any], algorithm: str, key_id: str | None) -> list[dict[str, str]]:
    """Choose the keys that may have made a signature, each cut down to its public members.

    Args:
        keys: A JSON Web Key Set, unchecked; what cannot be used in it is passed over.
        algorithm: One of `ALGORITHMS`.
        key_id: The signature's ``kid``; keys with another one are passed over.
    """
    listed = keys.get("keys")
    fitting = [
        key
        for key in (listed if isinstance(listed, list) else [])
        if isinstance(key, dict) and (key_id is None or key.get("kid") in {None, key_id}) and _fits(key, algorithm)
    ]
    fitting.sort(key=lambda key: key.get("kid") != key_id)
    kty, curve = ALGORITHMS[algorithm]
    members = ("kty", *(("crv",) if curve else ()), *_PUBLIC[kty])
    return [{name: key[name] for name in members} for key in fitting[:MAX_CANDIDATES]]


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    """Tell whether a key is public, meant for signatures, and of the type and strength for an algorithm."""
    kty, curve = ALGORITHMS[algorithm]
    if key.get("kty") != kty or (curve is not None and key.get("crv") != curve):
        return False
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm or not _PRIVATE.isdisjoint(key):
        return False
    operations = key.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return False
    numbers = [_number(key.get(name)) for name in _PUBLIC[kty]]
    return 0 not in numbers and (kty != "RSA" or _is_strong(*numbers))


def _is_strong(modulus: int, exponent: int) -> bool:
    """Tell whether an RSA key is long enough (RFC 7518 section 3.3), and quick enough to verify with."""
    return modulus.bit_length() in _RSA_BITS and exponent < _LARGEST_EXPONENT


def _number(value: object) -> int:
    """Decode a base64url number; 0 for what is none."""
    if not isinstance(value, str) or not value.isascii():
        return 0
    try:
        return int.from_bytes(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (ValueError, binascii.Error):
        return 0
