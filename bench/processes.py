"""The programs under measurement: each a child process, on one core, with its own folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

from bench.wire import Connection

ROOT = Path(__file__).parent.parent
START_TIMEOUT = 30
"""Seconds."""


@cache
def cores() -> tuple[set[int], set[int]]:
    """Give the cores for the server and for the client: one each, or all for both where there is no choice."""
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        return set(), set()
    server, client, *_ = sorted(os.sched_getaffinity(0), reverse=True)
    return {server}, {client}


def pin(pid: int, chosen: set[int]) -> None:
    """Keep a process, 0 for this one, on these cores."""
    if chosen:
        os.sched_setaffinity(pid, chosen)


class Child:
    """A program that listens on a port of loopback."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        """Take over a running process."""
        self.pid = process.pid
        self.port = port
        self._process = process

    def wait(self) -> None:
        """Wait until it has ended by itself."""
        self._process.wait(timeout=START_TIMEOUT)

    def cpu_seconds(self) -> float:
        """Give the processor time used so far, by all threads; 0 where ``/proc`` does not tell."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def memory(self) -> tuple[float, float]:
        """Give the resident memory now and at its highest, in MB of 10^6 bytes; 0 where ``/proc`` does not tell."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0.0, 0.0
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if "kB" in line}
        return sizes["VmRSS"], sizes["VmHWM"]

    def wait_until_up(self) -> None:
        """Wait until it listens.

        Raises:
            RuntimeError: It has ended, or does not listen in time.
        """
        deadline = time.perf_counter() + START_TIMEOUT
        while time.perf_counter() < deadline and self._process.poll() is None:
            try:
                Connection(self.port).close()
            except ConnectionRefusedError:
                time.sleep(0.002)
            else:
                return
        raise RuntimeError(f"process {self.pid} does not listen")


@contextmanager
def running(command: list[str], port: int, folder: Path, environment: dict[str, str]) -> Iterator[Child]:
    """Run a Python program until the block ends; what it logs goes to a file in its folder."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **environment}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, *command], cwd=folder, env=environment, stdout=log, stderr=log)
        pin(process.pid, cores()[0])
        try:
            yield Child(process, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


@contextmanager
def bare(folder: Path) -> Iterator[Child]:
    """Run the bare handler."""
    port = _free_port()
    with running(["-m", "bench.bare", str(port)], port, folder, {}) as child:
        yield child


@contextmanager
def sdk(folder: Path, mode: Literal["stateless", "sessions"]) -> Iterator[Child]:
    """Run the SDK's own server."""
    port = _free_port()
    with running(["-m", "bench.sdk", str(port), mode], port, folder, {}) as child:
        yield child


@contextmanager
def server(folder: Path, **settings: str) -> Iterator[Child]:
    """Run ``serve`` with its default settings, save where it listens, its database, rate limits and those given."""
    port = _free_port()
    environment = {"PORT": str(port), "DATABASE_URL": database_url(folder), "RATE_LIMITS": "false", **settings}
    with running(["-m", "server", "serve"], port, folder, environment) as child:
        yield child


def database_url(folder: Path) -> str:
    """Give the setting that names the database in a folder."""
    return f"sqlite:///{folder / 'server.db'}"


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])
