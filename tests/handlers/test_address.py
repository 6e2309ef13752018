"""The client's address: past trusted proxies, and past nobody else."""

from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.handlers.address import UNKNOWN, client_address
from tests.conftest import Start

PROXIES = tuple(map(ip_network, ("10.0.0.0/8", "127.0.0.1/32", "fd00::/8")))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # whoever is not trusted is the client
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.1, 198.51.100.1"], "198.51.100.1"),  # the left one was sent by the client
        ("10.0.0.1", ["192.0.2.1", "198.51.100.1"], "198.51.100.1"),  # two headers are one list
        ("10.0.0.1", ["198.51.100.1, 10.2.3.4"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1,10.2.3.4 ,\t127.0.0.1"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.9, 10.0.0.8"], "10.0.0.9"),  # everybody is a proxy: the farthest
        ("10.0.0.1", ["127.0.0.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["2001:DB8:0::1"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["198.51.100.1, [fd00::1]:80"], "198.51.100.1"),
        ("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),  # a socket that takes both families
        ("::ffff:203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("fd00::1%eth0", ["198.51.100.1"], "198.51.100.1"),
        ("fe80::1%eth0", [], "fe80::1"),
        # What is not an address ends the reading at the last proxy that is known.
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, garbage"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, , 10.2.3.4"], "10.2.3.4"),
        ("10.0.0.1", ["198.51.100.1,"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1:"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1:port"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1 10.0.0.2"], "10.0.0.1"),
        ("10.0.0.1", ["[2001:db8::1"], "10.0.0.1"),
        ("10.0.0.1", ["[198.51.100.1]x"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.01"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.256"], "10.0.0.1"),
        ("10.0.0.1", ["\u0661.2.3.4"], "10.0.0.1"),
        ("10.0.0.1", ['"198.51.100.1"'], "10.0.0.1"),
        (None, ["198.51.100.1"], UNKNOWN),
        ("", [], UNKNOWN),
    ],
)
def test_the_client_is_the_right_most_that_is_not_a_trusted_proxy(
    peer: str | None, forwarded: list[str], client: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


PROXIED = st.integers(0, 2**24 - 1).map(lambda number: str(IPv4Address((10 << 24) + number)))
OUTSIDE = st.ip_addresses(network="198.51.0.0/16").map(str) | st.ip_addresses(network="2001:db8::/32").map(str)


@given(st.text(max_size=80), OUTSIDE, st.lists(PROXIED, max_size=4))
def test_nothing_that_a_client_writes_itself_changes_its_address(forged: str, client: str, proxies: list[str]) -> None:
    chain = [forged, client, *proxies]
    assert client_address("10.0.0.1", [", ".join(chain)], PROXIES) == client
    assert client_address("10.0.0.1", [forged, ",".join(chain[1:])], PROXIES) == client
    assert client_address(client, [forged], PROXIES) == client


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_whatever_comes_the_answer_is_an_address(peer: str, forwarded: list[str]) -> None:
    address = client_address(peer, forwarded, (ip_network("0.0.0.0/0"), ip_network("::/0")))
    assert address == UNKNOWN or str(ip_address(address)) == address


async def test_forged_headers_from_elsewhere_are_ignored(start: Start) -> None:
    headers = {"X-Forwarded-For": "198.51.100.1", "CF-Connecting-IP": "198.51.100.2", "Forwarded": "for=198.51.100.3"}
    for settings in ({}, {"trusted_proxies": "10.0.0.0/8"}, {"client_ip_header": "CF-Connecting-IP"}):
        async with start(**settings) as live:
            await live.send("POST", "/token", headers=headers, data={"client_id": "nobody"})
            await live.send("POST", "/register", headers=headers, json={"redirect_uris": ["https://a.example/"]})
            assert live.sql("SELECT DISTINCT address FROM audit_log") == [("127.0.0.1",)]


@pytest.mark.parametrize(
    ("header", "client"), [("", "198.51.100.1"), ("CF-Connecting-IP", "198.51.100.2"), ("X-Real-IP", "127.0.0.1")]
)
async def test_a_trusted_proxys_word_is_taken_into_both_logs(
    start: Start, caplog: pytest.LogCaptureFixture, header: str, client: str
) -> None:
    headers = {"X-Forwarded-For": "192.0.2.1, 198.51.100.1", "CF-Connecting-IP": "198.51.100.2"}
    with caplog.at_level("INFO"):
        async with start(trusted_proxies="127.0.0.0/8", client_ip_header=header) as live:
            await live.send("POST", "/register", headers=headers, json={"redirect_uris": ["https://a.example/"]})
            assert live.sql("SELECT DISTINCT address FROM audit_log") == [(client,)]
    (line,) = [record.getMessage() for record in caplog.records if record.name == "server.access"]
    assert line.startswith("POST /register 201 ")
    assert line.endswith(f" ms {client}")


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({}, True),
        ({"trusted_proxies": "127.0.0.1"}, False),
        ({"rate_limits": False}, False),
        ({"host": "192.0.2.1"}, False),
        ({"server_url": "http://localhost"}, False),
    ],
)
async def test_a_proxy_that_was_not_named_is_warned_of(
    start: Start, caplog: pytest.LogCaptureFixture, settings: dict[str, Any], *, warned: bool
) -> None:
    async with start(**{"server_url": "https://mcp.example.com", "rate_limits": True, **settings}):
        pass
    assert ("name it in TRUSTED_PROXIES" in caplog.text) is warned


async def test_a_header_that_nobody_is_trusted_with_is_warned_of(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async with start(client_ip_header="CF-Connecting-IP"):
        pass
    assert "CLIENT_IP_HEADER is ignored" in caplog.text
