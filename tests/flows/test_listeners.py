"""Many listeners at 2026-07-28 in one process: how soon they hear, and how they are sent away.

``STREAMS`` says how many; `make streams` has 2,000 and prints the figures.
"""

import asyncio
import os
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY

from tests.flows.child import Child, connected
from tests.support import Remote
from tests.transport.visit import Stream

STREAMS = int(os.environ.get("STREAMS", "200"))
DELIVERY = 1.0
"""Seconds from a change in which each listener has heard of it."""
MODERN = "2026-07-28"
META = {PROTOCOL_VERSION_META_KEY: MODERN, CLIENT_CAPABILITIES_META_KEY: {}}
LISTENING = {"MCP_SERVER": "tests.transport.listening:build", "OAUTH_ENABLED": "false", "LOG_LEVEL": "WARNING"}


@pytest.fixture(autouse=True)
def _enough_files() -> None:
    """Let this process open a connection for each listener."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < STREAMS + 500 <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (STREAMS + 500, hard))


def memory(child: Child) -> float:
    """Give the resident memory of a server in KB, or nothing where the system does not tell."""
    assert child.process is not None
    status = Path(f"/proc/{child.process.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else ["VmRSS: 0"]
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


def request(method: str, **params: Any) -> dict[str, Any]:
    """Make the options of a POST."""
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    headers |= {"Mcp-Name": params["name"]} if "name" in params else {}
    return {
        "json": {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}},
        "headers": headers,
    }


@asynccontextmanager
async def listening(live: Remote, size: int) -> AsyncIterator[list[Stream]]:
    """Open streams that hear of tools, each up to its acknowledgement."""
    timeout, connector = aiohttp.ClientTimeout(None), aiohttp.TCPConnector(limit=0)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))
        asked = request("subscriptions/listen", notifications={"toolsListChanged": True})
        streams = []
        for _ in range(size):
            streams.append(Stream(await stack.enter_async_context(http.post(f"{live.url}/mcp", **asked))))
            assert (await streams[-1].message())["method"] == "notifications/subscriptions/acknowledged"
        yield streams


async def heard(stream: Stream) -> float:
    """Wait for the news and give the time."""
    assert (await stream.message())["method"] == "notifications/tools/list_changed"
    return time.perf_counter()


@pytest.mark.timeout(300)
async def test_each_listener_hears_within_a_second_and_is_sent_away_with_a_result(tmp_path: Path) -> None:
    child = Child(tmp_path, environment=LISTENING)
    async with connected(child) as live:
        before = memory(child)
        async with listening(live, STREAMS) as streams:
            cost = (memory(child) - before) / STREAMS
            hearing = asyncio.gather(*map(heard, streams))
            await asyncio.sleep(0)
            sent = time.perf_counter()
            changed = await live.send("POST", "/mcp", **request("tools/call", name="change", arguments={}))
            assert changed.status == 200
            delay = max(await hearing) - sent
            assert child.process is not None
            stopped = time.perf_counter()
            child.process.terminate()
            last = await asyncio.gather(*(stream.messages() for stream in streams))
            ended = time.perf_counter() - stopped
        assert await asyncio.to_thread(child.process.wait, 20) == 0
    sys.stderr.write(
        f"\n{STREAMS} listeners: {cost:.1f} KB each; heard after {delay:.2f} s; ended after {ended:.2f} s\n"
    )
    assert all(messages[-1]["result"]["resultType"] == "complete" for messages in last)
    assert delay < DELIVERY
    assert ended < 5
