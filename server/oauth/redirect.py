"""Redirect URIs: which may be registered, and which match (RFC 6749 3.1.2, RFC 8252, RFC 9700 4.1)."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from server.origins import is_loopback

MAX_LENGTH = 2_000

_HANDLED_BY_BROWSERS = frozenset(
    {
        "about",
        "blob",
        "data",
        "file",
        "filesystem",
        "ftp",
        "intent",
        "javascript",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    }
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!$-;=?-Z_a-z~%\[\]]+")
_DOMAIN_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*\.?")
_LOOPBACK = re.compile(r"(https?://(?:127\.0\.0\.1|\[::1\]|localhost))(?::[0-9]{1,5})?((?:[/?].*)?)")


def is_acceptable(uri: str) -> bool:
    """Tell whether a redirect URI may be registered.

    It is https, or http on loopback, or of a private-use scheme with a dot in it or with a host
    (RFC 8252 section 7.1); it has no fragment, no user info and no escape in its host, and at most 2,000 characters.
    """
    if len(uri) > MAX_LENGTH or not _URI.fullmatch(uri):
        return False
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if {"@", "%"} & set(parts.netloc) or parts.scheme in _HANDLED_BY_BROWSERS:
        return False
    if parts.scheme == "https":
        return bool(host)
    if parts.scheme == "http":
        return is_loopback(host)
    return bool(host) or "." in parts.scheme


def matches(registered: str, presented: str) -> bool:
    """Compare as exact strings; on loopback the port may differ (RFC 8252 section 7.3)."""
    if registered == presented:
        return True
    ours, theirs = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(presented)
    return ours is not None and theirs is not None and ours.groups() == theirs.groups() and is_acceptable(presented)


def is_on_loopback(uri: str) -> bool:
    """Tell whether a redirect URI leads to a program on the user's own computer by http."""
    parts = urlsplit(uri)
    return parts.scheme in {"http", "https"} and is_loopback(parts.hostname or "")


def leads_to_the_web(uri: str) -> bool:
    """Tell whether a redirect URI is https at a domain name, so that no other program can be behind it.

    An address, in any of the forms that browsers read as one, does not count, and a loopback name does not.
    """
    parts = urlsplit(uri)
    host = parts.hostname or ""
    return parts.scheme == "https" and bool(_DOMAIN_NAME.fullmatch(host)) and not is_loopback(host.rstrip("."))


def without_loopback_port(uri: str) -> str:
    """Give a redirect URI without the port on which a program on this computer happens to listen."""
    on_loopback = _LOOPBACK.fullmatch(uri)
    return "".join(on_loopback.groups()) if on_loopback else uri


def destination(uri: str) -> str:
    """Name the place that a redirect URI leads to, for a person: its host, or its scheme and host."""
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"}:
        return parts.netloc
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """Add response parameters to a redirect URI, keeping the query that it has (RFC 6749 section 4.1.2).

    A space is written ``%20``: clients that decode a query as a URI's part would keep a plus sign.
    """
    separator = "&" if "?" in uri else "?"
    return uri + separator + "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
