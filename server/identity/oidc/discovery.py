"""What a provider says of itself (OpenID Connect Discovery 1.0 section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from server.identity.oidc.errors import Misconfigured
from server.identity.oidc.registration import Registration
from server.oauth import jwks
from server.origins import is_loopback
from server.upstreams import CONSUMERS, TENANT

MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Metadata:
    """The part of a provider's metadata that is used."""

    issuer: str
    """Exactly as it wrote it; it may hold `TENANT`."""
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    sends_issuer: bool
    """Whether its answers name it (RFC 9207)."""
    auth_methods: tuple[str, ...]
    algorithms: tuple[str, ...]
    """Those of ours by which it may sign ID tokens."""
    prompts: frozenset[str]
    """The prompts that it knows."""


def read(document: Mapping[str, Any], registration: Registration) -> Metadata:
    """Check a provider's metadata.

    Raises:
        Misconfigured: It is not of the issuer that was asked for, or lacks what is needed.
    """
    methods = _texts(document, "token_endpoint_auth_methods_supported") or ("client_secret_basic",)
    signs_by = _texts(document, "id_token_signing_alg_values_supported") or tuple(jwks.ALGORITHMS)
    algorithms = tuple(name for name in signs_by if name in jwks.ALGORITHMS)
    if not algorithms:
        raise Misconfigured(f"it signs ID tokens by {' '.join(signs_by)}, of which none is taken here")
    if "S256" not in (_texts(document, "code_challenge_methods_supported") or ("S256",)):
        raise Misconfigured("it serves PKCE, but not by S256")
    return Metadata(
        issuer=_issuer(document, registration),
        authorization_endpoint=_needed(document, "authorization_endpoint"),
        token_endpoint=_needed(document, "token_endpoint"),
        jwks_uri=_needed(document, "jwks_uri"),
        userinfo_endpoint=_url(document, "userinfo_endpoint"),
        end_session_endpoint=_url(document, "end_session_endpoint"),
        sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        auth_methods=methods,
        algorithms=algorithms,
        prompts=frozenset(_texts(document, "prompt_values_supported")) or registration.provider.prompts,
    )


def _issuer(document: Mapping[str, Any], registration: Registration) -> str:
    """Hold the document to the issuer that was asked for (section 4.3); only a slash at the end may differ."""
    issuer = document.get("issuer")
    expected = registration.issuer
    if registration.tenant == "consumers":
        expected = expected.replace(TENANT, CONSUMERS)
    elif registration.single_tenant:
        expected = expected.replace(TENANT, registration.tenant)
    if not isinstance(issuer, str) or issuer.rstrip("/") != expected.rstrip("/"):
        raise Misconfigured(f"it says that its issuer is {issuer!r}, not {expected!r}: look at OAUTH_UPSTREAM_ISSUER")
    return issuer


def _needed(document: Mapping[str, Any], name: str) -> str:
    url = _url(document, name)
    if url is None:
        raise Misconfigured(f"its metadata has no {name}")
    return url


def _url(document: Mapping[str, Any], name: str) -> str | None:
    """Read an endpoint: https, or http on loopback."""
    value = document.get(name)
    if value is None:
        return None
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise Misconfigured(f"its metadata has an unusable {name}")
    return str(value)


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    listed = document.get(name)
    return tuple(text for text in listed if isinstance(text, str)) if isinstance(listed, list) else ()
