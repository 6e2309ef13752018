"""The ID token: who signed in, as the provider has signed it (OpenID Connect Core section 3.1.3.7)."""

import hmac
import re
from collections.abc import Mapping
from typing import Any

from server.identity.oidc.discovery import Metadata
from server.identity.oidc.errors import ClockOff, Untrusted
from server.identity.oidc.hop import Hop
from server.identity.oidc.registration import Registration
from server.oauth import jws, tokens
from server.upstreams import CONSUMERS, GUID, TENANT

SKEW = 60
"""Seconds by which the provider's clock and ours may differ."""

MAX_LENGTH = 32_768

_SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")

Claims = jws.Claims


def take_apart(token: str) -> jws.Unverified:
    """Read an ID token without believing it.

    Raises:
        Untrusted: It is none.
    """
    try:
        return jws.take_apart(token, MAX_LENGTH)
    except jws.BadToken as error:
        raise Untrusted(f"the ID token is not good: {error}") from None


def is_signed(token: str, keys: Mapping[str, Any], metadata: Metadata, registration: Registration) -> bool:
    """Tell whether one of the provider's keys has signed an ID token, by an algorithm that it says it uses.

    Raises:
        Untrusted: The algorithm is another, such as ``none`` or ``HS256``.
    """
    header, claims = take_apart(token)
    try:
        _check_algorithm(header, metadata)
        fitting = _keys_of(_issuer(claims, metadata, registration), keys) if registration.has_tenants else keys
        return jws.is_signed(token, fitting, header)
    except jws.BadToken as error:
        raise Untrusted(f"the ID token is not good: {error}") from None


def _check_algorithm(header: Mapping[str, Any], metadata: Metadata) -> None:
    if jws.algorithm(header) not in metadata.algorithms:
        raise jws.BadToken(f"its alg is not among {' '.join(metadata.algorithms)}")


def check_claims(claims: Claims, metadata: Metadata, registration: Registration, hop: Hop, now: int) -> tuple[str, str]:
    """Hold the claims of an ID token, whose signature is good, to every rule.

    Args:
        claims: Its claims.
        metadata: The provider's.
        registration: Whose ID token it must be.
        hop: What was asked.
        now: Unix seconds.

    Returns:
        The issuer and the subject, which together are the user (section 5.7).

    Raises:
        Untrusted: A rule is broken.
        ClockOff: It is not valid at this time.
    """
    try:
        issuer = _issuer(claims, metadata, registration)
        _check_audience(claims, registration.client_id)
        _check_times(claims, hop.since, now)
    except jws.BadToken as error:
        raise Untrusted(f"the ID token is not good: {error}") from None
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(tokens.digest(nonce), hop.nonce_digest):
        raise Untrusted("the ID token is not good: its nonce is not the one that was sent")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise Untrusted("the ID token is not good: its sub is missing, or not 1 to 255 ASCII characters")
    return issuer, subject


def _issuer(claims: Claims, metadata: Metadata, registration: Registration) -> str:
    """Give the issuer of an ID token; where there are tenants, it must name the one that the user belongs to.

    Every tenant's issuer is another, and so the same ``sub`` of two tenants is two users.
    """
    claimed, expected = claims.get("iss"), metadata.issuer
    if TENANT in expected:
        tenant = claims.get("tid")
        if not isinstance(tenant, str) or not GUID.fullmatch(tenant):
            raise jws.BadToken("its tid is not a tenant's id")
        if registration.tenant == "organizations" and tenant == CONSUMERS:
            raise jws.BadToken("it is of a personal account, and OAUTH_TENANT_ID is organizations")
        expected = expected.replace(TENANT, tenant)
    if not isinstance(claimed, str) or claimed not in {expected, *registration.provider.also_known_as}:
        raise jws.BadToken(f"its iss is {claimed!r}, not {expected!r}")
    return expected


def _keys_of(issuer: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the keys that sign for other tenants: where tenants share a set of keys, each says for whom it is."""
    tenant = GUID.search(issuer)
    named = {issuer, issuer.replace(tenant[0], TENANT) if tenant else issuer}
    listed = keys.get("keys")
    held = [key for key in (listed if isinstance(listed, list) else []) if isinstance(key, dict)]
    return {"keys": [key for key in held if key.get("issuer", issuer) in named]}


def _check_audience(claims: Claims, client_id: str) -> None:
    audience, authorized = claims.get("aud"), claims.get("azp")
    named = audience if isinstance(audience, list) else [audience]
    if client_id not in named:
        raise jws.BadToken("its aud is not this server's client id")
    if authorized not in ({client_id} if len(named) > 1 else {client_id, None}):
        raise jws.BadToken("its azp is not this server's client id")


def _check_times(claims: Claims, since: int | None, now: int) -> None:
    """Check when it is valid, and that the user signed in lately enough, where the provider says when that was."""
    expires_at, issued_at = jws.time(claims, "exp"), jws.time(claims, "iat")
    not_before, signed_in_at = jws.time(claims, "nbf"), jws.time(claims, "auth_time")
    if expires_at is None or issued_at is None:
        raise jws.BadToken("its exp or iat is missing")
    if expires_at <= now - SKEW:
        raise ClockOff(f"the ID token expired {now - expires_at:.0f} s ago by this server's clock: is it right?")
    latest = max(issued_at, not_before or 0)
    if latest > now + SKEW:
        raise ClockOff(f"the ID token is from {latest - now:.0f} s ahead of this server's clock: is it right?")
    if since is not None and signed_in_at is not None and signed_in_at < since - SKEW:
        raise jws.BadToken("its auth_time is before the sign-in that was asked for")
