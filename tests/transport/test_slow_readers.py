"""Clients that ask and do not read the answer: each is dropped, and its tool comes to its end."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.transport import reader, sse
from tests.support import until
from tests.transport import talkative
from tests.transport.rig import Site
from tests.transport.test_streams import visiting
from tests.transport.visit import Visit

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

BIG = 12_000_000
"""Bytes; more than a system's buffers take for a client that does not read."""


def connections(site: Site) -> int:
    """Count the connections that are open."""
    running = site.client.server.runner
    assert running is not None
    assert running.server is not None
    return len(running.server.connections)


@asynccontextmanager
async def silent(site: Site, visit: Visit, tool: str, **arguments: int) -> AsyncIterator[None]:
    """Call a tool and read nothing of what comes, through a window as small as there is; it has to be dropped."""
    before = connections(site)
    body = json.dumps(visit.call(tool, **arguments)).encode()
    headers = {**visit.headers, "Host": "localhost", "Content-Type": "application/json"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", site.client.port))
        connection.sendall(f"POST /mcp HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await until(lambda: connections(site) == before + 1)
        yield
        await until(lambda: connections(site) == before)


async def test_a_tool_that_floods_a_client_which_does_not_read_is_soon_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PATIENCE", 0.2)
    async with visiting(tmp_path) as (site, visit), silent(site, visit, "flood", size=20_000, times=600):
        assert await visit.text("listen") == "listening"
        await until(lambda: "flooded" in talkative.happened)


async def test_a_client_that_takes_nothing_of_one_large_event_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "STALLED", 0.2)
    async with visiting(tmp_path) as (site, visit), silent(site, visit, "large", size=BIG):
        assert await visit.text("listen") == "listening"


async def test_without_a_session_too_a_client_that_takes_nothing_of_a_stream_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "STALLED", 0.2)
    async with visiting(tmp_path) as (site, visit):
        visit.session_id = None
        async with silent(site, visit, "flood", size=20_000, times=600):
            await until(lambda: "flooded" in talkative.happened)
