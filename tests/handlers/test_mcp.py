"""The door of ``/mcp``: who may come in, and what the others are told (OAUTH, "The resource server")."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.oauth import tokens
from tests.transport.rig import NOW, Site, serve

PRM = "http://localhost:8000/.well-known/oauth-protected-resource/mcp"
BARE = f'Bearer resource_metadata="{PRM}", scope="read"'
INVALID = BARE + ', error="invalid_token"'
UNKNOWN = tokens.make(tokens.ACCESS, lambda size: b"?" * size)
ORIGIN = "https://elsewhere.example"


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "HEAD", "PUT"])
async def test_every_method_is_challenged_before_anything_else(tmp_path: Path, method: str) -> None:
    async with serve(tmp_path) as site:
        answer = await site.send(b"not even JSON", method=method)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, BARE)
        assert answer.headers["Cache-Control"] == "no-store"
        if method != "HEAD":
            assert answer.json["error"] == "invalid_token"


async def test_an_operator_may_widen_what_clients_are_told_to_ask_for(tmp_path: Path) -> None:
    wider = BARE.replace('"read"', '"read account"')
    async with serve(tmp_path, oauth_default_scopes="read,account") as site:
        for method in ("POST", "GET"):
            assert (await site.send(method=method)).headers["WWW-Authenticate"] == wider
        refused = await site.legacy("ping", token=UNKNOWN)
        assert refused.headers["WWW-Authenticate"] == wider + ', error="invalid_token"'


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD", "PUT", "PATCH"])
async def test_methods_that_need_a_session_are_405_with_a_token(tmp_path: Path, method: str) -> None:
    async with serve(tmp_path) as site:
        answer = await site.send(method=method, token=await site.token())
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("token", ["", "garbage", UNKNOWN, f"{UNKNOWN} {UNKNOWN}", "att_at_" + "é" * 49])
async def test_a_token_that_is_none_is_named_in_the_challenge(tmp_path: Path, token: str) -> None:
    async with serve(tmp_path) as site:
        answer = await site.legacy("ping", Authorization=f"Bearer {token}")
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, INVALID)


async def test_a_token_for_another_resource_is_invalid(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        answer = await site.legacy("ping", token=await site.token(audience="https://other.example/mcp"))
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, INVALID)


async def test_a_revoked_token_ends_at_once(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        assert (await site.legacy("ping", token=token)).status == 200
        from server import keys  # noqa: PLC0415 - only this test reaches into the store

        assert await site.client.app[keys.STORE].revoke_access_token(tokens.digest(token), NOW)
        assert (await site.legacy("ping", token=token)).status == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR "])
async def test_the_scheme_is_read_in_any_case(tmp_path: Path, scheme: str) -> None:
    async with serve(tmp_path) as site:
        assert (await site.legacy("ping", Authorization=f"{scheme} {await site.token()}")).status == 200


async def test_another_scheme_is_no_token(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        answer = await site.legacy("ping", Authorization="Basic YTpi")
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, BARE)


async def test_two_authorization_headers_are_a_bad_request(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        header = ("Authorization", f"Bearer {await site.token()}")
        async with site.client.post("/mcp", headers=[header, header], data=b"{}") as response:
            assert (response.status, (await response.json())["error"]) == (400, "invalid_request")
            assert 'error="invalid_request"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("mode", ["required", "mixed"])
async def test_a_token_in_the_query_is_refused_even_beside_a_good_one(tmp_path: Path, mode: str) -> None:
    async with serve(tmp_path, oauth_mode=mode) as site:
        token = await site.token()
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            async with site.client.post(f"/mcp?access_token={token}", headers=headers, data=b"{}") as response:
                assert (response.status, (await response.json())["error"]) == (400, "invalid_request")


async def test_a_token_in_the_body_is_none(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping", "access_token": token}
        for kind, body in (
            ("application/x-www-form-urlencoded", f"access_token={token}"),
            ("application/json", json.dumps(ping)),
        ):
            answer = await site.send(body.encode(), Content_Type=kind)
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, BARE)


async def _ping(site: Site, **headers: Any) -> int:
    return (await site.legacy("ping", token=await site.token(), **headers)).status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (ORIGIN, 200),
        ("null", 200),
        ("http://localhost:6274", 200),
        ("vscode-webview://abc", 200),
        (ORIGIN + "/", 403),
        (ORIGIN + "/path", 403),
        ("https://user@elsewhere.example", 403),
        ("elsewhere.example", 403),
        ("https://a.example https://b.example", 403),
        ("", 403),
    ],
)
async def test_any_plain_origin_may_call_with_a_token(tmp_path: Path, origin: str, status: int) -> None:
    async with serve(tmp_path) as site:
        assert await _ping(site, Origin=origin) == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:9", 200),
        ("app.localhost", 200),
        ("mcp.example.com", 200),
        ("MCP.example.com:443", 200),
        ("rebound.example", 403),
        ("mcp.example.com.evil.example", 403),
        ("localhost@evil.example", 403),
        ("127.0.0.1.nip.io:8000", 403),
    ],
)
async def test_bound_to_loopback_only_our_own_hosts_are_served(tmp_path: Path, host: str, status: int) -> None:
    async with serve(tmp_path, server_url="https://mcp.example.com") as site:
        assert await _ping(site, Host=host) == status


async def test_bound_to_the_network_any_host_is_served(tmp_path: Path) -> None:
    async with serve(tmp_path, host="0.0.0.0", server_url="https://mcp.example.com") as site:  # noqa: S104 - never bound
        assert await _ping(site, Host="10.1.2.3") == 200


async def test_with_oauth_off_everything_is_open_to_our_own_pages_only(tmp_path: Path) -> None:
    async with serve(tmp_path, oauth_enabled=False, allowed_origins="https://friend.example") as site:
        for origin in (None, "http://localhost:8000", "http://127.0.0.1:1", "https://friend.example"):
            assert (await site.call("modern", "pay", Origin=origin)).status == 200
        for origin in (ORIGIN, "null", "https://friend.example:8443", "http://friend.example"):
            assert (await site.call("modern", "pay", Origin=origin)).status == 403
        assert (await site.send(method="GET")).status == 405
        assert (await site.send(method="GET", Origin=ORIGIN)).status == 403


async def test_with_oauth_off_a_token_is_not_looked_at(tmp_path: Path) -> None:
    async with serve(tmp_path, oauth_enabled=False) as site:
        assert (await site.legacy("ping", Authorization="Bearer whatever")).status == 200


async def test_in_mixed_mode_get_and_delete_are_as_with_oauth_off(tmp_path: Path) -> None:
    async with serve(tmp_path, oauth_mode="mixed") as site:
        for method in ("GET", "DELETE", "HEAD"):
            assert (await site.send(method=method)).status == 405
            assert (await site.send(method=method, Origin=ORIGIN)).status == 403
            assert (await site.send(method=method, token=UNKNOWN)).status == 401
