"""Origins and hosts, as settings and requests name them (RFC 6454)."""

import ipaddress
import re
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address literal (no brackets, no port) is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if ":" not in host and not host[-1:].isdigit():
        return False  # no address ends so, and to learn it from an error takes ten times as long
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def canonical(value: str, *, any_http: bool = False) -> str:
    """Check an origin and give it in its canonical form, without a trailing slash.

    Args:
        value: What was written.
        any_http: Whether plain http is fine off loopback too.

    Raises:
        ValueError: It is not an http or https origin; the message says why.
    """
    try:
        parts = urlsplit(value.removesuffix("/"))
        host, port = parts.hostname or "", parts.port
        known_host = _HOST_NAME.fullmatch(host) or ("%" not in host and ipaddress.IPv6Address(host))
    except ValueError:
        raise ValueError("not a URL") from None
    if parts.path or "?" in value or "#" in value or "@" in parts.netloc:
        raise ValueError("more than an origin: path, query, fragment and user info are not allowed")
    if parts.scheme not in {"http", "https"} or not known_host or port == 0 or re.search(r"\s", value):
        raise ValueError("not an http or https origin")
    if parts.scheme == "http" and not (any_http or is_loopback(host)):
        raise ValueError("plain http is only for loopback")
    return write(parts.scheme, host, port)


def write(scheme: str, host: str, port: int | None) -> str:
    """Write an origin in its canonical form: a default port is left out (RFC 6454 section 6.2).

    Args:
        scheme: In lower case.
        host: In lower case; an IPv6 address without its brackets.
        port: ``None`` is the scheme's default.
    """
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + (f":{port}" if port not in {None, DEFAULT_PORTS.get(scheme)} else "")
