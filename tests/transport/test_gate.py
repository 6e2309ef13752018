"""Scopes, both forms of challenge, and ``mixed`` mode, over real HTTP."""

from pathlib import Path
from typing import Any

import pytest

from server.oauth import tokens
from tests.transport import plugged
from tests.transport.rig import Site, schemes, serve

PRM = "http://localhost:8000/.well-known/oauth-protected-resource/mcp"
CHATGPT = "openai-mcp/1.0.0"
UNKNOWN = tokens.make(tokens.ACCESS, lambda size: b"?" * size)
ERAS = ["modern", "legacy"]


def _challenge(scope: str, error: str = "") -> str:
    return f'Bearer resource_metadata="{PRM}", scope="{scope}"' + (f', error="{error}"' if error else "")


@pytest.mark.parametrize("era", ERAS)
async def test_too_little_scope_is_403_with_all_that_is_needed(tmp_path: Path, era: str) -> None:
    async with serve(tmp_path) as site:
        answer = await site.call(era, "pay", token=await site.token("read"))
        assert answer.status == 403
        assert answer.headers["WWW-Authenticate"] == _challenge("read payment", "insufficient_scope")
        assert answer.json["error"] == "insufficient_scope"
        assert "paid" not in plugged.happened
        assert (await site.call(era, "pay", token=await site.token("payment", "read"))).status == 200


@pytest.mark.parametrize("era", ERAS)
async def test_a_scope_satisfies_a_tool_that_needs_what_it_implies(tmp_path: Path, era: str) -> None:
    async with serve(tmp_path, oauth_scope_implies="payment>write,write>read") as site:
        assert (await site.call(era, "echo", {"text": "x"}, token=await site.token("write"))).status == 200
        assert (await site.call(era, "pay", token=await site.token("payment"))).status == 200
        answer = await site.call(era, "pay", token=await site.token("write"))
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (
            403,
            _challenge("read payment", "insufficient_scope"),
        )


@pytest.mark.parametrize("era", ERAS)
async def test_without_declared_scopes_any_token_will_do(tmp_path: Path, era: str) -> None:
    async with serve(tmp_path) as site:
        token = await site.token("account")
        assert (await site.call(era, "plain", token=token)).status == 200
        assert (await site.call(era, "free", token=token)).status == 200
        assert (await site.call(era, "echo", {"text": "x"}, token=token)).status == 403


@pytest.mark.parametrize("era", ERAS)
async def test_chatgpt_reads_too_little_scope_in_a_tool_error(tmp_path: Path, era: str) -> None:
    async with serve(tmp_path) as site:
        answer = await site.call(era, "pay", token=await site.token("read"), User_Agent=CHATGPT)
        result = answer.json["result"]
        assert (answer.status, result["isError"], answer.json["id"]) == (200, True, 1)
        [value] = result["_meta"]["mcp/www_authenticate"]
        assert value.startswith(_challenge("read payment", "insufficient_scope") + ', error_description="')
        assert result["content"][0]["text"]
        assert result.get("resultType") == ("complete" if era == "modern" else None)
        assert ("io.modelcontextprotocol/serverInfo" in result["_meta"]) == (era == "modern")
        assert "paid" not in plugged.happened


@pytest.mark.parametrize("agent", ["openai/1.0", "OpenAI-MCP/1.0.0", "Mozilla/5.0 openai-mcp/1.0.0"])
async def test_nobody_else_reads_it_there(tmp_path: Path, agent: str) -> None:
    async with serve(tmp_path) as site:
        assert (await site.call("modern", "pay", token=await site.token("read"), User_Agent=agent)).status == 403


@pytest.mark.parametrize("mode", ["required", "mixed"])
async def test_for_chatgpt_too_a_bad_token_is_401(tmp_path: Path, mode: str) -> None:
    async with serve(tmp_path, oauth_mode=mode) as site:
        for tool in ("pay", "free"):
            assert (await site.call("modern", tool, token=UNKNOWN, User_Agent=CHATGPT)).status == 401
        assert (await site.legacy("tools/list", token=UNKNOWN, User_Agent=CHATGPT)).status == 401


async def test_in_required_mode_a_missing_token_is_401_for_chatgpt_too(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        for tool in ("pay", "free"):
            answer = await site.call("modern", tool, User_Agent=CHATGPT)
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, _challenge("read"))


