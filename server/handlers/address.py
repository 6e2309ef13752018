"""Whose request it is: the client's address, seen past the proxies that are trusted."""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

from server.settings import Network

UNKNOWN = "unknown"
"""In place of an address when the connection has none."""

_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"([^:]*):[0-9]{1,5}")


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Give the address of the client: the right-most one that is not a trusted proxy's.

    Each proxy adds the address that it was called from at the right. So the entries are read from there, each for as
    long as whoever wrote it is trusted; what is not an address ends the reading.

    Args:
        peer: The address at the other end of the connection.
        forwarded: The values of each ``X-Forwarded-For`` header, or of the one in its place, in order.
        trusted: The networks of the proxies.
    """
    if not trusted:
        return _canonical(peer or "")
    address = _parse(peer or "")
    if address is None:
        return UNKNOWN
    entries = ",".join(forwarded).split(",")
    while entries and any(address in network for network in trusted):
        nearer = _parse(entries.pop().strip())
        if nearer is None:
            break
        address = nearer
    return str(address)


@lru_cache(maxsize=4096)
def _canonical(peer: str) -> str:
    """Write an address in the one form that it is counted and logged under; a client sends many requests."""
    address = _parse(peer)
    return UNKNOWN if address is None else str(address)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address with or without brackets, port and zone; an IPv4 one mapped into IPv6 is that IPv4 one."""
    match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address(match[1] if match else text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or ipaddress.IPv6Address(int(address))
    return address
