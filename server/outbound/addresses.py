"""Which addresses are the public internet's (IANA special-purpose address registries, RFC 6890).

`ipaddress.is_global` alone is not enough: it lets multicast, ``fec0::/10``, ``64:ff9b::/96`` and
``::/96`` through, each a way to an address that is private to us.
"""

from ipaddress import IPv6Address, ip_address, ip_network

_SPECIAL_V4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network, which connects to this very host (RFC 791 section 3.2)
            "10.0.0.0/8",  # private use (RFC 1918)
            "100.64.0.0/10",  # shared by carriers' NAT (RFC 6598)
            "127.0.0.0/8",  # loopback (RFC 1122 section 3.2.1.3)
            "168.63.129.16/32",  # not registered: the host below every virtual machine of Azure
            "169.254.0.0/16",  # link-local, and the metadata services of clouds (RFC 3927)
            "172.16.0.0/12",  # private use (RFC 1918)
            "192.0.0.0/24",  # protocol assignments (RFC 6890 section 2.1)
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.31.196.0/24",  # AS112 (RFC 7535)
            "192.52.193.0/24",  # multicast tunnels (RFC 7450)
            "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
            "192.168.0.0/16",  # private use (RFC 1918)
            "192.175.48.0/24",  # AS112, direct delegation (RFC 7534)
            "198.18.0.0/15",  # benchmarks (RFC 2544)
            "198.51.100.0/24",  # documentation (RFC 5737)
            "203.0.113.0/24",  # documentation (RFC 5737)
            "224.0.0.0/4",  # multicast (RFC 5771)
            "240.0.0.0/4",  # reserved, and broadcast (RFC 1112 section 4)
        ),
    )
)

_GLOBAL_UNICAST = ip_network("2000::/3")
"""All of IPv6 that is handed out to the public (RFC 4291 section 2.4).

Outside it lie loopback, IPv4 in its compatible, mapped and translated forms, discard-only, unique
local, link-local, site-local and multicast addresses.
"""

_SPECIAL_V6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # protocol assignments, with Teredo, benchmarks and ORCHID (RFC 2928)
            "2001:db8::/32",  # documentation (RFC 3849)
            "2002::/16",  # 6to4, which holds an IPv4 address (RFC 3056)
            "2620:4f:8000::/48",  # AS112, direct delegation (RFC 7534)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)


def is_public(address: str) -> bool:
    """Tell whether an IP address, as the resolver writes it, belongs to a host on the public internet."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        listed = parsed in _GLOBAL_UNICAST and parsed.scope_id is None
        return listed and not any(parsed in network for network in _SPECIAL_V6)
    return not any(parsed in network for network in _SPECIAL_V4)
