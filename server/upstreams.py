"""The identity providers that can sign users in: one implementation, and a small table of what differs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from server.origins import is_loopback

TENANT = "{tenantid}"
"""Stands in an issuer for the tenant that a user belongs to, as in Entra's own metadata."""

MULTI_TENANT = frozenset({"common", "organizations", "consumers"})
"""Entra's tenants that are more than one: nobody vouches for the e-mail addresses in them."""

CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of Microsoft's personal accounts."""

ALIASES = {"azure": "entra", "custom": "demo"}
"""Other names of `OAUTH_PROVIDER`'s values."""

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The form of a tenant's id."""

_ISSUER = re.compile(r"https?://[!$-;=?-Z_a-z~%{}]+")


@dataclass(frozen=True, slots=True)
class Provider:
    """What differs between providers; the rest they say themselves (OpenID Connect Discovery 1.0)."""

    title: str
    """What people call it; empty for one that only its host names."""
    issuer: str = ""
    """Its issuer; where it has none of its own, ``OAUTH_UPSTREAM_ISSUER`` says it."""
    also_known_as: tuple[str, ...] = ()
    """Other values that its ID tokens may have as ``iss``."""
    callback: str = "/oauth/callback"
    """The path of the redirect URI."""
    prompts: frozenset[str] = frozenset({"login"})
    """The prompts that it knows, of those that a client may ask us for, unless it says so itself."""
    posts_secret: bool = False
    """Whether the client secret goes into the form, where the provider takes it either way."""


PROVIDERS: Mapping[str, Provider] = {
    "google": Provider(
        "Google",
        "https://accounts.google.com",
        also_known_as=("accounts.google.com",),
        callback="/oauth/google/callback",
        prompts=frozenset({"select_account"}),
    ),
    "entra": Provider(
        "Microsoft",
        f"https://login.microsoftonline.com/{TENANT}/v2.0",
        callback="/oauth/azure/callback",
        prompts=frozenset({"login", "select_account"}),
    ),
    "okta": Provider("Okta"),
    "auth0": Provider("Auth0", posts_secret=True),
    "oidc": Provider(""),
}


def missing(name: str, given: Mapping[str, Any]) -> list[str]:
    """Name the settings that a provider needs and that are not there.

    Args:
        name: A provider's name.
        given: Settings by field name.
    """
    provider = PROVIDERS.get(ALIASES.get(name, name))
    if provider is None:
        return []
    needed = ["oauth_client_id", "oauth_client_secret"]
    needed += ["oauth_tenant_id"] if TENANT in provider.issuer else []
    needed += [] if provider.issuer else ["oauth_upstream_issuer"]
    return [field.upper() for field in needed if not given.get(field)]


def unused(name: str, given: Mapping[str, Any]) -> list[str]:
    """Name the settings of a registration that are there although the provider asks for none of them."""
    provider = PROVIDERS.get(name)
    useful = {"oauth_client_id", "oauth_client_secret", "oauth_upstream_issuer"} if provider else set()
    if provider and TENANT in provider.issuer:
        useful.add("oauth_tenant_id")
    registration = ("oauth_client_id", "oauth_client_secret", "oauth_tenant_id", "oauth_upstream_issuer")
    return [field.upper() for field in registration if given.get(field) and field not in useful]


def check_tenant(value: str) -> str:
    """Check a tenant and give it in lower case.

    Raises:
        ValueError: It is neither a tenant's id nor one of Entra's three words.
    """
    tenant = value.lower()
    if tenant and tenant not in MULTI_TENANT and not GUID.fullmatch(tenant):
        raise ValueError("not a tenant")
    return "consumers" if tenant == CONSUMERS else tenant


def check_issuer(value: str) -> str:
    """Check an issuer (OpenID Connect Discovery 1.0 section 3): https, or http on loopback; no query, no fragment.

    Raises:
        ValueError: It cannot be one; the message says why.
    """
    if not value:
        return value
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("not a URL") from None
    if not _ISSUER.fullmatch(value) or not host or port == 0 or "@" in parts.netloc or {"{", "}"} & set(parts.netloc):
        raise ValueError("not an issuer's URL")
    if "?" in value:
        raise ValueError("an issuer has no query")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("plain http is only for loopback")
    return value


def check_provider(name: str, given: Mapping[str, Any]) -> str:
    """Check that a provider has all that it needs, and give its name.

    Args:
        name: The value of ``OAUTH_PROVIDER``, or another name of it.
        given: Settings by field name.

    Raises:
        ValueError: It says what is missing, or does not go with it.
    """
    if lacking := missing(name, given):
        raise ValueError(f"it needs {' and '.join(lacking)} too")
    name = ALIASES.get(name, name)
    issuer = given.get("oauth_upstream_issuer")
    if issuer and name in PROVIDERS and (TENANT in issuer) != (TENANT in PROVIDERS[name].issuer):
        needs = "must" if TENANT in PROVIDERS[name].issuer else "must not"
        raise ValueError(f"its OAUTH_UPSTREAM_ISSUER {needs} contain {TENANT}")
    return name


def check_vouching(given: Mapping[str, Any]) -> None:
    """Refuse to go by e-mail addresses where nobody vouches for them.

    Raises:
        ValueError: Users of any tenant may sign in.
    """
    if given.get("oauth_provider") == "entra" and given.get("oauth_tenant_id") in MULTI_TENANT:
        raise ValueError(f"with OAUTH_TENANT_ID={given['oauth_tenant_id']} nobody vouches for e-mail addresses")
