"""Revision 2026-07-28 over real HTTP."""

from pathlib import Path
from typing import Any

import pytest
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    PROTOCOL_VERSION_META_KEY,
    SERVER_INFO_META_KEY,
    UNSUPPORTED_PROTOCOL_VERSION,
)

from tests.transport.rig import ENVELOPE, MODERN, serve

UNKNOWN_VERSION = {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}


async def test_discover_and_lists_are_complete_results_with_the_servers_name(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        for method in ("server/discover", "tools/list", "resources/list", "resources/templates/list", "prompts/list"):
            answer = await site.modern(method, token=token)
            result = answer.json["result"]
            assert (answer.status, answer.json["id"], result["resultType"]) == (200, 1, "complete"), method
            assert result["_meta"][SERVER_INFO_META_KEY]["name"] == "plugged"
            assert answer.headers["Content-Type"] == "application/json"
            assert "Mcp-Session-Id" not in answer.headers


async def test_tools_resources_and_prompts_are_served(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        assert (await site.call("modern", "echo", {"text": "é"}, token=token)).json["result"]["content"][0][
            "text"
        ] == "é"
        read = await site.modern("resources/read", {"uri": "file:///secret.txt"}, token=token)
        assert read.json["result"]["contents"][0]["text"] == "secret"
        prompt = await site.modern("prompts/get", {"name": "hello", "arguments": {"name": "Ada"}}, token=token)
        assert prompt.json["result"]["messages"][0]["content"]["text"] == "Hello Ada"


@pytest.mark.parametrize(
    ("status", "code", "method", "params", "headers"),
    [
        (400, HEADER_MISMATCH, "tools/list", {}, {"MCP_Protocol_Version": None}),
        (400, HEADER_MISMATCH, "tools/list", {}, {"MCP_Protocol_Version": "2025-11-25"}),
        (400, HEADER_MISMATCH, "tools/list", {}, {"MCP_Protocol_Version": "2099-01-01"}),
        (400, HEADER_MISMATCH, "tools/list", {}, {"Mcp_Method": None}),
        (400, HEADER_MISMATCH, "tools/list", {}, {"Mcp_Method": "tools/call"}),
        (400, HEADER_MISMATCH, "tools/list", {}, {"Mcp_Method": "Tools/List"}),
        (400, HEADER_MISMATCH, "tools/call", {"name": "plain"}, {"Mcp_Name": None}),
        (400, HEADER_MISMATCH, "tools/call", {"name": "plain"}, {"Mcp_Name": "pay"}),
        (400, HEADER_MISMATCH, "tools/call", {"name": "plain"}, {"Mcp_Name": "=?base64?!?="}),
        (200, None, "tools/call", {"name": "plain"}, {"Mcp_Name": "=?base64?cGxhaW4=?="}),
        (400, INVALID_PARAMS, "tools/list", {"_meta": 1}, {}),
        (400, INVALID_PARAMS, "tools/list", {"cursor": 5}, {}),
        (400, INVALID_PARAMS, "tools/call", {}, {}),
        (
            400,
            UNSUPPORTED_PROTOCOL_VERSION,
            "tools/list",
            {"_meta": UNKNOWN_VERSION},
            {"MCP_Protocol_Version": "2099-01-01"},
        ),
        (404, METHOD_NOT_FOUND, "no/such", {}, {}),
        (404, METHOD_NOT_FOUND, "initialize", {}, {}),
        (404, METHOD_NOT_FOUND, "ping", {}, {}),
    ],
)
async def test_headers_and_revision_are_validated(
    tmp_path: Path, status: int, code: int | None, method: str, params: dict[str, Any], headers: dict[str, str | None]
) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        if params.get("_meta") == 1:
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            answer = await site.send(body, token=token, MCP_Protocol_Version=MODERN, Mcp_Method=method)
        else:
            answer = await site.modern(method, params, token=token, **headers)
        assert (answer.status, answer.json.get("error", {}).get("code"), answer.json["id"]) == (status, code, 1)


async def test_an_unknown_revision_is_told_which_are_served(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        answer = await site.send(body, token=await site.token(), MCP_Protocol_Version="1999-01-01")
        assert (answer.status, answer.json["error"]["code"]) == (400, UNSUPPORTED_PROTOCOL_VERSION)
        served = [MODERN, "2025-11-25", "2025-06-18", "2025-03-26"]
        assert answer.json["error"]["data"] == {"supported": served, "requested": "1999-01-01"}
        discovered = await site.modern("server/discover", token=await site.token())
        assert discovered.json["result"]["supportedVersions"] == served


@pytest.mark.parametrize("name", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
async def test_a_routing_header_sent_twice_is_refused(tmp_path: Path, name: str) -> None:
    async with serve(tmp_path) as site:
        values = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "plain"}
        headers = [*values.items(), (name, values[name]), ("Authorization", f"Bearer {await site.token()}")]
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "plain", "_meta": ENVELOPE}}
        async with site.client.post("/mcp", json=body, headers=headers) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (400, HEADER_MISMATCH)


async def test_mirrored_arguments_must_agree_with_the_body(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token, region = await site.token(), {"region": "eu"}
        assert (await site.call("modern", "route", region, token=token, Mcp_Param_Region="eu")).status == 200
        assert (
            await site.call("modern", "route", region, token=token, Mcp_Param_Region="=?base64?ZXU=?=")
        ).status == 200
        for value in (None, "us", "=?base64?***?="):
            answer = await site.call("modern", "route", region, token=token, Mcp_Param_Region=value)
            assert (answer.status, answer.json["error"]["code"]) == (400, HEADER_MISMATCH), value
        assert (await site.call("modern", "plain", token=token, Mcp_Param_Region="eu")).status == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], -32600),
        ([{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}], -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, -32600),
        ({"jsonrpc": "2.0", "id": None, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": True, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"}, -32600),
        (b'{"jsonrpc":"2.0","id":NaN,"method":"tools/list"}', -32700),
    ],
)
async def test_batches_replies_and_odd_ids_are_refused(tmp_path: Path, body: Any, code: int) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        for version in (MODERN, "2025-11-25", "2025-06-18"):
            if version != MODERN and isinstance(body, dict) and "result" in body:
                continue
            answer = await site.send(body, token=token, MCP_Protocol_Version=version, Mcp_Method="tools/list")
            assert (answer.status, answer.json["error"]["code"], "id" in answer.json) == (400, code, False), version


