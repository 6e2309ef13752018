"""Many open streams in one process: what they cost, how soon they hear, and whom a slow one harms.

``STREAMS`` says how many; `make streams` opens 2,000 and prints the figures.
"""

import asyncio
import os
import resource
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.flows.child import Child, connected
from tests.transport.visit import Stream, Visit

STREAMS = int(os.environ.get("STREAMS", "200"))
DELIVERY = 1.0
"""Seconds from the sending of a notification in which each stream has it."""
AT_ONCE = 50
TALKATIVE = {"MCP_SERVER": "tests.transport.talkative:build", "OAUTH_ENABLED": "false", "LOG_LEVEL": "WARNING"}


FEW_FILES = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
sys.argv = ["server", "serve"]
runpy.run_module("server", run_name="__main__")
"""


@pytest.fixture(autouse=True)
def _enough_files() -> None:
    """Let this process and the server that it starts open a connection for each stream."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = STREAMS * 2 + 500
    if soft < wanted <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def memory(child: Child) -> float:
    """Give the resident memory of a server in KB, or nothing where the system does not tell."""
    assert child.process is not None
    status = Path(f"/proc/{child.process.pid}/status")
    if not status.exists():
        return 0
    return float(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmRSS")))


@dataclass
class Crowd:
    """Clients that each have a session and read its standing stream."""

    child: Child
    http: aiohttp.ClientSession
    visits: list[Visit] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    costs: tuple[float, float] = (0, 0)
    """KB of memory for each session, and for each stream."""

    async def gather(self, size: int, stack: AsyncExitStack) -> None:
        """Open the sessions, and then the streams."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def visit() -> None:
            async with turn:
                visit = await Visit(self.http, f"{self.child.url}/mcp").open()
                assert await visit.text("listen") == "listening"
                self.visits.append(visit)

        async def read(visit: Visit) -> None:
            async with turn:
                stream = await stack.enter_async_context(visit.send("GET"))
                first = await stream.next()
                assert first is not None
                self.streams.append(stream)

        begun = memory(self.child)
        await asyncio.gather(*(visit() for _ in range(size)))
        opened = memory(self.child)
        await asyncio.gather(*map(read, self.visits))
        self.costs = (opened - begun) / size, (memory(self.child) - opened) / size


@asynccontextmanager
async def crowd(folder: Path, size: int) -> AsyncIterator[Crowd]:
    """Start a server, and open that many standing streams to it."""
    child = Child(folder, environment=TALKATIVE)
    async with connected(child), AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(None)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))
        made = Crowd(child, http)
        await made.gather(size, stack)
        yield made


async def heard(stream: Stream) -> float:
    """Wait for the next message and give the time."""
    assert "method" in await stream.message()
    return time.perf_counter()


@pytest.mark.timeout(600)
async def test_each_of_many_streams_hears_a_notification_within_a_second(tmp_path: Path) -> None:
    async with crowd(tmp_path, STREAMS) as made:
        speaker = await Visit(made.http, f"{made.child.url}/mcp").open()
        delays = []
        for _ in range(5):
            listening = asyncio.gather(*map(heard, made.streams))
            await asyncio.sleep(0)
            sent = time.perf_counter()
            assert await speaker.text("broadcast") == f"told {STREAMS}"
            delays.append(sorted(at - sent for at in await listening))
        slowest, median = [one[-1] for one in delays], [one[len(one) // 2] for one in delays]
        per_session, per_stream = made.costs
        report = (
            f"\n{STREAMS} streams: {per_session:.1f} KB a session, {per_stream:.1f} KB a stream; "
            f"{memory(made.child) / 1000:.0f} MB in all; "
            f"last delivery after {max(slowest) * 1000:.0f} ms (median {max(median) * 1000:.0f} ms), worst of 5\n"
        )
        sys.stderr.write(report)
        assert min(slowest) < DELIVERY, delays
        assert min([await _timed_call(speaker) for _ in range(5)]) < DELIVERY


async def _timed_call(visit: Visit) -> float:
    begun = time.perf_counter()
    assert await visit.text("listen") == "listening"
    return time.perf_counter() - begun


async def test_a_client_that_does_not_read_is_dropped_and_harms_nobody(tmp_path: Path) -> None:
    async with crowd(tmp_path, 20) as made:
        sleeper = await Visit(made.http, f"{made.child.url}/mcp").open()
        assert await sleeper.text("listen") == "listening"
        with _silent_reader(sleeper) as silent:
            speaker = await Visit(made.http, f"{made.child.url}/mcp").open()
            before = memory(made.child)
            times, text = 400, "x" * 20_000
            hearing = asyncio.gather(*(_count(stream, times) for stream in made.streams))
            assert await speaker.text("shout", text=text, times=times) == "shouted"
            await asyncio.wait_for(hearing, 60)
            assert await asyncio.to_thread(_is_reset, silent)
        assert await _timed_call(speaker) < 5
        assert await sleeper.text("tell", text="still here") == "told"
        assert memory(made.child) - before < 100_000


def _silent_reader(visit: Visit) -> socket.socket:
    """Open a standing stream and read nothing of it, through a window as small as there is."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    target = urlsplit(str(visit.url))
    connection.connect((target.hostname, target.port))
    lines = [f"GET {target.path} HTTP/1.1", f"Host: {target.netloc}"]
    lines += [f"{name}: {value}" for name, value in visit.headers.items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


async def _count(stream: Stream, times: int) -> None:
    for _ in range(times):
        await stream.message()


def _is_reset(connection: socket.socket) -> bool:
    """Read what is left; tell whether the other side hung up."""
    connection.settimeout(20)
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


async def test_a_slow_tool_delays_nobody(tmp_path: Path) -> None:
    async with crowd(tmp_path, 5) as made:
        first, second, *_ = made.visits
        waiting = asyncio.gather(*(one.text("wait", seconds=3) for one in (first, first, second)))
        for visit in (first, second):
            for _ in range(5):
                assert await visit.text("listen") == "listening"
        assert not waiting.done()
        assert await waiting == ["waited"] * 3


@pytest.mark.timeout(300)
async def test_sigterm_closes_every_stream_at_once(tmp_path: Path) -> None:
    async with crowd(tmp_path, STREAMS) as made:
        begun = time.perf_counter()
        ending = asyncio.gather(*(stream.rest() for stream in made.streams))
        stopping = asyncio.create_task(made.child.stop())
        assert await asyncio.wait_for(ending, 10) == [[]] * STREAMS
        sys.stderr.write(f"\n{STREAMS} streams closed {time.perf_counter() - begun:.2f} s after SIGTERM\n")
        assert await stopping == 0


def _open_files(pid: int) -> int:
    limits = Path(f"/proc/{pid}/limits").read_text()
    return int(next(line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")))


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="the system does not tell")
async def test_the_server_takes_more_file_descriptors_than_it_was_started_with(tmp_path: Path) -> None:
    child = Child(tmp_path, environment=TALKATIVE, command=("-c", FEW_FILES))
    async with connected(child):
        assert child.process is not None
        assert _open_files(child.process.pid) == min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
