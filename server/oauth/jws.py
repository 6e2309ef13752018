"""Signed tokens of others (RFC 7515, RFC 7519): taken apart, and held to a key that fits their algorithm.

PyJWT does the cryptography. The algorithm is chosen from a list of ours and must go with the key's
type, so that no key is ever used in a way that it was not made for (RFC 8725 sections 3.1 and 3.2).
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import jwt

from server.oauth import jwks

_FAR = 2**53
_JWS = jwt.PyJWS(algorithms=list(jwks.ALGORITHMS))

Claims = Mapping[str, Any]


class BadToken(Exception):  # noqa: N818 - it names a state
    """A token breaks a rule, which the message says as the end of a sentence that begins with “it is not good”."""


class Unverified(NamedTuple):
    """What a token claims of itself; its signature covers these very bytes and is verified before they count."""

    header: Mapping[str, Any]
    claims: Claims


def take_apart(token: str, longest: int) -> Unverified:
    """Read a token of at most ``longest`` characters without verifying it.

    Raises:
        BadToken: It is no signed token with claims in it.
    """
    if len(token) > longest:
        raise BadToken("it is too long")
    try:
        decoded = _JWS.decode_complete(token, options={"verify_signature": False})
        claims = json.loads(decoded["payload"])
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise BadToken("it is no signed token") from None
    if not isinstance(claims, dict):
        raise BadToken("its claims are not an object")
    return Unverified(decoded["header"], claims)


def algorithm(header: Mapping[str, Any]) -> str:
    """Give the algorithm that a header names, if it is one that is served.

    Raises:
        BadToken: It is another, ``none`` among them, or the header wants extensions understood.
    """
    claimed = header.get("alg")
    if not isinstance(claimed, str) or claimed not in jwks.ALGORITHMS:
        raise BadToken(f"its alg is none of {' '.join(jwks.ALGORITHMS)}")
    if "crit" in header:
        raise BadToken("its header has critical extensions")
    return claimed


def key_id(header: Mapping[str, Any]) -> str | None:
    """Give the id of the key that signed; raises `BadToken` when it is no text."""
    claimed = header.get("kid")
    if claimed is not None and not isinstance(claimed, str):
        raise BadToken("its kid is not a string")
    return claimed


def time(claims: Claims, name: str) -> float | None:
    """Read a time (RFC 7519 section 2, NumericDate); ``None`` if it is absent.

    Raises:
        BadToken: It is something else.
    """
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_FAR < value < _FAR:
        raise BadToken(f"its {name} is not a time")
    return value


def knows(keys: Mapping[str, Any], wanted: str | None) -> bool:
    """Tell whether a key of that id is there, so that fetching the keys anew would change nothing."""
    listed = keys["keys"] if isinstance(keys.get("keys"), list) else []
    return wanted is not None and any(isinstance(key, dict) and key.get("kid") == wanted for key in listed)


def is_signed(token: str, keys: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    """Tell whether one of these keys made a token's signature, in the way that its header says.

    Raises:
        BadToken: The header names an algorithm that is not served.
    """
    chosen = algorithm(header)
    return any(_is_signed_by(key, token, chosen) for key in jwks.candidates(keys, chosen, key_id(header)))


def _is_signed_by(key: dict[str, str], token: str, chosen: str) -> bool:
    try:
        _JWS.decode(token, jwt.PyJWK(key, chosen), algorithms=[chosen])
    except jwt.PyJWTError:
        return False
    return True
