"""Threats from what others write: clients of themselves, proxies in headers, and whoever holds some token."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.oauth import tokens
from tests.browser import Answer, App, challenge
from tests.conftest import Start
from tests.site import RSA, forge, proof, publish
from tests.support import REDIRECT_URI, START, Live

SCRIPT = "<script>alert(1)</script>"
FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Real-IP": "203.0.113.9",
    "CF-Connecting-IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
}
OURSELVES = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0.0.0.0"]  # noqa: S104 - refused


@asynccontextmanager
async def watched_port() -> AsyncIterator[tuple[int, list[Any]]]:
    """Give a port of this machine, and every connection that is made to it."""
    made: list[Any] = []

    async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(writer)
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], made


async def authorize(live: Live, client_id: str) -> Answer:
    """Send an authorization request of a client that has not registered."""
    client = App({"client_id": client_id, "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"})
    return (await live.browser().authorize(client))[0]


@pytest.mark.parametrize("host", OURSELVES)
async def test_ssrf_through_a_client_document_makes_no_connection(live: Live, host: str) -> None:
    async with watched_port() as (port, made):
        for scheme in ("https", "http"):
            answer = await authorize(live, f"{scheme}://{host}:{port}/client.json")
            assert answer.status == 400
            assert "Location" not in answer.headers
        assert made == []


@pytest.mark.parametrize("host", OURSELVES)
async def test_ssrf_through_a_clients_keys_makes_no_connection(live: Live, host: str) -> None:
    async with watched_port() as (port, made):
        asked = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "private_key_jwt"}
        answer = await live.send("POST", "/register", json={**asked, "jwks_uri": f"https://{host}:{port}/jwks.json"})
        if answer.status == 201:
            signed = proof(RSA.sign(answer.json["client_id"], live.url))
            assert (await live.send("POST", "/introspect", data={"token": "x", **signed})).status == 503
        assert made == []


async def test_ssrf_through_a_logo_neither_the_server_nor_the_browser_fetches_one(start: Start) -> None:
    async with publish() as site, start(oauth_cimd_dev_origins=site.origin) as live:
        logo = f"{site.origin}/logo.png"
        for app in (await live.register(logo_uri=logo), site.describe(logo_uri=logo)):
            shown = (await live.browser().open_page(app)).shown
            assert logo not in shown.text
            assert "img-src data:" in shown.headers["Content-Security-Policy"]
        assert "/logo.png" not in site.asked


async def test_script_in_client_metadata_is_shown_as_text(live: Live) -> None:
    app = await live.register(client_name=SCRIPT, client_uri="javascript:alert(1)", logo_uri=f"data:text/html,{SCRIPT}")
    assert not {"client_uri", "logo_uri"} & set(app.registration)
    shown = (await live.browser().open_page(app)).shown
    assert "<script" not in shown.text.lower()
    assert "&lt;script&gt;" in shown.text
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "blob:https://a.example/x"])
async def test_script_in_a_redirect_uri_cannot_be_registered(live: Live, uri: str) -> None:
    answer = await live.send("POST", "/register", json={"redirect_uris": [uri]})
    assert (answer.status, answer.json["error"]) == (400, "invalid_redirect_uri")


async def ping(live: Live, authorization: str, path: str = "/mcp", **headers: str) -> Answer:
    """Call the MCP endpoint."""
    headers |= {"Accept": "application/json, text/event-stream", "Authorization": authorization}
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    return await live.send("POST", path, json=message, headers={n: v for n, v in headers.items() if v})


async def test_token_pass_through_only_tokens_of_this_server_are_taken(live: Live) -> None:
    app = await live.register()
    held = await live.log_in(app)
    assert (await ping(live, f"Bearer {held['access_token']}")).status == 200
    foreign = RSA.sign(app.client_id, f"{live.url}/mcp")
    unknown = tokens.make(tokens.ACCESS, lambda size: b"?" * size)
    for token in (foreign, unknown, held["refresh_token"], app.client_id):
        answer = await ping(live, f"Bearer {token}")
        assert (answer.status, answer.json["error"]) == (401, "invalid_token")
    assert (await ping(live, "", f"/mcp?access_token={held['access_token']}")).status == 400


async def test_wrong_audience_is_neither_issued_nor_taken(live: Live) -> None:
    app = await live.register()
    refused, _ = await live.browser().authorize(app, resource="https://another.example/mcp")
    assert refused.returned["error"] == "invalid_target"
    held = await live.log_in(app, resource=f"{live.url}/mcp")
    renewed = await live.refresh(app, held["refresh_token"], resource="https://another.example/mcp")
    assert renewed.json["error"] == "invalid_target"
    live.sql("UPDATE access_tokens SET audience = 'https://another.example/mcp'")
    answer = await ping(live, f"Bearer {held['access_token']}")
    assert (answer.status, answer.json["error"]) == (401, "invalid_token")


@pytest.mark.parametrize("enabled", [True, False])
async def test_dns_rebinding_a_page_under_a_foreign_name_reaches_nothing(start: Start, *, enabled: bool) -> None:
    async with start(oauth_enabled=enabled) as live:
        token = f"Bearer {(await live.log_in(await live.register()))['access_token']}" if enabled else ""
        assert (await ping(live, token)).status == 200
        assert (await ping(live, token, Host="evil.example")).status == 403
        assert (await ping(live, token, Host="localhost.evil.example:80")).status == 403
        assert (await ping(live, token, Origin="evil.example")).status == 403
        foreign = await ping(live, token, Origin="https://evil.example")
        assert foreign.status == (200 if enabled else 403)
        assert "Access-Control-Allow-Credentials" not in foreign.headers


def forged(client_id: str, audience: str, algorithm: str, secret: bytes | None) -> str:
    """Make an assertion that is signed by what is public, or by nothing."""
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "exp": START + 60, "jti": f"{algorithm}{secret!r}"}
    return forge(claims, algorithm, secret)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256", "ES256", "HS512"])
async def test_algorithm_confusion_a_public_key_is_no_secret_and_nothing_is_no_signature(
    live: Live, algorithm: str
) -> None:
    app = await live.register(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [RSA.public]})
    public = RSA.private.public_key()
    written = (
        None,
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(RSA.public).encode(),
        str(RSA.public["n"]).encode(),
    )
    for secret in written:
        form = {"token": "x", **proof(forged(app.client_id, live.url, algorithm, secret))}
        answer = await live.send("POST", "/introspect", data=form)
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    good = {"token": "x", **proof(RSA.sign(app.client_id, live.url))}
    assert (await live.send("POST", "/introspect", data=good)).status == 200


async def test_forged_proxy_headers_change_no_url_and_no_address(live: Live) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource", "/openapi.json"):
        plain, claimed = await live.send("GET", path), await live.send("GET", path, headers=FORGED)
        assert claimed.text == plain.text
    asked = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    app = App((await live.send("POST", "/register", json=asked, headers=FORGED)).json)
    query = f"client_id={app.client_id}&response_type=code&code_challenge={challenge('x')}&code_challenge_method=S256"
    led = await live.send("GET", f"/authorize?{query}", headers=FORGED)
    assert led.location.startswith("/oauth/authorize/page?")
    assert live.sql("SELECT DISTINCT address FROM audit_log") == [("127.0.0.1",)]


async def test_forged_proxy_headers_are_no_way_round_the_limits(start: Start) -> None:
    async with start(rate_limits=True, client_ip_header="CF-Connecting-IP") as live:
        statuses = []
        for number in range(62):
            address = f"203.0.113.{number}"
            headers = dict.fromkeys(("X-Forwarded-For", "CF-Connecting-IP", "X-Real-IP"), address)
            statuses.append((await live.send("POST", "/token", headers=headers)).status)
        assert statuses == [400] * 60 + [429] * 2
