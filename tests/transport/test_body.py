import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest

from server.transport import body
from server.transport.body import acceptable, is_json
from tests.transport.rig import HEADERS, serve

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", (True, True)),
        ("*/*", (True, True)),
        ("application/json, text/event-stream", (True, True)),
        ("TEXT/Event-Stream ; q=0.5,Application/JSON;charset=utf-8", (True, True)),
        ("application/json", (True, False)),
        ("application/*", (True, False)),
        ("text/event-stream", (False, True)),
        ("text/*, application/json;q=0", (False, True)),
        ("application/json;q=0.0, */*", (True, True)),
        ("text/html", (False, False)),
        ("application/jsonl", (False, False)),
    ],
)
def test_accept_is_read_with_ranges_and_weights(accept: str, expected: tuple[bool, bool]) -> None:
    assert acceptable(accept) == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ('Application/JSON ; Charset="UTF-8"', True),
        ("application/json;charset=utf8;more=1", True),
        ("application/json; more=é\udcff", True),
        ("application/json; charset=", True),
        ("application/json; utf-8*", True),
        ("application/json; charset=latin-1", False),
        ("application/json; charset=é", False),
        ("application/json, text/plain", False),
        ("application/jsonl", False),
        ("text/plain", False),
        ("json", False),
        ("", False),
    ],
)
def test_json_is_told_by_its_type_and_charset(content_type: str, *, expected: bool) -> None:
    assert is_json(content_type) is expected


async def test_a_post_that_is_not_acceptable_is_told_so(tmp_path: Path) -> None:
    refused: list[tuple[int, dict[str, Any]]] = [
        (406, {"Accept": "text/html"}),
        (406, {"Accept": "text/event-stream"}),
        (415, {"Content_Type": "text/plain"}),
        (415, {"Content_Type": "application/x-www-form-urlencoded"}),
        (415, {"Content_Type": None}),
        (415, {"Content_Type": "application/json; charset=latin-1"}),
        (415, {"Content_Type": "application/json; charset=no-such-thing"}),
        (415, {"Content_Encoding": "made-up"}),
    ]
    async with serve(tmp_path) as site:
        token = await site.token()
        for status, headers in refused:
            answer = await site.send(PING, token=token, **headers)
            assert (answer.status, answer.json.get("id")) == (status, 1 if status == 406 else None), headers
        served: list[dict[str, Any]] = [
            {"Accept": None},
            {"Accept": "application/json"},
            {"Content_Type": "Application/JSON; charset=UTF-8"},
        ]
        for headers in served:
            assert (await site.send(PING, token=token, **headers)).status == 200, headers


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
async def test_a_coded_body_never_breaks_the_server(tmp_path: Path, coding: str) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        for content in (b"\x00not coded", gzip.compress(PING), gzip.compress(PING)[:-9]):
            answer = await site.send(content, token=token, Content_Encoding=coding)
            assert answer.status in {400, 415}


async def test_a_body_has_at_most_4_mib(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        fits = PING + b" " * (body.MAX_BODY - len(PING))
        assert (await site.send(fits, token=token)).status == 200
        assert (await site.send(fits + b" ", token=token)).status == 413


async def test_a_body_that_does_not_arrive_in_time_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "READ_TIMEOUT", 0.2)
    async with serve(tmp_path) as site:
        head = {**HEADERS, "Authorization": f"Bearer {await site.token()}", "Host": "localhost", "Content-Length": "99"}
        reader, writer = await asyncio.open_connection("127.0.0.1", site.client.port)
        writer.write(b"POST /mcp HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()).encode() + b"\r\n{")
        assert await asyncio.wait_for(reader.readline(), 10) == b"HTTP/1.1 408 Request Timeout\r\n"
        assert b"Connection: close" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        writer.close()
        await writer.wait_closed()


async def test_bad_json_is_a_parse_error_without_an_id(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        token = await site.token()
        for version in ("2025-03-26", "2025-11-25", "2026-07-28"):
            answer = await site.send(b'{"id": 7', token=token, MCP_Protocol_Version=version)
            assert (answer.status, answer.json["error"]["code"], "id" in answer.json) == (400, -32700, False)
