import pytest

from server.settings import load_settings
from server.transport.origin import is_origin, is_our_host, may_call_openly

SETTINGS = load_settings(server_url="https://mcp.example.com", allowed_origins="https://friend.example:8443")


@pytest.mark.parametrize(
    ("origins", "well_formed"),
    [
        ([], True),
        (["null"], True),
        (["https://a.example"], True),
        (["HTTPS://A.EXAMPLE:443"], True),
        (["http://[::1]:8000"], True),
        (["chrome-extension://abcdef"], True),
        (["NULL"], False),
        ([""], False),
        (["https://"], False),
        (["https://a.example/"], False),
        (["https://a.example?q"], False),
        (["https://a.example:99999999"], False),
        (["https://a.example:"], False),
        (["https://u:p@a.example"], False),
        (["https://a.example\n"], False),
        (["javascript:alert(1)"], False),
        (["https://a.example", "https://a.example"], False),
    ],
)
def test_an_origin_is_null_or_a_scheme_a_host_and_perhaps_a_port(origins: list[str], well_formed: bool) -> None:
    assert is_origin(origins) is well_formed


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [
        ([], True),
        (["https://mcp.example.com"], True),
        (["https://MCP.example.com:443"], True),
        (["http://localhost:5173"], True),
        (["http://127.0.0.2"], True),
        (["https://[::1]:1"], True),
        (["https://friend.example:8443"], True),
        (["https://friend.example"], False),
        (["http://mcp.example.com"], False),
        (["https://mcp.example.com:8443"], False),
        (["https://localhost.evil.example"], False),
        (["null"], False),
        (["evil://localhost"], False),
        (["http://localhost", "http://localhost"], False),
    ],
)
def test_without_a_token_only_ours_loopback_and_the_named_may_call(origins: list[str], allowed: bool) -> None:
    assert may_call_openly(origins, SETTINGS) is allowed


@pytest.mark.parametrize(
    ("bound_to", "served"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("::", True), ("10.0.0.1", True)],
)
def test_bound_to_any_form_of_loopback_a_foreign_host_is_not_ours(bound_to: str, *, served: bool) -> None:
    settings = load_settings(host=bound_to)
    assert is_our_host(["localhost:8000"], settings)
    assert is_our_host(["rebound.example"], settings) is served


def test_a_host_must_be_there_exactly_once() -> None:
    assert is_our_host(["localhost"], SETTINGS)
    assert not is_our_host([], SETTINGS)
    assert not is_our_host(["localhost", "localhost"], SETTINGS)
