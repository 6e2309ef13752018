"""The SDK's own client against the whole server, in each mode that it connects by."""

from pathlib import Path

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.transport.rig import serve


@pytest.mark.parametrize(
    ("mode", "revision"), [("legacy", "2025-11-25"), ("auto", "2026-07-28"), ("2026-07-28", "2026-07-28")]
)
async def test_the_sdks_client_does_its_work(
    tmp_path: Path,
    mode: str,
    revision: str,
) -> None:
    steps: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, total, message))

    async with serve(tmp_path) as site:
        headers = {"Authorization": f"Bearer {await site.token()}"}
        url = str(site.client.make_url("/mcp"))
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            assert client.protocol_version == revision
            assert "echo" in {tool.name for tool in (await client.list_tools()).tools}
            called = await client.call_tool("echo", {"text": "hi"})
            assert called.structured_content == {"result": "hi"}
            counted = await client.call_tool("count", {"to": 2}, progress_callback=on_progress)
            assert counted.structured_content == {"result": "counted"}
            assert steps == [(1, 2, None), (2, 2, None)]
            routed = await client.call_tool("route", {"region": "Zürich"})
            assert routed.structured_content == {"result": "Zürich"}
            assert (await client.read_resource("file:///secret.txt")).contents
            assert (await client.get_prompt("hello", {"name": "Ada"})).messages
            with pytest.raises(MCPError):
                await client.get_prompt("no-such-prompt")