async def _open(site: Site, **headers: Any) -> list[int]:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    widget = {"uri": "ui://widget/page.html"}
    answers = [
        await site.legacy("initialize", hello, **headers),
        await site.legacy("ping", **headers),
        await site.send(note, **headers),
        await site.modern("server/discover", **headers),
        *[
            await site.modern(method, **headers)
            for method in ("tools/list", "prompts/list", "resources/templates/list")
        ],
        await site.legacy("resources/list", **headers),
        *[
            await site.modern("resources/read", widget, **headers),
            await site.legacy("resources/read", widget, **headers),
        ],
        *[await site.call(era, tool, **headers) for era in ERAS for tool in ("free", "either")],
        await site.send([{"jsonrpc": "2.0", "id": 1, "method": "ping"}], **headers),
    ]
    return [answer.status for answer in answers]


async def test_mixed_mode_opens_what_it_says_to_our_own_pages(tmp_path: Path) -> None:
    async with serve(tmp_path, oauth_mode="mixed", allowed_origins="https://friend.example") as site:
        assert set(await _open(site)) == {200, 202}
        assert set(await _open(site, Origin="https://friend.example")) == {200, 202}
        assert set(await _open(site, Origin="https://elsewhere.example")) == {403}
        assert set(await _open(site, Origin="https://elsewhere.example", token=await site.token())) == {200, 202}
        assert set(await _open(site, token=UNKNOWN)) == {401}


async def test_mixed_mode_asks_for_what_the_operation_needs(tmp_path: Path) -> None:
    async with serve(tmp_path, oauth_mode="mixed") as site:
        for era in ERAS:
            speak = site.modern if era == "modern" else site.legacy
            for scope, answer in (
                ("read payment", await site.call(era, "pay")),
                ("read", await site.call(era, "echo", {"text": "x"})),
                ("read", await site.call(era, "plain")),
                ("read", await site.call(era, "no-such-tool")),
                ("read", await speak("resources/read", {"uri": "file:///secret.txt"})),
                ("read", await speak("prompts/get", {"name": "hello", "arguments": {"name": "x"}})),
                ("read", await speak("no/such")),
                ("read payment", await site.call(era, "pay", Origin="https://elsewhere.example")),
            ):
                assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, _challenge(scope))


async def test_in_mixed_mode_a_bad_token_is_told_the_operations_scopes(tmp_path: Path) -> None:
    async with serve(tmp_path, oauth_mode="mixed") as site:
        for scope, answer in (
            ("read payment", await site.call("modern", "pay", token=UNKNOWN)),
            ("read", await site.call("modern", "free", token=UNKNOWN)),
            ("read", await site.send(b"no JSON", token=UNKNOWN)),
        ):
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, _challenge(scope, "invalid_token"))


@pytest.mark.parametrize("era", ERAS)
async def test_in_mixed_mode_chatgpt_is_asked_to_sign_in_by_a_tool_error(tmp_path: Path, era: str) -> None:
    async with serve(tmp_path, oauth_mode="mixed") as site:
        answer = await site.call(era, "pay", User_Agent=CHATGPT)
        [value] = answer.json["result"]["_meta"]["mcp/www_authenticate"]
        assert (answer.status, answer.json["result"]["isError"]) == (200, True)
        assert value.startswith(_challenge("read payment", "invalid_token") + ', error_description="')
        speak = site.modern if era == "modern" else site.legacy
        other = await speak("resources/read", {"uri": "file:///secret.txt"}, User_Agent=CHATGPT)
        assert (other.status, other.headers["WWW-Authenticate"]) == (401, _challenge("read"))


async def test_a_batch_needs_what_all_its_calls_need(tmp_path: Path) -> None:
    batch = [
        {"jsonrpc": "2.0", "id": name, "method": "tools/call", "params": {"name": name, "arguments": {"text": "x"}}}
        for name in ("plain", "echo", "pay")
    ]
    async with serve(tmp_path) as site:
        answer = await site.send(batch, token=await site.token("account"), User_Agent=CHATGPT)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (
            403,
            _challenge("read payment", "insufficient_scope"),
        )
        assert "paid" not in plugged.happened


NOAUTH, OAUTH2 = {"type": "noauth"}, {"type": "oauth2", "scopes": []}


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, {"pay": [{"type": "oauth2", "scopes": ["read", "payment"]}], "plain": [OAUTH2], "free": [OAUTH2]}),
        (
            {"oauth_mode": "mixed"},
            {"plain": [OAUTH2], "free": [NOAUTH], "either": [NOAUTH, {"type": "oauth2", "scopes": ["payment"]}]},
        ),
        ({"oauth_enabled": False}, {"pay": [NOAUTH], "plain": [NOAUTH]}),
    ],
)
async def test_a_listing_says_how_each_tool_is_secured(
    tmp_path: Path, overrides: dict[str, Any], expected: dict[str, Any]
) -> None:
    async with serve(tmp_path, **overrides) as site:
        token = await site.token()
        for listing in (await site.modern("tools/list", token=token), await site.legacy("tools/list", token=token)):
            assert expected.items() <= schemes(listing).items()
