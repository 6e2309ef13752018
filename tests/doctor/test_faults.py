"""Servers that are broken in one way each, and what the examination says of them."""

from pathlib import Path

import pytest

from server.doctor.authorization import CHATGPT_ID
from server.doctor.findings import CHATGPT, CURSOR
from server.doctor.patient import CURSOR_URIS, ODD_URI, OTHER_PORT_URI
from tests.doctor.broken import Exchange, Fault, broken, findings
from tests.doctor.faults import (
    ALL,
    METADATA,
    PRM,
    another_document,
    authorization,
    bad_token,
    cannot_remove,
    challenge_page,
    header,
    impatient,
    keeps_errors_to_itself,
    metadata,
    no_cors,
    no_refresh,
    no_space_before_a_scope,
    nobody,
    preflight_alone,
    registers_everything,
    registration,
    replace,
    resource,
    returned,
    suffixed,
    unasked_secret,
    unknown_session,
    without_token,
)

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
