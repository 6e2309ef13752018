"""Resource indicators: whom a token is for (RFC 8707)."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from server.oauth.errors import InvalidTarget
from server.origins import DEFAULT_PORTS
from server.settings import Settings


def audience(resources: Iterable[str], settings: Settings) -> str:
    """Give the one canonical audience of tokens for these resources; none named is this server.

    The origin, the origin with ``/mcp``, a trailing slash, an upper-case host and a default port all
    name this server, since clients write it in each of these ways.

    Raises:
        InvalidTarget: One of them is not this server.
    """
    if others := [resource for resource in resources if resource != settings.resource]:
        ours = {_normalised(settings.server_url), _normalised(settings.resource)}
        if any(_normalised(resource) not in ours for resource in others):
            raise InvalidTarget(f"the resource served here is {settings.resource}")
    return settings.resource


def _normalised(uri: str) -> tuple[str, str, int | None, str] | None:
    """Take an absolute URI apart as far as naming a resource goes; ``None`` for what cannot name one."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "?" in uri or "#" in uri or "@" in parts.netloc:
        return None
    return parts.scheme, host, port or DEFAULT_PORTS.get(parts.scheme), parts.path.removesuffix("/")
