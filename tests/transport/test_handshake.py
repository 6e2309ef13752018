"""Revisions 2025-03-26 to 2025-11-25 over real HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.oauth.tokens import MCP_SESSION, is_well_formed
from tests.transport.rig import serve

VERSIONS = ["2025-03-26", "2025-06-18", "2025-11-25"]
HELLO: dict[str, Any] = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@pytest.mark.parametrize(
    ("wanted", "answered"),
    [*zip(VERSIONS, VERSIONS, strict=True), ("2099-01-01", "2025-11-25"), ("2026-07-28", "2025-11-25")],
)
async def test_initialize_settles_on_a_revision(tmp_path: Path, wanted: str, answered: str) -> None:
    async with serve(tmp_path) as site:
        answer = await site.legacy(
            "initialize", {**HELLO, "protocolVersion": wanted}, version=None, token=await site.token()
        )
        result = answer.json["result"]
        assert (answer.status, result["protocolVersion"], result["serverInfo"]["name"]) == (200, answered, "plugged")
        assert result["instructions"] == "For tests."
        assert is_well_formed(MCP_SESSION, answer.headers["Mcp-Session-Id"])


@pytest.mark.parametrize("version", [*VERSIONS, None])
async def test_everything_is_served_without_a_session(tmp_path: Path, version: str | None) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        for method in ("ping", "tools/list", "resources/list", "resources/templates/list", "prompts/list"):
            answer = await site.legacy(method, version=version, token=token)
            assert (answer.status, answer.json["id"]) == (200, 1)
            assert "resultType" not in answer.json["result"], method
        called = await site.call("legacy", "echo", {"text": "hi"}, version=version, token=token)
        assert called.json["result"]["content"] == [{"type": "text", "text": "hi"}]
        read = await site.legacy("resources/read", {"uri": "file:///secret.txt"}, version=version, token=token)
        assert read.json["result"]["contents"][0]["text"] == "secret"
        prompt = {"name": "hello", "arguments": {"name": "Ada"}}
        answer = await site.legacy("prompts/get", prompt, version=version, token=token)
        assert answer.json["result"]["messages"][0]["content"]["text"] == "Hello Ada"


@pytest.mark.parametrize("version", VERSIONS)
async def test_notifications_and_replies_are_accepted(tmp_path: Path, version: str) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        for message in (
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {"jsonrpc": "2.0", "method": "notifications/made-up"},
            {"jsonrpc": "2.0", "id": 1, "result": {}},
            {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "no"}},
        ):
            answer = await site.send(message, token=token, MCP_Protocol_Version=version)
            assert (answer.status, answer.body) == (202, b"")


async def test_an_error_of_a_handler_comes_under_200(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        for method, code in (
            ("no/such", -32601),
            ("server/discover", -32601),
            ("tools/call", -32602),
            ("initialize", -32602),
        ):
            answer = await site.legacy(method, {}, token=token)
            assert (answer.status, answer.json["id"], answer.json["error"]["code"]) == (200, 1, code), method


async def test_a_batch_is_answered_as_one_at_2025_03_26(tmp_path: Path) -> None:
    batch: list[Any] = [
        {"jsonrpc": "2.0", "id": "a", "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        {"jsonrpc": "2.0", "id": "b", "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "x"}}},
        7,
    ]
    async with serve(tmp_path) as site:
        token = await site.token()
        for version in (None, "2025-03-26"):
            answer = await site.send(batch, token=token, MCP_Protocol_Version=version)
            assert answer.status == 200
            assert {(a.get("id"), a.get("error", {}).get("code")) for a in answer.json} == {
                ("a", None),
                ("b", None),
                (None, -32600),
            }
            assert len(answer.json) == 4


async def test_a_batch_that_asks_for_nothing_is_accepted(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        batch = [{"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 1, "result": {}}]
        answer = await site.send(batch, token=await site.token())
        assert (answer.status, answer.body) == (202, b"")


async def test_a_batch_has_limits(tmp_path: Path) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {**HELLO, "protocolVersion": "2025-03-26"}}
    async with serve(tmp_path) as site:
        token = await site.token()
        assert (await site.send([ping] * 50, token=token)).status == 200
        for batch in ([], [ping] * 51, [hello], [ping, hello]):
            answer = await site.send(batch, token=token)
            assert (answer.status, answer.json["error"]["code"]) == (400, -32600)


async def test_the_plugged_server_learns_who_calls(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token("read", "account")
        for era in ("modern", "legacy"):
            seen = (await site.call(era, "whoami", token=token)).json["result"]["structuredContent"]
            assert seen["token"] == token
            assert (seen["subject"], seen["scopes"]) == ("u-ada", ["read", "account"])
            assert (seen["resource"], seen["client_id"]) == (site.settings.resource, "c01")
            assert seen["claims"] == {"iss": site.settings.issuer, "name": "Ada", "email": "ada@example.com"}


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_what_a_tool_does_to_what_it_is_given_reaches_no_other_request(tmp_path: Path, era: str) -> None:
    async with serve(tmp_path, "tests.transport.plugged:meddling") as site:
        tokens = [await site.token("read"), await site.token("read", "account", user="bob")]
        seen = [(await site.call(era, "meddle", token=token)).json for token in (*tokens, *tokens)]
        texts = [answer["result"]["content"][0]["text"] for answer in seen]
        assert texts[:2] == texts[2:]
        assert [json.loads(text)["access"]["scopes"] for text in texts[:2]] == [["read"], ["read", "account"]]
        assert "spoiled" not in "".join(texts)


async def test_nobody_is_seen_where_nobody_is_asked(tmp_path: Path) -> None:
    async with serve(tmp_path, oauth_enabled=False) as site:
        for era in ("modern", "legacy"):
            assert (await site.call(era, "whoami")).json["result"]["structuredContent"] == {}
