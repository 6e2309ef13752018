"""The examination from outside: of this server, of the SDK's own, and of servers that are broken in one way each."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from mcp.server import MCPServer

from server.doctor.authorization import CHATGPT_ID
from server.doctor.examination import examine
from server.doctor.findings import CHATGPT, CURSOR, Finding
from server.doctor.network import name, tls
from server.doctor.patient import CURSOR_URIS, ODD_URI, OTHER_PORT_URI, Patient
from server.doctor.probe import probing
from tests.conftest import Start
from tests.doctor.broken import Exchange, Fault, broken
from tests.support import Live

PRM = "/.well-known/oauth-protected-resource"
ALL = "read write payment account offline_access"
METADATA = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")


async def findings(url: str) -> list[Finding]:
    return [finding async for finding in examine(url)]


async def test_this_server_has_nothing_bad(live: Live) -> None:
    found = await findings(live.url)
    assert [finding for finding in found if finding.state == "bad"] == []
    assert sum(finding.state == "good" for finding in found) > 40


async def test_what_was_registered_is_removed_again(live: Live) -> None:
    assert Finding("removal of the registration", "good", "the client was removed again") in await findings(live.url)
    assert live.sql("SELECT count(*) FROM clients") == [(0,)]


async def test_the_endpoints_own_address_will_do_too(live: Live) -> None:
    assert not [finding for finding in await findings(f"{live.url}/mcp") if finding.state == "bad"]


async def test_a_server_that_asks_nobody_to_sign_in_is_no_failure(start: Start) -> None:
    async with start(oauth_enabled=False) as live:
        found = await findings(live.url)
    assert Finding("discovery", "unknown", "the server asks nobody to sign in") in found
    assert not [finding for finding in found if finding.state == "bad"]


async def test_closed_registration_leaves_what_needs_a_client_untold(start: Start) -> None:
    async with start(oauth_dcr="off") as live:
        found = await findings(live.url)
    assert Finding("registration", "unknown", "it is not advertised") in found
    assert Finding("authorization requests", "unknown", "there is no client to send one for") in found


async def test_nothing_that_listens_is_said_once_and_not_at_length() -> None:
    found = await findings("http://localhost:9")
    assert [finding.check for finding in found if finding.state == "bad"] == ["redirects"]
    assert found[-1] == Finding("the endpoint", "unknown", "nothing answers there, so there is nothing more to look at")


@asynccontextmanager
async def sdk_server() -> AsyncIterator[str]:
    """Serve the SDK's own server, open, as its documentation sets it up."""
    import uvicorn  # noqa: PLC0415 - for this test alone

    config = uvicorn.Config(
        MCPServer("sdk").streamable_http_app(), host="127.0.0.1", port=0, log_level="warning", access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - a flag is all that there is to wait for
            await asyncio.sleep(0.01)
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def test_the_sdks_own_server_is_examined() -> None:
    async with sdk_server() as url:
        found = {finding.check: finding for finding in await findings(url)}
    assert found["redirects"].state == "good"
    assert found["unknown sessions"].state == "good"
    assert found["discovery"].state == "unknown"


def replace(path: str, status: int, body: str = "", kind: str = "application/json", **headers: str) -> Fault:
    """Break one path."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == path and exchange.request.method != "OPTIONS":
            exchange.answer(status, body, kind, **headers)

    return fault


def metadata(**members: Any) -> Fault:
    """Change the authorization server's metadata."""

    def fault(exchange: Exchange) -> None:
        if exchange.path.startswith(METADATA) and exchange.status == 200:
            exchange.change(**members)

    return fault


def resource(**members: Any) -> Fault:
    """Change the protected resource's metadata."""

    def fault(exchange: Exchange) -> None:
        if exchange.path.startswith(PRM) and exchange.request.method == "GET":
            exchange.change(**members)

    return fault


def header(path: str, **headers: str | None) -> Fault:
    """Change headers of a path's answers; ``None`` takes one away."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == path:
            for written, value in headers.items():
                exchange.headers.popall(written.replace("_", "-"), None)
                if value is not None:
                    exchange.headers[written.replace("_", "-")] = value

    return fault


def authorization(error: str, **parameters: str) -> Fault:
    """Refuse authorization requests that have these parameters."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == "/authorize" and parameters.items() <= exchange.query.items():
            exchange.refuse(error)

    return fault


def registration(word: str) -> Fault:
    """Refuse registrations in which a word occurs."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == "/register" and word in exchange.sent.decode():
            exchange.answer(400, '{"error": "invalid_client_metadata"}')

    return fault


def without_token(method: str, status: int, agent: str = "") -> Fault:
    """Answer the endpoint's 401 with another status."""

    def fault(exchange: Exchange) -> None:
        request = exchange.request
        from_agent = request.headers.get("User-Agent", "").startswith(agent)
        if exchange.path == "/mcp" and request.method == method and from_agent and exchange.status == 401:
            exchange.answer(status, '{"jsonrpc": "2.0", "id": 1, "result": {"isError": true}}')

    return fault


def suffixed(exchange: Exchange) -> None:
    if exchange.path.startswith(METADATA) and exchange.path.endswith("/mcp"):
        exchange.answer(404, "Not found", "text/plain")


def another_document(exchange: Exchange) -> None:
    if exchange.path == "/.well-known/openid-configuration":
        exchange.change(token_endpoint="https://elsewhere.example/token")


def unasked_secret(exchange: Exchange) -> None:
    if exchange.path == "/register" and exchange.status == 201:
        exchange.change(client_secret="a-secret")


def no_refresh(exchange: Exchange) -> None:
    if exchange.path == "/register" and exchange.status == 201:
        exchange.change(grant_types=["authorization_code"])


def registers_everything(exchange: Exchange) -> None:
    if exchange.path == "/register" and ODD_URI in exchange.sent.decode():
        exchange.change(redirect_uris=["https://doctor.invalid/callback", ODD_URI])


def cannot_remove(exchange: Exchange) -> None:
    if exchange.path == "/register" and exchange.status == 201:
        exchange.change(registration_client_uri=..., registration_access_token=...)


def returned(**parameters: str | None) -> Fault:
    """Change what errors carry back to the client."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == "/authorize" and "error=" in exchange.headers.get("Location", ""):
            exchange.return_with(**parameters)

    return fault


def keeps_errors_to_itself(exchange: Exchange) -> None:
    if exchange.path == "/authorize" and "error=" in exchange.headers.get("Location", ""):
        exchange.answer(400, "<h1>Error</h1>", "text/html")


def nobody(status: int, body: str) -> Fault:
    """Answer clients that nobody knows in another way."""

    def fault(exchange: Exchange) -> None:
        if "nobody" in exchange.query.get("client_id", ""):
            exchange.answer(status, body)

    return fault


def impatient(exchange: Exchange) -> None:
    if exchange.path == "/token" and exchange.count > 5:
        exchange.answer(429, '{"error": "too_many_requests"}')


def unknown_session(exchange: Exchange) -> None:
    if "Mcp-Session-Id" in exchange.request.headers:
        exchange.answer(400, '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Bad session"}}')


def bad_token(exchange: Exchange) -> None:
    if "Authorization" in exchange.request.headers and exchange.path == "/mcp":
        exchange.answer(403)


def challenge_page(exchange: Exchange) -> None:
    if exchange.path.startswith("/.well-known/"):
        exchange.answer(403, "<!doctype html><html><title>Just a moment</title>", "text/html")


def no_cors(path: str) -> Fault:
    """Forget scripts of other origins."""
    return header(path, Access_Control_Allow_Origin=None)


def preflight_alone(path: str) -> Fault:
    """Remember scripts of other origins in the preflight, and forget them in the answer."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == path and exchange.request.method != "OPTIONS":
            exchange.headers.popall("Access-Control-Allow-Origin", None)

    return fault


def no_space_before_a_scope(exchange: Exchange) -> None:
    if exchange.path == "/authorize" and exchange.query.get("scope", "").startswith(" "):
        exchange.refuse("invalid_scope")


BROKEN: list[tuple[str, str, Fault]] = [
    ("no document at the root", "protected resource metadata", replace(PRM, 404)),
    ("no document below it", "protected resource metadata", replace(f"{PRM}/mcp", 404)),
    ("a page in its place", "protected resource metadata", replace(PRM, 200, "<html>", "text/html")),
    ("another resource", "resource", resource(resource="http://localhost:1/mcp")),
    ("a slash after the resource", "resource", resource(resource="http://localhost:1/mcp/")),
    ("no authorization server named", "authorization server", resource(authorization_servers=[])),
    ("no metadata by suffix", "authorization server metadata", suffixed),
    ("metadata that differ", "authorization server metadata", another_document),
    ("an issuer with a slash", "issuer", metadata(issuer="http://localhost:1/")),
    ("no token endpoint", "metadata members", metadata(token_endpoint=...)),
    ("PKCE unmentioned", "PKCE", metadata(code_challenge_methods_supported=...)),
    ("plain PKCE", "PKCE", metadata(code_challenge_methods_supported=["plain"])),
    ("none unmentioned", "public clients", metadata(token_endpoint_auth_methods_supported=["client_secret_post"])),
    ("no way to an id", "client ids", metadata(registration_endpoint=..., client_id_metadata_document_supported=False)),
    ("URL client ids alone", "client ids", metadata(registration_endpoint=...)),
    ("refresh unmentioned", "refresh tokens", metadata(grant_types_supported=["authorization_code"])),
    (
        "a page for unknown documents",
        "unknown documents",
        replace("/.well-known/no-such-document", 200, "<html>", "text/html"),
    ),
    ("405 before 401", "methods without a token", without_token("GET", 405)),
    ("405 before 401 for DELETE", "methods without a token", without_token("DELETE", 405)),
    ("403 for 401", "challenge", without_token("POST", 403)),
    ("no WWW-Authenticate", "challenge", header("/mcp", WWW_Authenticate=None)),
    ("no resource_metadata", "challenge", header("/mcp", WWW_Authenticate="Bearer")),
    ("no scope", "challenge", header("/mcp", WWW_Authenticate='Bearer resource_metadata="http://localhost:1"')),
    ("a tool error for 401", "challenge to ChatGPT", without_token("POST", 200, "openai-mcp")),
    ("403 for a bad token", "a bad token", bad_token),
    ("400 for an unknown session", "unknown sessions", unknown_session),
    *(
        (f"no CORS at {path}", "CORS", no_cors(path))
        for path in ("/mcp", "/token", "/register", "/revoke", METADATA[0])
    ),
    *(
        (f"CORS for the preflight alone at {path}", "CORS", preflight_alone(path))
        for path in ("/mcp", "/token", f"{PRM}/mcp")
    ),
    ("nothing exposed", "CORS", header("/mcp", Access_Control_Expose_Headers=None)),
    ("an asterisk for headers", "CORS", header("/mcp", Access_Control_Allow_Headers="*")),
    ("registration fails", "registration", replace("/register", 400, '{"error": "invalid_client_metadata"}')),
    ("registration is closed", "registration", replace("/register", 403)),
    ("a secret for nothing", "registration without a secret", unasked_secret),
    ("no refresh tokens registered", "registration of refresh tokens", no_refresh),
    ("one method refused", "registration with a secret", registration("client_secret_basic")),
    ("app schemes refused", "Cursor's redirect URIs", registration(CURSOR_URIS[0])),
    ("one odd URI refuses all", "odd redirect URIs", registration(ODD_URI)),
    ("odd URIs are registered", "odd redirect URIs", registers_everything),
    ("requests refused", "authorization request", authorization("invalid_request", response_type="code")),
    ("a scope must be named", "scopes", authorization("invalid_scope", scope="")),
    ("no space before a scope", "scopes", no_space_before_a_scope),
    ("not all scopes at once", "scopes", authorization("invalid_scope", scope=ALL)),
    ("the port must be the same", "loopback ports", authorization("invalid_request", redirect_uri=OTHER_PORT_URI)),
    ("form-action", "consent button", header("/oauth/authorize/page", Content_Security_Policy="form-action 'self'")),
    (
        "the page can be framed",
        "click-jacking",
        header("/oauth/authorize/page", Content_Security_Policy=None, X_Frame_Options=None),
    ),
    ("errors stay on a page", "errors to the client", keeps_errors_to_itself),
    ("the state is lost", "errors to the client", returned(state=None)),
    ("iss advertised, not sent", "iss", returned(iss=None)),
    ("another iss", "iss", returned(iss="http://localhost:1/")),
    ("redirects unknown clients", "unknown clients at the authorization endpoint", nobody(302, "")),
    ("400 for unknown clients", "unknown clients at the token endpoint", nobody(400, '{"error": "invalid_request"}')),
    ("a page for a bad code", "errors of the token endpoint", replace("/token", 500, "<html>", "text/html")),
    ("429 at once", "rate limits", impatient),
    ("a cached 401", "caches", header("/mcp", CF_Cache_Status="HIT")),
    ("tokens may be cached", "caches", header("/token", Cache_Control=None)),
    ("a challenge for browsers", "challenge pages", challenge_page),
    ("a redirected POST", "redirects", replace("/mcp", 301, Location="https://elsewhere.example/mcp")),
    ("a clock that is off", "clock", header(f"{PRM}/mcp", Date="Thu, 01 Jan 2026 00:00:00 GMT")),
    ("no date that can be read", "clock", header(f"{PRM}/mcp", Date="yesterday")),
]


@pytest.mark.parametrize(("check", "fault"), [pytest.param(*row[1:], id=row[0]) for row in BROKEN])
@pytest.mark.usefixtures("nothing_set")
async def test_each_fault_is_found_and_said_with_what_to_do(tmp_path: Path, check: str, fault: Fault) -> None:
    async with broken(tmp_path, fault) as url:
        found = [finding for finding in await findings(url) if finding.state == "bad"]
    assert check in {finding.check for finding in found}
    assert all(finding.advice and finding.seen for finding in found)


@pytest.mark.usefixtures("nothing_set")
async def test_every_form_of_the_resource_is_tried(tmp_path: Path) -> None:
    def exact(exchange: Exchange) -> None:
        if exchange.path == "/authorize" and not exchange.query.get("resource", "/mcp").endswith("/mcp"):
            exchange.refuse("invalid_target")

    async with broken(tmp_path, exact) as url:
        found = [finding for finding in await findings(url) if finding.check == "resource forms"]
    assert [(finding.state, finding.clients[:1]) for finding in found] == [("bad", (CURSOR,))] * 3


@pytest.mark.parametrize(("location", "state"), [("/oauth/authorize/page?request=a-handle", "good"), (None, "unknown")])
@pytest.mark.usefixtures("nothing_set")
async def test_chatgpts_url_client_is_tried(tmp_path: Path, location: str | None, state: str) -> None:
    def fault(exchange: Exchange) -> None:
        if exchange.path == "/authorize" and exchange.query.get("client_id") == CHATGPT_ID:
            exchange.answer(302 if location else 400, **({"Location": location} if location else {}))

    async with broken(tmp_path, fault) as url:
        found = {finding.check: finding for finding in await findings(url)}
    assert found["ChatGPT's URL client id"].state == state


@pytest.mark.usefixtures("nothing_set")
async def test_iss_that_is_neither_sent_nor_advertised_is_said_too(tmp_path: Path) -> None:
    def neither(exchange: Exchange) -> None:
        metadata(authorization_response_iss_parameter_supported=...)(exchange)
        returned(iss=None)(exchange)

    async with broken(tmp_path, neither) as url:
        found = {finding.check: finding for finding in await findings(url)}
    assert (found["iss"].state, found["iss"].clients) == ("bad", (CHATGPT,))


@pytest.mark.usefixtures("nothing_set")
async def test_a_registration_that_cannot_be_removed_is_named(tmp_path: Path) -> None:
    async with broken(tmp_path, cannot_remove) as url:
        found = {finding.check: finding for finding in await findings(url)}
    assert found["removal of the registration"].state == "unknown"
    assert "att_cl_" in found["removal of the registration"].seen


@pytest.mark.parametrize(
    ("url", "state", "seen"),
    [
        ("https://10.1.2.3/mcp", "bad", "10.1.2.3"),
        ("https://[fd00::1]/mcp", "bad", "fd00::1"),
        ("https://192.0.66.2/mcp", "good", "192.0.66.2"),
        ("https://nowhere.invalid/mcp", "bad", "cannot be looked up"),
        ("http://localhost/mcp", "unknown", "this machine itself"),
    ],
)
async def test_names_must_lead_to_public_addresses(url: str, state: str, seen: str) -> None:
    async with probing() as probe:
        (found,) = [finding async for finding in name(Patient(probe, url))]
    assert (found.state, seen in found.seen) == (state, True)


@asynccontextmanager
async def certified(authority: trustme.CA, host: str = "localhost", **terms: Any) -> AsyncIterator[int]:
    """Listen with a certificate, and give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, **terms).configure_cert(context)
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def looked_at(port: int) -> Finding:
    async with probing() as probe:
        (found,) = [finding async for finding in tls(Patient(probe, f"https://localhost:{port}/mcp"))]
    return found


async def test_a_certificate_of_nobody_known_is_bad() -> None:
    async with certified(trustme.CA()) as port:
        found = await looked_at(port)
    assert found.state == "bad"
    assert "certificate" in found.seen


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """Give an authority that this process trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return made


async def test_a_good_certificate_is_good_for_some_days(authority: trustme.CA) -> None:
    async with certified(authority) as port:
        found = await looked_at(port)
    assert (found.state, "days" in found.seen) == ("good", True)


async def test_another_names_certificate_is_bad(authority: trustme.CA) -> None:
    async with certified(authority, "elsewhere.example") as port:
        assert (await looked_at(port)).state == "bad"
