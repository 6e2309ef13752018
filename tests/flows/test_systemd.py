"""As a service of systemd: it says when it is ready and that it is alive, and serves on sockets that it is handed."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.flows.child import ROOT, Child, connected

STUCK = """
import time
from mcp.server.mcpserver import MCPServer

server = MCPServer("stuck")

@server.tool()
async def stick(seconds: float) -> str:
    time.sleep(seconds)
    return "done"
"""
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "stick", "arguments": {"seconds": 1.5}}}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


class Listener:
    """The service manager's end of ``NOTIFY_SOCKET``."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.socket.setblocking(False)  # noqa: FBT003 - the method's own form
        self.heard: list[str] = []

    async def until(self, line: str, seconds: float = 30) -> None:
        """Listen until a message holds a line."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(seconds):
            while not self.heard or line not in self.heard[-1].splitlines():
                self.heard.append((await loop.sock_recv(self.socket, 4096)).decode())

    async def during(self, seconds: float) -> list[str]:
        """Give what comes in so many seconds."""
        before = len(self.heard)
        with suppress(TimeoutError):
            await self.until("nothing says this", seconds)
        return self.heard[before:]


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(str(tmp_path / "notify") if request.param == "path" else f"@att-mcp-server-{os.getpid()}")
    with closing(listener.socket):
        yield listener


def told(manager: Listener, folder: Path, **variables: str) -> Child:
    """Give a server that tells a manager."""
    return Child(folder, environment={"NOTIFY_SOCKET": manager.address, **variables})


async def test_it_is_ready_once_the_database_is_migrated_and_the_socket_answers(
    tmp_path: Path, manager: Listener
) -> None:
    child = told(manager, tmp_path)
    with closing(sqlite3.connect(child.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        child.spawn()
        try:
            await manager.until("EXTEND_TIMEOUT_USEC=30000000")
            assert not any("READY=1" in message for message in await manager.during(1))
            other.execute("ROLLBACK")
            await manager.until("READY=1")
            with socket.create_connection(("127.0.0.1", child.port), timeout=0.5):
                assert other.execute("SELECT count(*) > 5 FROM schema_migrations").fetchone() == (1,)
            assert f"STATUS=Serving {child.url}" in manager.heard[-1]
            assert await child.stop() == 0
            await manager.until("STOPPING=1")
        finally:
            await child.kill()


@pytest.mark.parametrize("manager", ["path"], indirect=True)
async def test_a_loop_that_is_stuck_gives_no_sign_of_life(tmp_path: Path, manager: Listener) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    stuck = {"OAUTH_ENABLED": "false", "MCP_SERVER": "stuck:server", "WATCHDOG_USEC": "400000"}
    async with connected(told(manager, tmp_path, **stuck)) as live:
        await manager.until("READY=1")
        alive = await manager.during(2)
        assert 5 <= alive.count("WATCHDOG=1") <= 11
        asked = asyncio.create_task(live.send("POST", "/mcp", json=CALL, headers=HEADERS))
        await asyncio.sleep(0.3)
        await manager.during(0.01)
        assert await manager.during(0.9) == []
        assert (await asked).status == 200
        await manager.until("WATCHDOG=1")


@pytest.mark.parametrize("manager", ["path"], indirect=True)
async def test_a_watchdog_that_waits_for_another_process_hears_nothing(tmp_path: Path, manager: Listener) -> None:
    child = told(manager, tmp_path, WATCHDOG_USEC="100000", WATCHDOG_PID="1")
    async with connected(child):
        assert "WATCHDOG=1" not in await manager.during(0.5)


async def test_a_manager_that_is_gone_disturbs_nothing(tmp_path: Path) -> None:
    child = Child(tmp_path, environment={"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "100000"})
    async with connected(child) as live:
        assert (await live.send("GET", "/health/ready")).status == 200
    assert "could not be told READY=1" in child.log


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


async def test_it_serves_on_each_socket_that_it_is_handed_and_on_no_other(tmp_path: Path) -> None:
    with closing(listening()) as one, closing(listening()) as other:
        elsewhere = Child(tmp_path).port
        child = Child(
            tmp_path,
            port=one.getsockname()[1],
            passed=(one, other),
            environment={"LISTEN_FDNAMES": "http:more", "PORT": str(elsewhere)},
        )
        async with connected(child) as live:
            again = f"http://127.0.0.1:{other.getsockname()[1]}/health"
            assert (await live.send("GET", again)).status == 200
            with closing(socket.socket()) as probe:
                assert probe.connect_ex(("127.0.0.1", elsewhere)) != 0
    assert "on the socket http that was handed over, the socket more that was handed over" in child.log


async def test_sockets_handed_to_another_process_are_none_of_ours(tmp_path: Path) -> None:
    async with connected(Child(tmp_path, environment={"LISTEN_PID": "1", "LISTEN_FDS": "7"})) as live:
        assert (await live.send("GET", "/health")).status == 200


async def test_whoever_connects_during_a_restart_is_answered_after_it(tmp_path: Path) -> None:
    with closing(listening()) as held:
        child = Child(tmp_path, port=held.getsockname()[1], passed=(held,))
        async with connected(child) as live:
            assert await child.stop() == 0
            asked = [asyncio.create_task(live.send("GET", "/health/ready")) for _ in range(20)]
            await asyncio.sleep(0.5)
            assert not any(one.done() for one in asked)
            child.spawn()
            assert [answer.status for answer in await asyncio.gather(*asked)] == [200] * 20


async def test_a_connection_without_a_request_gets_its_answer_from_a_server_that_is_stopping(tmp_path: Path) -> None:
    child = Child(tmp_path)
    async with connected(child):
        reader, writer = await asyncio.open_connection("127.0.0.1", child.port)
        await asyncio.sleep(0.2)
        stopped = asyncio.create_task(child.stop())
        await asyncio.sleep(0.15)
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nConnection: close\r\n" in answer
        writer.close()
        assert await stopped == 0


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["datagrams", "not listening"])
async def test_a_socket_that_cannot_be_served_on_is_one_line_and_exit_1(
    tmp_path: Path, kind: socket.SocketKind
) -> None:
    with closing(socket.socket(socket.AF_INET, kind)) as useless:
        useless.bind(("127.0.0.1", 0))
        child = Child(tmp_path, passed=(useless,), environment={"LOG_LEVEL": "ERROR", "LISTEN_FDNAMES": "odd"})
        child.spawn()
        assert await child.wait() == 1
    assert child.log == "att-mcp-server: descriptor 3 (odd) does not listen; the unit takes ListenStream=\n"


def test_a_descriptor_that_is_not_open_is_one_line(tmp_path: Path) -> None:
    lie = "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); from server.cli import main; sys.exit(main())"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LISTEN_FDS": "1"}
    command = [sys.executable, "-c", lie]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "att-mcp-server: descriptor 3 (unknown) is no socket: Bad file descriptor\n"


@pytest.mark.parametrize("manager", ["path"], indirect=True)
async def test_sighup_reads_the_log_level_anew(tmp_path: Path, manager: Listener) -> None:
    child = told(manager, tmp_path)
    async with connected(child) as live:
        await manager.until("READY=1")
        for level, shown in (("debug", True), ("warning", False), ("loud", False)):
            (tmp_path / ".env").write_text(f"LOG_LEVEL={level}\n")
            before = len(child.log)
            manager.heard.clear()
            assert child.process is not None
            child.process.send_signal(signal.SIGHUP)
            await manager.until("READY=1")
            assert manager.heard[0].startswith("RELOADING=1\nMONOTONIC_USEC=")
            assert (await live.send("GET", "/health/ready")).status == 200
            assert ("GET /health/ready 200" in child.log[before:]) is shown
        assert "The log level stays: LOG_LEVEL='LOUD': it takes DEBUG" in child.log
