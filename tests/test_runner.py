import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from urllib.parse import urlsplit

import pytest

from server import runner
from tests.support import Live

LARGE = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"large","arguments":{"size":12000000}}}'
"""A call whose answer is more than a system's buffers take for a client that does not read."""


async def send(live: Live, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(live.url).port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return answer


def left(connection: socket.socket) -> int:
    """Count the bytes that come until the other side hangs up."""
    connection.settimeout(20)
    count = 0
    with suppress(ConnectionResetError):
        while chunk := connection.recv(1 << 20):
            count += len(chunk)
    return count


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


async def test_a_client_that_does_not_take_a_large_answer_is_dropped(
    start: Callable[..., AbstractAsyncContextManager[Live]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "STALLED", 0.5)
    named = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(LARGE)}\r\n"
    head = f"POST /mcp HTTP/1.1\r\n{named}"
    async with start(oauth_enabled=False, mcp_server="tests.transport.talkative:build") as live:
        whole = await send(live, f"{head}Connection: close\r\n\r\n".encode() + LARGE)
        assert len(whole) > 12_000_000, "who reads gets all of it"
        with socket.socket() as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            silent.connect(("127.0.0.1", urlsplit(live.url).port))
            silent.sendall(f"{head}\r\n".encode() + LARGE)
            await asyncio.sleep(2)
            assert await asyncio.to_thread(left, silent) < len(whole), "the rest never comes"


@pytest.mark.parametrize(
    "sent", [b"", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /health HTTP/1.1\r\nX-Slow: "]
)
async def test_a_client_that_falls_silent_is_cut_off(
    start: Callable[..., AbstractAsyncContextManager[Live]], monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    assert runner.KEEPALIVE_TIMEOUT == 30
    monkeypatch.setattr(runner, "KEEPALIVE_TIMEOUT", 0.3)
    async with start() as live:
        answer = await send(live, sent)
        assert answer.startswith(b"HTTP/1.1 200 ") is sent.endswith(b"\r\n\r\n")
