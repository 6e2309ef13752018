"""Which web pages may call: the defence against DNS rebinding (MCP Streamable HTTP, "Security")."""

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from server.origins import DEFAULT_PORTS, is_loopback, write
from server.settings import Settings

_ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::(?P<port>\d{1,5}))?")
_HOST = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")


def is_origin(origins: Sequence[str]) -> bool:
    """Tell whether the ``Origin`` headers of a request are none, ``null`` or one plain origin (RFC 6454)."""
    if len(origins) > 1:
        return False
    return not origins or origins[0] == "null" or _ORIGIN.fullmatch(origins[0].lower()) is not None


def may_call_openly(origins: Sequence[str], settings: Settings) -> bool:
    """Tell whether a page may call where no token protects: our own, loopback or one that is allowed by name.

    Args:
        origins: The values of every ``Origin`` header; none at all is no browser, and may call.
        settings: Name the server's own origin and ``ALLOWED_ORIGINS``.
    """
    if not origins:
        return True
    match = _ORIGIN.fullmatch(origins[0].lower())
    if len(origins) > 1 or match is None:
        return False
    scheme, host, port = match["scheme"], match["host"].strip("[]"), match["port"]
    if scheme in DEFAULT_PORTS and is_loopback(host):
        return True
    plain = write(scheme, host, int(port) if port else None)
    return plain == settings.server_url or plain in settings.allowed_origins


def is_our_host(hosts: Sequence[str], settings: Settings) -> bool:
    """Tell whether a ``Host`` may be ours; bound to loopback, only loopback names and that of ``SERVER_URL`` are."""
    return _is_ours(",".join(hosts).lower(), settings.host, settings.server_url)


@lru_cache(maxsize=256)
def _is_ours(host: str, bound_to: str, server_url: str) -> bool:
    if not is_loopback(bound_to):
        return True
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match["host"].strip("[]")
    return is_loopback(name) or name == urlsplit(server_url).hostname
