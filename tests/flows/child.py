"""The server as a process of its own: started on a free port and an own directory, watched, killed, started again."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.support import Remote

ROOT = Path(__file__).parents[2]
SERVE = ("-m", "server", "serve")
PATIENCE = 60.0
"""Seconds in which a child must answer, however busy the machine."""

HAND_OVER = """
import os, sys
end = sys.argv.index("--")
spare = [os.dup(os.dup(int(number))) for number in sys.argv[1:end]]
for number, descriptor in enumerate(spare, 3):
    os.dup2(descriptor, number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(spare))}
os.execv(sys.executable, [sys.executable, *sys.argv[end + 1 :]])
"""
"""Does what systemd does between fork and exec: sd_listen_fds(3)."""


def free_port() -> int:
    """Find a port below those that the system hands out by itself, so that it stays free between two starts."""
    for _ in range(100):
        port = 20_000 + int.from_bytes(os.urandom(2)) % 12_000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port was found")


@dataclass
class Child:
    """A server process and where it is; it may be dead."""

    folder: Path
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    command: Sequence[str] = SERVE
    """What Python runs; a test that breaks the server on purpose gives a script."""
    ready: str = "/health"
    """What answers 200 once it serves."""
    passed: tuple[socket.socket, ...] = ()
    """Listening sockets that are handed over as systemd does."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / "server.db"

    @property
    def log(self) -> str:
        """All that it has written so far, over every start."""
        return (self.folder / "log").read_text()

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the process with an environment made from scratch, without rate limits, and do not wait for it."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PORT": str(self.port),
            "SERVER_URL": self.url,
            "DATABASE_URL": f"sqlite:///{self.database}",
            "RATE_LIMITS": "false",
            **self.environment,
        }
        descriptors = tuple(one.fileno() for one in self.passed)
        command = ("-c", HAND_OVER, *map(str, descriptors), "--", *self.command) if descriptors else self.command
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                pass_fds=descriptors,
            )
        return self.process

    async def start(self, http: aiohttp.ClientSession) -> None:
        """Start it and wait until it answers."""
        process = self.spawn()
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            assert process.poll() is None, self.log
            try:
                async with http.get(self.url + self.ready) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
        raise TimeoutError(self.log)

    async def wait(self, seconds: float = PATIENCE) -> int:
        """Wait until it has ended, and give its exit status."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, seconds)

    async def stop(self) -> int:
        """Ask it to end, and give its exit status."""
        assert self.process is not None
        self.process.terminate()
        return await self.wait()

    async def kill(self) -> None:
        """End it with SIGKILL, if it has not ended."""
        if self.process is not None:
            self.process.kill()
            await self.wait()

    def remote(self, http: aiohttp.ClientSession) -> Remote:
        """Give what can be done to it over HTTP and in its database."""
        return Remote(self.url, self.database, http)


@asynccontextmanager
async def connected(child: Child) -> AsyncIterator[Remote]:
    """Start a child and talk to it; it is killed when the block ends."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        try:
            await child.start(http)
            yield child.remote(http)
        finally:
            await child.kill()


async def command(child: Child, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the operator on a child's database."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"sqlite:///{child.database}",
    }
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "server", *arguments, "--json"],
        cwd=child.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
