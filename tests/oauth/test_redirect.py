"""Redirect URIs: which may be registered, which match, and how parameters are added."""

from ipaddress import IPv4Address, IPv6Address
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.oauth import redirect

ACCEPTABLE = [
    "https://assistant.example/callback",
    "https://assistant.example",
    "https://assistant.example:8443/callback?tenant=a&b=c",
    "https://chatgpt.com/connector_platform_oauth_redirect",
    "https://claude.ai/api/mcp/auth_callback",
    "https://vscode.dev/redirect",
    "https://[2001:db8::1]/callback",
    "http://localhost:8787/callback",
    "http://localhost/callback",
    "http://127.0.0.1:33418/",
    "http://127.0.0.1",
    "http://[::1]:9000/callback",
    "HTTP://LOCALHOST/callback",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "vscode://vscode.github-authentication/did-authenticate",
    "com.example.app:/callback",
    "com.example.app:callback",
    "com.example.app://callback",
]
UNACCEPTABLE = [
    "",
    "callback",
    "/callback",
    "//assistant.example/callback",
    "https:",
    "https://",
    "https:///callback",
    "https:callback",
    "http://assistant.example/callback",
    "http://localhost.evil.example/callback",
    "http://127.0.0.1.evil.example/callback",
    "http://192.168.0.1/callback",
    "http://[::2]/callback",
    "http://[::1%25eth0]/callback",
    "https://assist%61nt.example/callback",
    "cursor://%20/callback",
    "https://assistant.example/callback#part",
    "https://assistant.example/callback#",
    "cursor://anysphere.cursor-mcp/callback#part",
    "https://user@assistant.example/callback",
    "https://user:password@assistant.example/callback",
    "https://@assistant.example/callback",
    "http://localhost:80@evil.example/callback",
    "cursor://user@host/callback",
    "myapp:/callback",
    "myapp:callback",
    "myapp:///callback",
    "https://assistant.example:99999/callback",
    "https://assistant.example:x/callback",
    "https://[assistant.example/callback",
    "https://assistant.example/call back",
    "https://assistant.example/callback\n",
    "\nhttps://assistant.example/callback",
    " https://assistant.example/callback",
    "https://assistant.example/\tcallback",
    "https://assistant.example/\0",
    "https://assistant.example\\@evil.example/",
    'https://assistant.example/"><script>',
    "https://assistänt.example/callback",
    "https://assistant.example/" + "a" * 2_000,
]
HANDLED_BY_BROWSERS = [
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
]

LOOPBACK = st.builds(
    lambda host, port, path: f"http://{host}{port}{path}",
    st.sampled_from(["127.0.0.1", "[::1]", "localhost"]),
    st.integers(0, 65_535).map(lambda n: f":{n}") | st.just(""),
    st.sampled_from(["", "/", "/callback", "/callback?x=1", "/other"]),
)
URI = st.sampled_from(ACCEPTABLE) | LOOPBACK


@pytest.mark.parametrize("uri", ACCEPTABLE)
def test_https_loopback_and_app_schemes_may_be_registered(uri: str) -> None:
    assert redirect.is_acceptable(uri)


@pytest.mark.parametrize("uri", UNACCEPTABLE)
def test_anything_else_may_not(uri: str) -> None:
    assert not redirect.is_acceptable(uri)


@pytest.mark.parametrize("scheme", HANDLED_BY_BROWSERS)
@pytest.mark.parametrize("rest", ["//host/path", "/path", "alert(1)", "//host.with.dots/%0Aalert(1)"])
def test_schemes_that_browsers_handle_may_never_be_registered(scheme: str, rest: str) -> None:
    for written in (scheme, scheme.upper(), scheme.title()):
        assert not redirect.is_acceptable(f"{written}:{rest}")


def test_2000_characters_are_the_most() -> None:
    start = "https://assistant.example/"
    assert redirect.is_acceptable(start + "a" * (2_000 - len(start)))
    assert not redirect.is_acceptable(start + "a" * (2_001 - len(start)))


@given(st.text() | st.from_regex(r"[a-z.+-]{1,12}:/{0,3}[!-~]{0,30}", fullmatch=True))
def test_nothing_accepted_has_a_fragment_user_info_or_a_forbidden_scheme(uri: str) -> None:
    if redirect.is_acceptable(uri):
        parts = urlsplit(uri)
        assert "#" not in uri
        assert "@" not in parts.netloc
        assert parts.scheme not in HANDLED_BY_BROWSERS
        assert uri.isascii()
        assert uri.isprintable()


@given(URI)
def test_a_uri_matches_itself(uri: str) -> None:
    assert redirect.matches(uri, uri)


@given(URI, URI)
def test_matching_works_both_ways(one: str, other: str) -> None:
    assert redirect.matches(one, other) == redirect.matches(other, one)


@given(LOOPBACK, LOOPBACK)
def test_on_loopback_the_port_may_differ_and_nothing_else(one: str, other: str) -> None:
    ours, theirs = urlsplit(one), urlsplit(other)
    same = ours.hostname == theirs.hostname and ours._replace(netloc="") == theirs._replace(netloc="")
    assert redirect.matches(one, other) == same


@given(st.sampled_from(ACCEPTABLE), URI)
def test_elsewhere_nothing_may_differ(registered: str, presented: str) -> None:
    if not redirect.is_on_loopback(registered):
        assert redirect.matches(registered, presented) == (registered == presented)


