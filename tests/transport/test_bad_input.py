"""What nobody should send, era by era: each has its status and its JSON-RPC error, and none breaks the server."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from mcp_types import HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR

from server.transport.body import MAX_BODY
from tests.transport.rig import ENVELOPE, HEADERS, MODERN, Answer, Site, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25", MODERN)
HANDSHAKE = REVISIONS[:3]
NO_BATCHES = REVISIONS[1:]
NEWEST = (MODERN,)
LIST = {"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"_meta": ENVELOPE}}
CALL = {**LIST, "method": "tools/call", "params": {"name": "plain", "arguments": {}, "_meta": ENVELOPE}}
ABSENT = object()


def without(message: dict[str, Any], *members: str) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in members}


def deep(levels: int) -> bytes:
    nested = b'{"a":' * levels + b"1" + b"}" * levels
    return b'{"jsonrpc":"2.0","id":7,"method":"tools/list","params":' + nested + b"}"


ODD_IDS: tuple[Any, ...] = (None, True, False, 1.0, 1.5, [], [1], {})
BODIES: list[tuple[str, tuple[str, ...], Any, int, int, Any]] = [
    ("nothing", REVISIONS, b"", 400, PARSE_ERROR, ABSENT),
    ("half of it", REVISIONS, b'{"jsonrpc":"2.0","id":7', 400, PARSE_ERROR, ABSENT),
    ("two values", REVISIONS, b"{}{}", 400, PARSE_ERROR, ABSENT),
    ("another encoding", REVISIONS, json.dumps(LIST).encode("utf-16"), 400, PARSE_ERROR, ABSENT),
    ("no UTF-8", REVISIONS, b'{"jsonrpc":"2.0","id":"\xff"}', 400, PARSE_ERROR, ABSENT),
    ("half a surrogate", REVISIONS, b'{"jsonrpc":"2.0","id":"\\ud800","method":"x"}', 400, PARSE_ERROR, ABSENT),
    ("a null byte", REVISIONS, b"\x00", 400, PARSE_ERROR, ABSENT),
    ("too deep", REVISIONS, deep(5_000), 400, PARSE_ERROR, ABSENT),
    ("deeper than a stack", REVISIONS, b"[" * 1_000_000, 400, PARSE_ERROR, ABSENT),
    ("an id of 100,000 digits", REVISIONS, b'{"id":' + b"9" * 100_000 + b"}", 400, PARSE_ERROR, ABSENT),
    ("not a number", REVISIONS, b'{"jsonrpc":"2.0","id":NaN,"method":"x"}', 400, PARSE_ERROR, ABSENT),
    ("infinity", REVISIONS, b'{"jsonrpc":"2.0","id":Infinity,"method":"x"}', 400, PARSE_ERROR, ABSENT),
    ("a null", REVISIONS, b"null", 400, INVALID_REQUEST, ABSENT),
    ("a text", REVISIONS, b'"tools/list"', 400, INVALID_REQUEST, ABSENT),
    ("a number", REVISIONS, b"7", 400, INVALID_REQUEST, ABSENT),
    ("an empty object", REVISIONS, {}, 400, INVALID_REQUEST, ABSENT),
    *((f"the id {bad!r}", REVISIONS, {**LIST, "id": bad}, 400, INVALID_REQUEST, ABSENT) for bad in ODD_IDS),
    ("no version of JSON-RPC", REVISIONS, without(LIST, "jsonrpc"), 400, INVALID_REQUEST, 7),
    ("another version of it", REVISIONS, {**LIST, "jsonrpc": "1.0"}, 400, INVALID_REQUEST, 7),
    ("its version as a number", REVISIONS, {**LIST, "jsonrpc": 2.0}, 400, INVALID_REQUEST, 7),
    ("no method", REVISIONS, without(LIST, "method"), 400, INVALID_REQUEST, 7),
    ("a method that is none", REVISIONS, {**LIST, "method": 1}, 400, INVALID_REQUEST, 7),
    ("positional parameters", REVISIONS, {**LIST, "params": []}, 400, INVALID_REQUEST, 7),
    ("parameters that are none", REVISIONS, {**LIST, "params": "x"}, 400, INVALID_REQUEST, 7),
    ("a batch", NO_BATCHES, [LIST], 400, INVALID_REQUEST, ABSENT),
    ("an empty batch", REVISIONS, [], 400, INVALID_REQUEST, ABSENT),
    ("a batch of 51", ("2025-03-26",), [LIST] * 51, 400, INVALID_REQUEST, ABSENT),
    ("a batch of nothing but rubbish", NO_BATCHES, [1, None], 400, INVALID_REQUEST, ABSENT),
    ("an answer", NEWEST, {"jsonrpc": "2.0", "id": 7, "result": {}}, 400, INVALID_REQUEST, ABSENT),
    ("no envelope", NEWEST, without(LIST, "params"), 400, INVALID_PARAMS, 7),
    ("half an envelope", NEWEST, {**LIST, "params": {"_meta": {}}}, 400, INVALID_PARAMS, 7),
    ("an envelope that is none", NEWEST, {**LIST, "params": {"_meta": []}}, 400, INVALID_PARAMS, 7),
    ("too much", REVISIONS, json.dumps(LIST).encode() + b" " * MAX_BODY, 413, INVALID_REQUEST, ABSENT),
]

HEADS: list[tuple[str, tuple[str, ...], dict[str, str | None], int, int, Any]] = [
    ("Accept without JSON", REVISIONS, {"Accept": "text/event-stream"}, 406, INVALID_REQUEST, 7),
    ("Accept of a page", REVISIONS, {"Accept": "text/html"}, 406, INVALID_REQUEST, 7),
    ("text", REVISIONS, {"Content-Type": "text/plain"}, 415, INVALID_REQUEST, ABSENT),
    ("a form", REVISIONS, {"Content-Type": "application/x-www-form-urlencoded"}, 415, INVALID_REQUEST, ABSENT),
    ("no type", REVISIONS, {"Content-Type": None}, 415, INVALID_REQUEST, ABSENT),
    ("a type that is none", REVISIONS, {"Content-Type": ";;;"}, 415, INVALID_REQUEST, ABSENT),
    ("a charset", REVISIONS, {"Content-Type": "application/json; charset=utf-16"}, 415, INVALID_REQUEST, ABSENT),
    ("a coding", REVISIONS, {"Content-Encoding": "gzip"}, 415, INVALID_REQUEST, ABSENT),
    ("an origin that is none", REVISIONS, {"Origin": "not an origin"}, 403, INVALID_REQUEST, ABSENT),
    ("no version", NEWEST, {"MCP-Protocol-Version": None}, 400, HEADER_MISMATCH, 7),
    ("the body's version not", NEWEST, {"MCP-Protocol-Version": "2099-01-01"}, 400, HEADER_MISMATCH, 7),
    ("no method", NEWEST, {"Mcp-Method": None}, 400, HEADER_MISMATCH, 7),
    ("another method", NEWEST, {"Mcp-Method": "tools/list"}, 400, HEADER_MISMATCH, 7),
    ("the method in capitals", NEWEST, {"Mcp-Method": "TOOLS/CALL"}, 400, HEADER_MISMATCH, 7),
    ("no name", NEWEST, {"Mcp-Name": None}, 400, HEADER_MISMATCH, 7),
    ("another name", NEWEST, {"Mcp-Name": "pay"}, 400, HEADER_MISMATCH, 7),
    ("a name not in ASCII", NEWEST, {"Mcp-Name": "plaïn"}, 400, HEADER_MISMATCH, 7),
    ("a name in bad Base64", NEWEST, {"Mcp-Name": "=?base64?cGxhaW4?="}, 400, HEADER_MISMATCH, 7),
    ("an odd version", HANDSHAKE, {"MCP-Protocol-Version": "1999-01-01"}, 400, -32022, 7),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Give one server that has to bear all of it."""
    async with serve(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def token(site: Site) -> str:
    return await site.token()


def told(answer: Answer) -> tuple[int, int, Any]:
    """Give status, code and id of an error, once it is seen to be one."""
    assert answer.json["jsonrpc"] == "2.0"
    assert isinstance(answer.json["error"]["message"], str)
    return answer.status, answer.json["error"]["code"], answer.json.get("id", ABSENT)


async def post(site: Site, token: str, body: Any, revision: str, **changed: str | None) -> Answer:
    """Send a body with the headers that would go with `CALL`, but for those that are changed."""
    headers = {"MCP-Protocol-Version": revision, "Mcp-Method": "tools/call", "Mcp-Name": "plain"}
    sent: dict[str, Any] = {**headers, **changed}
    return await site.send(body, token=token, **sent)


async def test_what_is_deep_and_still_readable_is_served(site: Site, token: str) -> None:
    for levels in (100, 190):
        arguments = json.loads(b'{"a":' * levels + b"1" + b"}" * levels)
        answer = await site.call("modern", "plain", arguments, token=token)
        assert answer.status == 200
        assert "result" in answer.json


BODY = ("name", "revisions", "body", "status", "code", "known")
HEAD = ("name", "revisions", "head", "status", "code", "known")


@pytest.mark.parametrize(BODY, BODIES, ids=[row[0] for row in BODIES])
async def test_bodies(
    site: Site, token: str, name: str, revisions: tuple[str, ...], body: Any, status: int, code: int, known: Any
) -> None:
    for revision in revisions:
        answer = await post(site, token, body, revision, **{"Mcp-Method": "tools/list", "Mcp-Name": None})
        assert told(answer) == (status, code, known), (name, revision)


@pytest.mark.parametrize(HEAD, HEADS, ids=[row[0] for row in HEADS])
async def test_headers(
    site: Site,
    token: str,
    name: str,
    revisions: tuple[str, ...],
    head: dict[str, str | None],
    status: int,
    code: int,
    known: Any,
) -> None:
    for revision in revisions:
        body = CALL if revision == MODERN else {**CALL, "params": {"name": "plain", "arguments": {}}}
        assert told(await post(site, token, body, revision, **head)) == (status, code, known), (name, revision)
        assert (await post(site, token, body, revision)).status == 200, "what is right is served"


@pytest.mark.parametrize("name", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Param-Region"])
async def test_routing_headers_sent_twice(site: Site, token: str, name: str) -> None:
    values = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "route", "Mcp-Param-Region": "eu"}
    body = {**CALL, "params": {"name": "route", "arguments": {"region": "eu"}, "_meta": ENVELOPE}}
    once = [*{**HEADERS, **values}.items(), ("Authorization", f"Bearer {token}")]
    for headers, status in ((once, 200), ([*once, (name, values[name])], 400)):
        async with site.client.post("/mcp", data=json.dumps(body), headers=headers) as response:
            answer = Answer(response.status, response.headers, await response.read())
        assert answer.status == status
    assert told(answer) == (400, HEADER_MISMATCH, 7)


@pytest.mark.parametrize(
    ("sent", "argument"),
    [(None, "eu"), ("us", "eu"), ("eu", None), ("é", "é"), ("=?base64?w6?=", "é"), ("=?base64?!!?=", "eu")],
)
async def test_arguments_mirrored_wrongly(site: Site, token: str, sent: str | None, argument: str | None) -> None:
    params = {"name": "route", "arguments": {} if argument is None else {"region": argument}}
    answer = await site.modern("tools/call", params, token=token, Mcp_Param_Region=sent)
    assert told(answer) == (400, HEADER_MISMATCH, 1)


@pytest.mark.parametrize(
    "method", ["no/such", "initialize", "ping", "logging/setLevel", "resources/subscribe", "", "é"]
)
async def test_methods_that_2026_07_28_does_not_have(site: Site, token: str, method: str) -> None:
    answer = await site.modern(method, token=token)
    assert told(answer) == (404, METHOD_NOT_FOUND, 1)


async def test_a_listener_that_takes_no_stream_is_told_with_its_id(site: Site, token: str) -> None:
    answer = await site.modern("subscriptions/listen", {"notifications": {}}, token=token, Accept="application/json")
    assert told(answer) == (406, INVALID_REQUEST, 1)
