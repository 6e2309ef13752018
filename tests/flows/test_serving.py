"""The process: how it ends, how two of them share a database, and what becomes of it when the database is not there."""

import asyncio
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from tests.browser import Answer
from tests.flows.child import Child, connected
from tests.transport.rig import ENVELOPE

SLOW = """
import anyio
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("slow")

@server.tool()
async def wait(seconds: float, ctx: Context, tell: bool = False) -> str:
    if tell:
        await ctx.report_progress(1, 2)
    await anyio.sleep(seconds)
    return "done"
"""


def call(seconds: float, meta: object = None, *, tell: bool = False) -> dict[str, object]:
    arguments = {"seconds": seconds, "tell": tell}
    params = {"name": "wait", "arguments": arguments, "_meta": meta or {"progressToken": "p"}}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


CHANGES = (
    "DELETE FROM access_tokens",
    "DELETE FROM grants",
    "DELETE FROM clients",
    "DELETE FROM users",
    "UPDATE users SET disabled_at = 1",
    "UPDATE grants SET revoked_at = 1",
    "UPDATE access_tokens SET expires_at = 1",
)
"""What an operator types."""

HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
MODERN = {**HEADERS, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "wait"}


@pytest.mark.parametrize("tell", [False, True], ids=["plain answer", "open event stream"])
async def test_sigterm_lets_a_running_request_finish_and_exits_0(tmp_path: Path, *, tell: bool) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    child = Child(tmp_path, environment={"OAUTH_ENABLED": "false", "MCP_SERVER": "slow:server"})
    async with connected(child) as live:
        asked = asyncio.create_task(live.send("POST", "/mcp", json=call(1.5, tell=tell), headers=HEADERS))
        await asyncio.sleep(0.7)
        assert await child.stop() == 0
        answer = await asked
        assert answer.status == 200
        assert "done" in answer.text
        assert ("event-stream" in answer.headers["Content-Type"]) is tell


async def test_sigterm_gives_requests_ten_seconds_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    child = Child(tmp_path, environment={"OAUTH_ENABLED": "false", "MCP_SERVER": "slow:server"})
    async with connected(child) as live:
        asked = [
            asyncio.create_task(live.send("POST", "/mcp", json=message, headers=headers))
            for seconds in (7, 60)
            for message, headers in ((call(seconds), HEADERS), (call(seconds, ENVELOPE), MODERN))
        ]
        await asyncio.sleep(0.7)
        began = time.monotonic()
        assert await child.stop() == 0
        assert 9 < time.monotonic() - began < 15
        *in_time, late, also_late = await asyncio.gather(*asked, return_exceptions=True)
    assert ["done" in answer.text for answer in in_time if isinstance(answer, Answer)] == [True, True]
    assert isinstance(late, aiohttp.ClientError)
    assert isinstance(also_late, aiohttp.ClientError)
    assert "Traceback" not in child.log


async def test_a_port_in_use_is_one_line_and_exit_1(tmp_path: Path) -> None:
    first = Child(tmp_path / "first")
    async with connected(first):
        second = Child(tmp_path / "second", port=first.port, environment={"LOG_LEVEL": "ERROR"})
        second.spawn()
        assert await second.wait() == 1
        assert len(second.log.splitlines()) == 1
        assert f"PORT={first.port}" in second.log


async def test_two_servers_share_a_database(tmp_path: Path) -> None:
    one = Child(tmp_path)
    same = {"SERVER_URL": one.url, "DATABASE_URL": f"sqlite:///{one.database}"}
    async with connected(one) as here, connected(Child(tmp_path / "two", environment=same)) as there:
        app = await here.register()
        issued = await here.log_in(app)
        assert await there.is_active(app, issued["access_token"])
        assert (await there.post("/revoke", app, token=issued["refresh_token"])).status == 200
        assert not await here.is_active(app, issued["access_token"])


async def test_a_database_locked_for_long_is_a_503_that_changes_nothing(tmp_path: Path) -> None:
    async with connected(Child(tmp_path)) as live:
        app = await live.register()
        with closing(sqlite3.connect(live.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            refused = await live.send("POST", "/register", json={"redirect_uris": ["https://a.example/cb"]})
            assert refused.status == 503
            assert int(refused.headers["Retry-After"]) > 0
            assert not await live.is_active(app, "reading goes on")
            other.execute("ROLLBACK")
        await asyncio.sleep(0.3)
        assert live.sql("SELECT count(*) FROM clients") == [(1,)]
        await live.log_in(app)


async def test_readiness_follows_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    async with connected(Child(tmp_path)) as live:
        live.database.chmod(0o400)
        assert (await live.send("GET", "/health/ready")).status == 503
        assert (await live.send("GET", "/health")).status == 200
        live.database.chmod(0o600)
        assert (await live.send("GET", "/health/ready")).status == 200


async def test_a_change_in_the_sqlite3_shell_holds_at_the_next_request(tmp_path: Path) -> None:
    async with connected(Child(tmp_path)) as live:
        for statement in CHANGES:
            live.sql("UPDATE users SET disabled_at = NULL")
            issued = await live.log_in(await live.register())
            headers = {**HEADERS, "Authorization": f"Bearer {issued['access_token']}"}
            listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            assert (await live.send("POST", "/mcp", json=listing, headers=headers)).status == 200
            try:
                shell = ["sqlite3", "-cmd", ".timeout 5000", str(live.database), statement]
                await asyncio.to_thread(subprocess.run, shell, check=True, timeout=30, capture_output=True)
            except FileNotFoundError:
                live.sql(statement)
            assert (await live.send("POST", "/mcp", json=listing, headers=headers)).status == 401, statement
