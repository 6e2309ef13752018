"""Resource indicators: every way of naming this server, and no other (RFC 8707)."""

import pytest

from server.oauth import resource
from server.oauth.errors import InvalidTarget
from server.settings import load_settings

SETTINGS = load_settings(server_url="https://mcp.example.com")
CANONICAL = "https://mcp.example.com/mcp"

OURS = [
    "https://mcp.example.com/mcp",
    "https://mcp.example.com/mcp/",
    "https://mcp.example.com",
    "https://mcp.example.com/",
    "https://MCP.Example.COM/mcp",
    "HTTPS://mcp.example.com",
    "https://mcp.example.com:443/mcp",
]
NOT_OURS = [
    "https://mcp.example.com/other",
    "https://mcp.example.com/MCP",
    "https://mcp.example.com/mcp/x",
    "https://mcp.example.com/mcp//",
    "https://mcp.example.com//mcp",
    "http://mcp.example.com/mcp",
    "https://mcp.example.com:8443/mcp",
    "https://mcp.example.com.evil.example/mcp",
    "https://evil.example/mcp",
    "https://user@mcp.example.com/mcp",
    "https://evil.example@mcp.example.com/mcp",
    "https://mcp.example.com/mcp?",
    "https://mcp.example.com/mcp?a=b",
    "https://mcp.example.com/mcp#",
    "https://mcp.example.com/mcp#part",
    "https://mcp.example.com:x/mcp",
    "https://[mcp.example.com/mcp",
    "//mcp.example.com/mcp",
    "mcp.example.com",
    "/mcp",
    "x",
]


@pytest.mark.parametrize("uri", OURS)
def test_every_way_of_naming_this_server_gives_the_one_audience(uri: str) -> None:
    assert resource.audience([uri], SETTINGS) == CANONICAL


def test_none_named_is_this_server() -> None:
    assert resource.audience([], SETTINGS) == CANONICAL


def test_several_are_fine_if_each_is_this_server() -> None:
    assert resource.audience(OURS, SETTINGS) == CANONICAL


@pytest.mark.parametrize("uri", NOT_OURS)
def test_anything_else_is_refused_alone_and_among_good_ones(uri: str) -> None:
    for resources in ([uri], [CANONICAL, uri]):
        with pytest.raises(InvalidTarget, match=CANONICAL):
            resource.audience(resources, SETTINGS)


def test_a_port_that_is_not_the_default_counts() -> None:
    settings = load_settings(server_url="http://localhost:8000")
    assert resource.audience(["http://LOCALHOST:8000"], settings) == "http://localhost:8000/mcp"
    with pytest.raises(InvalidTarget):
        resource.audience(["http://localhost/mcp"], settings)