async def test_a_notification_is_accepted_and_answered_with_nothing(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
        answer = await site.send(note, token=await site.token(), MCP_Protocol_Version=MODERN)
        assert (answer.status, answer.body) == (202, b"")


async def test_what_older_revisions_have_headers_for_is_ignored(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        answer = await site.call("modern", "plain", token=token, Mcp_Session_Id="none", Last_Event_ID="a1-1")
        assert (answer.status, answer.json["result"]["content"][0]["text"]) == (200, "plain")
        assert "Mcp-Session-Id" not in answer.headers


async def test_a_string_id_and_a_huge_one_come_back_as_they_were(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        for request_id in ("é-1", 2**80, -5):
            body = {"jsonrpc": "2.0", "id": request_id, "method": "tools/list", "params": {"_meta": ENVELOPE}}
            answer = await site.send(body, token=token, MCP_Protocol_Version=MODERN, Mcp_Method="tools/list")
            assert answer.json["id"] == request_id


async def test_a_server_that_fails_tells_nobody_why(tmp_path: Path) -> None:
    async with serve(tmp_path, "tests.transport.plugged:lowlevel") as site:
        token = await site.token()
        for era in ("modern", "legacy"):
            answer = await site.call(era, "broken", token=token)
            assert (answer.status, answer.json["error"]) == (200, {"code": -32603, "message": "Internal server error"})


async def test_a_tool_that_lets_a_cancellation_out_is_answered_all_the_same(tmp_path: Path) -> None:
    async with serve(tmp_path, "tests.transport.plugged:cancelling") as site:
        token = await site.token()
        for era in ("modern", "legacy"):
            assert (await site.call(era, "any", token=token)).json["error"]["code"] == -32603


@pytest.mark.parametrize(
    ("raised", "modern", "legacy"),
    [
        (-32002, (400, -32602), (200, -32002)),
        (-32042, (200, -32603), (200, -32042)),
        (-32050, (200, -32603), (200, -32050)),
        (-32021, (400, -32021), (200, -32021)),
        (-32603, (200, -32603), (200, -32603)),
        (7, (200, 7), (200, 7)),
    ],
)
async def test_codes_that_2026_07_28_took_out_are_not_sent_there(
    tmp_path: Path, raised: int, modern: tuple[int, int], legacy: tuple[int, int]
) -> None:
    async with serve(tmp_path, "tests.transport.plugged:raising") as site:
        token = await site.token()
        for era, expected in (("modern", modern), ("legacy", legacy)):
            answer = await site.call(era, str(raised), token=token)
            assert (answer.status, answer.json["error"]["code"]) == expected, era


async def test_every_result_that_may_be_cached_says_for_how_long_and_by_whom(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        methods = ("server/discover", "tools/list", "resources/list", "resources/templates/list", "prompts/list")
        answers = [await site.modern(method, token=token) for method in methods]
        answers.append(await site.modern("resources/read", {"uri": "file:///secret.txt"}, token=token))
        for answer in answers:
            assert (answer.json["result"]["ttlMs"], answer.json["result"]["cacheScope"]) == (0, "private")
    async with serve(tmp_path, "tests.transport.plugged:cached") as site:
        listed = (await site.modern("tools/list", token=token)).json["result"]
        assert (listed["ttlMs"], listed["cacheScope"]) == (60_000, "public")
        assert listed["tools"][0]["securitySchemes"]


async def test_a_client_need_not_say_its_name(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        params = {"_meta": {PROTOCOL_VERSION_META_KEY: MODERN, CLIENT_CAPABILITIES_META_KEY: {}}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
        assert (await site.send(body, token=await site.token(), **headers)).status == 200


async def test_what_an_extension_adds_is_handed_through(tmp_path: Path) -> None:
    async with serve(tmp_path, "tests.transport.plugged:extended", oauth_enabled=False) as site:
        discovered = (await site.modern("server/discover")).json["result"]
        assert discovered["capabilities"]["extensions"] == {"com.example/counting": {}}
        result = (await site.modern("counting/count")).json["result"]
        assert (result["resultType"], result["count"]) == ("counted", 3)
