"""What grows with what is stored: memory, the time to start, and what requests notice of the purge."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import BinaryIO

from bench import load, processes, wire
from bench.operations import MODERN, Operation, call, introspection, refresh, registration, tool_call
from bench.populate import populate
from server.app import system_clock

PACE = 0.01
"""Seconds that each connection waits between requests while the purge is watched."""
_DAY = 86_400


@dataclass(frozen=True)
class Figure:
    """One measured value against its target."""

    name: str
    value: float
    unit: str
    target: float | None = None
    note: str = ""


async def start(folder: Path, count: int, times: int) -> list[Figure]:
    """Measure from exec to the first answer, which is that of an authenticated call."""
    now = system_clock()
    public = "http://localhost:8000"
    token = populate(folder / "server.db", count, f"{public}/mcp", now, now + 3_600)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        with processes.server(folder, SERVER_URL=public) as child:
            text = tool_call(child.port, token, MODERN, "att-plans-list", {"productType": "prepaid"})
            answer = await child.answered(text)
            taken.append(time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"the first call failed: {answer!r}")
    imports = [_import_seconds(folder) for _ in range(times)]
    return [
        Figure("start with stored tokens", median(taken), "s", 1.5, f"{count:,} tokens; slowest {max(taken):.2f} s"),
        Figure("  of which imports", median(imports), "s"),
    ]


def _import_seconds(folder: Path) -> float:
    """Measure a fresh interpreter that imports all that ``serve`` does."""
    began = time.perf_counter()
    with processes.running(["-c", "import server.cli, server.tools, uvloop"], 0, folder, {}) as child:
        child.wait()
    return time.perf_counter() - began


async def memory(folder: Path, count: int, seconds: float) -> list[Figure]:
    """Measure the resident memory of a server that stores these tokens and has been at work."""
    now = system_clock()
    populate(folder / "server.db", count, "http://localhost:8000/mcp", now, now + 3_600)
    with processes.server(folder) as child:
        for prepare in (call(MODERN, "att-plans-list", {}), refresh, introspection, registration):
            await load.run(child, prepare, seconds)
        now_used, most = child.memory()
    return [Figure("memory with stored tokens", now_used, "MB", 120, f"{count:,} tokens; at most {most:.0f} MB")]


async def purge(folder: Path, count: int) -> list[Figure]:
    """Measure requests while rows that are over are removed, and the same requests for as long afterwards."""
    now = system_clock()
    populate(folder / "server.db", count, "http://localhost:8000/mcp", now, now - 2 * _DAY)
    with ExitStack() as closing_all:
        child = closing_all.enter_context(processes.server(folder))
        await child.answered(wire.request("GET", "/health", child.port))
        log = closing_all.enter_context((folder / "log").open("rb"))
        began = time.perf_counter()
        watching = asyncio.create_task(_logged(log, b" Purged "))
        operations = await _mixture(child, closing_all)
        during = await _paced(operations, watching)
        seconds = time.perf_counter() - began
        after = await _paced(operations, asyncio.create_task(asyncio.sleep(seconds)))
    return [
        Figure("slowest request during a purge", max(during) * 1000, "ms", 50, f"{count:,} tokens in {seconds:.1f} s"),
        Figure("  99th percentile", _p99(during) * 1000, "ms"),
        Figure("slowest for as long without", max(after) * 1000, "ms"),
        Figure("  99th percentile", _p99(after) * 1000, "ms"),
    ]


async def _mixture(child: processes.Child, closing_all: ExitStack) -> list[Operation]:
    operations = []
    for prepare in (refresh, registration, introspection, call(MODERN, "att-plans-list", {})):
        connection = closing_all.enter_context(closing(await wire.connect(child.port)))
        operations.append(await prepare(connection, child.port))
    return operations


async def _logged(log: BinaryIO, words: bytes) -> None:
    """Wait until a log says something."""
    while words not in log.read():  # noqa: ASYNC110 - a file tells nobody that it has grown
        await asyncio.sleep(0.1)


async def _paced(operations: Sequence[Operation], until: asyncio.Task[None]) -> list[float]:
    """Run each operation now and then, far below what the server can do, until a task is done."""
    latencies = []

    async def work(operation: Operation) -> None:
        while not until.done():
            began = time.perf_counter()
            await operation()
            latencies.append(time.perf_counter() - began)
            await asyncio.sleep(PACE)

    await asyncio.gather(until, *map(work, operations))
    return latencies


def _p99(latencies: Sequence[float]) -> float:
    return quantiles(latencies, n=100, method="inclusive")[98]
