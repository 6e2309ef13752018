"""``private_key_jwt``: a client proves itself by a token that it signed (RFC 7523 section 3)."""

import math
from collections.abc import Mapping
from typing import Any, NoReturn

from server.oauth import directory, jws
from server.oauth.context import Context
from server.oauth.errors import InvalidClient
from server.oauth.jws import Claims
from server.oauth.model import Client

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

LONGEST_LIFE = 3_600
"""Seconds ahead that an assertion may expire."""

SKEW = 60
"""Seconds by which a client's clock may be wrong about when it made an assertion."""

_MAX_LENGTH = 8_192
_MAX_JTI = 256


def subject(assertion: str) -> str | None:
    """Give the client that an assertion names, unverified, for a request that names none (RFC 7521 section 4.2)."""
    try:
        claimed = jws.take_apart(assertion, _MAX_LENGTH).claims.get("sub")
    except jws.BadToken as error:
        _refuse(str(error))
    return claimed if isinstance(claimed, str) else None


async def verify(assertion: str, client: Client, ctx: Context) -> None:
    """Hold an assertion to every rule, and use it up.

    Raises:
        InvalidClient: One of them is broken, or it was used before.
        TemporarilyUnavailable: The client's keys cannot be fetched.
    """
    try:
        expires_at, jti = await _verified(assertion, client, ctx)
    except jws.BadToken as error:
        _refuse(str(error))
    if not await ctx.store.use_assertion(client.client_id, jti, expires_at):
        _refuse("its jti was used before")


async def _verified(assertion: str, client: Client, ctx: Context) -> tuple[int, str]:
    """Check claims and signature, and give expiry and ``jti``."""
    header, claims = jws.take_apart(assertion, _MAX_LENGTH)
    checked = _check_claims(claims, client, ctx)
    _check_algorithm(header, client)
    key_id = jws.key_id(header)
    keys = await directory.keys(client, ctx)
    if not jws.is_signed(assertion, keys, header):
        newer = None if jws.knows(keys, key_id) else await directory.newer_keys(client, ctx)
        if newer is None or not jws.is_signed(assertion, newer, header):
            _refuse("no key of this client has signed it")
    return checked


def _refuse(why: str) -> NoReturn:
    raise InvalidClient(f"the client assertion is not good: {why}") from None


def _check_algorithm(header: Mapping[str, Any], client: Client) -> None:
    """Hold a client to an algorithm that is served, and to the one that it keeps to, if it said so."""
    claimed = jws.algorithm(header)
    if claimed != client.metadata.get("token_endpoint_auth_signing_alg", claimed):
        _refuse("its alg is not the one that the client registered")


def _check_claims(claims: Claims, client: Client, ctx: Context) -> tuple[int, str]:
    """Check everything but the signature (RFC 7523 section 3), and give expiry and ``jti``."""
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        _refuse("its iss and sub are not the client_id")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    accepted = (ctx.settings.issuer, f"{ctx.settings.server_url}/token")
    if not named or any(one not in accepted for one in named):
        _refuse("its aud is neither the issuer nor the token endpoint")
    expires_at = jws.time(claims, "exp")
    if expires_at is None or not ctx.now < expires_at <= ctx.now + LONGEST_LIFE:
        _refuse("its exp is missing, past, or more than an hour ahead")
    issued_at, not_before = jws.time(claims, "iat"), jws.time(claims, "nbf")
    if issued_at is not None and not ctx.now - LONGEST_LIFE - SKEW <= issued_at <= ctx.now + SKEW:
        _refuse("its iat is more than an hour ago, or in the future")
    if not_before is not None and not_before > ctx.now + SKEW:
        _refuse("its nbf is in the future")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        _refuse("its jti is missing, or longer than 256 characters")
    return math.ceil(expires_at), jti
