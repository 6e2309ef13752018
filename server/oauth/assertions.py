"""``private_key_jwt``: a client proves itself by a token that it signed (RFC 7523 section 3).

PyJWT does the cryptography. The algorithm is chosen from a list of ours and must go with the key's
type, so that no key is ever used in a way that it was not made for (RFC 8725 sections 3.1 and 3.2).
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

import jwt

from server.oauth import directory, jwks
from server.oauth.context import Context
from server.oauth.errors import InvalidClient
from server.oauth.model import Client

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

LONGEST_LIFE = 3_600
"""Seconds ahead that an assertion may expire."""

SKEW = 60
"""Seconds by which a client's clock may be wrong about when it made an assertion."""

_MAX_LENGTH = 8_192
_MAX_JTI = 256
_FAR = 2**53
_JWS = jwt.PyJWS(algorithms=list(jwks.ALGORITHMS))

Claims = Mapping[str, Any]


def subject(assertion: str) -> str | None:
    """Give the client that an assertion names, unverified, for a request that names none (RFC 7521 section 4.2)."""
    claimed = _unverified(assertion)[1].get("sub")
    return claimed if isinstance(claimed, str) else None


async def verify(assertion: str, client: Client, ctx: Context) -> None:
    """Hold an assertion to every rule, and use it up.

    Raises:
        InvalidClient: One of them is broken, or it was used before.
        TemporarilyUnavailable: The client's keys cannot be fetched.
    """
    header, claims = _unverified(assertion)
    expires_at, jti = _check_claims(claims, client, ctx)
    algorithm = _algorithm(header, client)
    key_id = header.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        _refuse("its kid is not a string")
    keys = await directory.keys(client, ctx)
    if not _is_signed(assertion, keys, algorithm, key_id):
        newer = None if _knows(keys, key_id) else await directory.newer_keys(client, ctx)
        if newer is None or not _is_signed(assertion, newer, algorithm, key_id):
            _refuse("no key of this client has signed it")
    if not await ctx.store.use_assertion(client.client_id, jti, expires_at):
        _refuse("its jti was used before")


def _refuse(why: str) -> NoReturn:
    raise InvalidClient(f"the client assertion is not good: {why}")


def _unverified(assertion: str) -> tuple[dict[str, Any], Claims]:
    """Take an assertion apart; its signature covers these very bytes and is verified before they count."""
    if len(assertion) > _MAX_LENGTH:
        _refuse("it is too long")
    try:
        decoded = _JWS.decode_complete(assertion, options={"verify_signature": False})
        claims = json.loads(decoded["payload"])
    except (jwt.PyJWTError, ValueError, RecursionError):
        _refuse("it is no signed token")
    if not isinstance(claims, dict):
        _refuse("its claims are not an object")
    return decoded["header"], claims


def _algorithm(header: Mapping[str, Any], client: Client) -> str:
    """Choose the algorithm: one that is served, and the one that the client keeps to, if it said so."""
    claimed = header.get("alg")
    if not isinstance(claimed, str) or claimed not in jwks.ALGORITHMS:
        _refuse(f"its alg is none of {' '.join(jwks.ALGORITHMS)}")
    if claimed != client.metadata.get("token_endpoint_auth_signing_alg", claimed):
        _refuse("its alg is not the one that the client registered")
    if "crit" in header:
        _refuse("its header has critical extensions")
    return claimed


def _check_claims(claims: Claims, client: Client, ctx: Context) -> tuple[int, str]:
    """Check everything but the signature (RFC 7523 section 3), and give expiry and ``jti``."""
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        _refuse("its iss and sub are not the client_id")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    accepted = (ctx.settings.issuer, f"{ctx.settings.server_url}/token")
    if not named or any(one not in accepted for one in named):
        _refuse("its aud is neither the issuer nor the token endpoint")
    expires_at = _time(claims, "exp")
    if expires_at is None or not ctx.now < expires_at <= ctx.now + LONGEST_LIFE:
        _refuse("its exp is missing, past, or more than an hour ahead")
    issued_at, not_before = _time(claims, "iat"), _time(claims, "nbf")
    if issued_at is not None and not ctx.now - LONGEST_LIFE - SKEW <= issued_at <= ctx.now + SKEW:
        _refuse("its iat is more than an hour ago, or in the future")
    if not_before is not None and not_before > ctx.now + SKEW:
        _refuse("its nbf is in the future")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        _refuse("its jti is missing, or longer than 256 characters")
    return math.ceil(expires_at), jti


def _time(claims: Claims, name: str) -> float | None:
    """Read a time (RFC 7519 section 2, NumericDate); ``None`` if it is absent."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_FAR < value < _FAR:
        _refuse(f"its {name} is not a time")
    return value


def _knows(keys: Mapping[str, Any], key_id: str | None) -> bool:
    """Tell whether a key of that id is there, so that fetching the keys anew would change nothing."""
    listed = keys["keys"] if isinstance(keys.get("keys"), list) else []
    return key_id is not None and any(isinstance(key, dict) and key.get("kid") == key_id for key in listed)


def _is_signed(assertion: str, keys: Mapping[str, Any], algorithm: str, key_id: str | None) -> bool:
    return any(_is_signed_by(key, assertion, algorithm) for key in jwks.candidates(keys, algorithm, key_id))


def _is_signed_by(key: dict[str, str], assertion: str, algorithm: str) -> bool:
    try:
        _JWS.decode(assertion, jwt.PyJWK(key, algorithm), algorithms=[algorithm])
    except jwt.PyJWTError:
        return False
    return True
