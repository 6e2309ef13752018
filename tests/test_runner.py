import asyncio
import logging
from urllib.parse import urlsplit

import pytest

from tests.support import Live


async def send(live: Live, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(live.url).port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /authorize?state=hush HTTP/1.1\r\nX-Long: " + b"hush" * 3_000 + b"\r\n\r\n",
        b"BREW /hush HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00hush\r\n\r\n",
    ],
    ids=["a long header", "an unknown method", "TLS"],
)
async def test_what_is_not_http_gets_our_headers_and_is_repeated_nowhere(
    live: Live, caplog: pytest.LogCaptureFixture, request_bytes: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    head, _, body = (await send(live, request_bytes)).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    for header in (b"X-Content-Type-Options: nosniff", b"X-Frame-Options: DENY", b"Server: att-mcp-server"):
        assert header in head
    assert b"hush" not in body
    assert "hush" not in caplog.text