@pytest.mark.parametrize(
    ("registered", "presented"),
    [
        ("http://localhost:8787/callback", "http://localhost:1/callback"),
        ("http://localhost/callback", "http://localhost:65535/callback"),
        ("http://127.0.0.1:33418/", "http://127.0.0.1/"),
        ("http://[::1]/", "http://[::1]:9000/"),
        ("http://127.0.0.1", "http://127.0.0.1:5000"),
    ],
)
def test_a_loopback_port_may_differ(registered: str, presented: str) -> None:
    assert redirect.matches(registered, presented)


@pytest.mark.parametrize(
    ("registered", "presented"),
    [
        ("https://assistant.example/callback", "https://assistant.example/callback/"),
        ("https://assistant.example/callback", "https://assistant.example/callback?x=1"),
        ("https://assistant.example/callback", "https://assistant.example/Callback"),
        ("https://assistant.example/callback", "https://assistant.example:443/callback"),
        ("https://assistant.example/callback", "https://ASSISTANT.example/callback"),
        ("https://assistant.example/callback", "https://assistant.example/%63allback"),
        ("https://assistant.example:1/callback", "https://assistant.example:2/callback"),
        ("cursor://host:1/callback", "cursor://host:2/callback"),
        ("http://localhost:1/callback", "http://127.0.0.1:1/callback"),
        ("http://127.0.0.1/callback", "http://[::1]/callback"),
        ("http://127.0.0.2:1/callback", "http://127.0.0.2:2/callback"),
        ("http://mcp.localhost:1/callback", "http://mcp.localhost:2/callback"),
        ("http://localhost/callback", "https://localhost/callback"),
        ("http://localhost/callback", "http://localhost/other"),
        ("http://localhost/callback", "http://localhost:99999/callback"),
        ("http://localhost/callback", "http://localhost:80@evil.example/callback"),
        ("http://localhost/callback", "http://localhost:/callback"),
        ("http://localhost/callback", "http://localhost:1/callback#part"),
        ("http://localhost/callback", "http://localhost:1/callback\n"),
    ],
)
def test_nothing_else_may_differ(registered: str, presented: str) -> None:
    assert not redirect.matches(registered, presented)


@pytest.mark.parametrize(
    ("uri", "loopback", "destination"),
    [
        ("https://assistant.example/callback", False, "assistant.example"),
        ("https://assistant.example:8443/callback", False, "assistant.example:8443"),
        ("http://localhost:8787/callback", True, "localhost:8787"),
        ("http://[::1]:9000/", True, "[::1]:9000"),
        ("cursor://anysphere.cursor-mcp/oauth", False, "cursor://anysphere.cursor-mcp"),
        ("com.example.app:/callback", False, "com.example.app:"),
    ],
)
def test_a_person_is_told_where_the_way_leads(uri: str, *, loopback: bool, destination: str) -> None:
    assert redirect.is_on_loopback(uri) is loopback
    assert redirect.destination(uri) == destination


@given(st.ip_addresses() | st.ip_addresses(network="127.0.0.0/8") | st.just(IPv6Address("::ffff:127.0.0.1")))
def test_an_address_is_on_loopback_as_the_registries_say(address: IPv4Address | IPv6Address) -> None:
    host = f"[{address}]" if address.version == 6 else str(address)
    assert redirect.is_on_loopback(f"http://{host}:8787/callback") is address.is_loopback


@given(st.sampled_from(ACCEPTABLE), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_parameters_are_added_to_the_query_that_is_there(uri: str, state: str) -> None:
    written = redirect.with_parameters(uri, {"state": state, "iss": "https://mcp.example.com"})
    assert written.startswith(uri)
    assert written.isascii()
    before, after = parse_qsl(urlsplit(uri).query), parse_qsl(urlsplit(written).query)
    assert after == [*before, ("state", state), ("iss", "https://mcp.example.com")]


def test_a_space_is_written_so_that_every_decoder_reads_it() -> None:
    assert (
        redirect.with_parameters("https://a.example/cb", {"state": "a b+c"}) == "https://a.example/cb?state=a%20b%2Bc"
    )


@pytest.mark.parametrize(
    ("uri", "leads"),
    [
        ("https://assistant.example/callback", True),
        ("https://a-b.c_d.example.com:8443/?x=1", True),
        ("https://ASSISTANT.example", True),
        ("https://assistant.example./callback", True),
        ("https://xn--mnchen-3ya.example/", True),
        ("http://assistant.example/callback", False),
        ("http://localhost/callback", False),
        ("https://localhost/callback", False),
        ("https://localhost./callback", False),
        ("https://app.localhost/callback", False),
        ("https://app.localhost./callback", False),
        ("https://app.LOCALHOST", False),
        ("https://intranet/callback", False),
        ("https://127.0.0.1/", False),
        ("https://127.1/", False),
        ("https://127.0.0.0x1/", False),
        ("https://0x7f.1/", False),
        ("https://2130706433/", False),
        ("https://203.0.113.7/", False),
        ("https://[::1]/", False),
        ("https://[::ffff:127.0.0.1]/", False),
        ("https://a.%6cocalhost/", False),
        ("https://a.x%2elocalhost/", False),
        ("cursor://anysphere.cursor-mcp/oauth/callback", False),
        ("com.example.app:/callback", False),
    ],
)
def test_only_https_at_a_domain_name_leads_to_the_web(uri: str, *, leads: bool) -> None:
    assert redirect.leads_to_the_web(uri) is leads


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        ("http://localhost:50123/callback?x=1", "http://localhost/callback?x=1"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("http://[::1]:1", "http://[::1]"),
        ("https://assistant.example:8443/callback", "https://assistant.example:8443/callback"),
        ("cursor://host:1/path", "cursor://host:1/path"),
    ],
)
def test_a_loopback_port_is_left_out_of_what_is_remembered(uri: str, kept: str) -> None:
    assert redirect.without_loopback_port(uri) == kept
