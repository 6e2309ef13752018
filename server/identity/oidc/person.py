"""The person behind an ID token, and which of what is said of them counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.identity.oidc.registration import Registration

_MAX_TEXT = 320
_YES = (True, 1, "1", "true", "True")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who signed in at the provider: unique by ``issuer`` and ``subject``."""

    issuer: str
    subject: str
    name: str | None
    email: str | None
    """Only an address that the provider vouches for."""


def name(claims: Mapping[str, Any]) -> str | None:
    """Give the person's name, or else what they are called by (OpenID Connect Core section 5.1)."""
    for claim in ("name", "preferred_username", "nickname"):
        value = claims.get(claim)
        known = value.encode("utf-8", "ignore").decode().strip() if isinstance(value, str) else ""
        if known:
            return known[:_MAX_TEXT]
    return None


def email(claims: Mapping[str, Any], registration: Registration) -> str | None:
    """Give the person's e-mail address if the provider vouches for it, else ``None``.

    ``email_verified`` must be true (OpenID Connect Core section 5.1). Entra has no such claim: there it is
    ``xms_edov``, or that all users are of one tenant, whose administrator sets the addresses.
    """
    address = claims.get("email")
    if not isinstance(address, str) or len(address) > _MAX_TEXT or address.count("@") != 1 or not address.isprintable():
        return None
    if not address.isascii() and address.casefold().isascii():
        return None  # letters such as the Kelvin sign would become another's address when capitals are folded
    return address if _is_vouched_for(claims, registration) else None


def is_silent(claims: Mapping[str, Any], registration: Registration) -> bool:
    """Tell whether an ID token leaves out an address or, but for Entra, whether it counts: UserInfo may say it."""
    return "email" not in claims or ("email_verified" not in claims and not registration.has_tenants)


def _is_vouched_for(claims: Mapping[str, Any], registration: Registration) -> bool:
    if not registration.has_tenants or "email_verified" in claims:
        return claims.get("email_verified") is True
    verified = claims.get("xms_edov")
    return verified in _YES if verified is not None else registration.single_tenant
