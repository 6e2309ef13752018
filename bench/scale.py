"""What grows with what is stored: memory, the time to start, and what requests notice of the purge."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from bench import load, processes
from bench.operations import MODERN, Operation, call, introspection, refresh, registration, tool_call
from bench.populate import populate
from bench.wire import Connection, expect
from server.app import system_clock

PACE = 0.002
"""Seconds between the requests while the purge is watched."""
_DAY = 86_400
_MIXTURE = (refresh, registration, introspection, call(MODERN, "att-plans-list", {}))


@dataclass(frozen=True)
class Figure:
    """One measured value against its target."""

    name: str
    value: float
    unit: str
    target: float | None = None
    note: str = ""


def start(folder: Path, count: int, times: int) -> list[Figure]:
    """Measure from exec to the first answer, which is that of an authenticated call."""
    now = system_clock()
    public = "http://localhost:8000"
    token = populate(folder / "server.db", count, f"{public}/mcp", now, now + 3_600)
    taken, cpu = [], []
    for _ in range(times):
        began = time.perf_counter()
        with processes.server(folder, SERVER_URL=public) as child:
            text = tool_call(child.port, token, MODERN, "att-plans-list", {"productType": "prepaid"})
            child.wait_until_up()
            with closing(Connection(child.port)) as connection:
                connection.run(expect(200, text))
            taken.append(time.perf_counter() - began)
            cpu.append(child.cpu_seconds())
    imports = [_import_seconds(folder) for _ in range(times)]
    return [
        Figure("start with stored tokens", median(taken), "s", 1.5, f"{count:,} tokens; slowest {max(taken):.2f} s"),
        Figure("  of which processor time", median(cpu), "s"),
        Figure("  of which imports", median(imports), "s"),
    ]


def _import_seconds(folder: Path) -> float:
    """Measure a fresh interpreter that imports all that ``serve`` does."""
    began = time.perf_counter()
    with processes.running(["-c", "import server.__main__, server.tools, uvloop"], 0, folder, {}) as child:
        child.wait()
    return time.perf_counter() - began


def memory(folder: Path, count: int, seconds: float) -> list[Figure]:
    """Measure the resident memory of a server that stores these tokens and has been at work."""
    now = system_clock()
    populate(folder / "server.db", count, "http://localhost:8000/mcp", now, now + 3_600)
    with processes.server(folder) as child:
        for prepare in _MIXTURE:
            with load.prepared(child, prepare) as workers:
                load.load(child, workers, seconds)
        used, most = child.memory()
    return [Figure("memory with stored tokens", used, "MB", 120, f"{count:,} tokens; at most {most:.0f} MB")]


def purge(folder: Path, count: int) -> list[Figure]:
    """Measure requests while rows that are over are removed, and the same requests for as long afterwards."""
    now = system_clock()
    populate(folder / "server.db", count, "http://localhost:8000/mcp", now, now - 2 * _DAY)
    with ExitStack() as closing_all:
        child = closing_all.enter_context(processes.server(folder))
        child.wait_until_up()
        log = closing_all.enter_context((folder / "log").open("rb"))
        connection = closing_all.enter_context(closing(Connection(child.port)))
        began = time.perf_counter()
        operations = [connection.run(prepare(child.port)) for prepare in _MIXTURE]
        during = list(_paced(connection, operations, lambda: b" Purged " in log.read()))
        taken = time.perf_counter() - began
        until = time.perf_counter() + taken
        after = list(_paced(connection, operations, lambda: time.perf_counter() > until))
    return [
        Figure("slowest request during a purge", max(during), "ms", 50, f"{count:,} tokens in {taken:.1f} s"),
        Figure("  99th percentile", _p99(during), "ms"),
        Figure("slowest for as long without", max(after), "ms"),
        Figure("  99th percentile", _p99(after), "ms"),
    ]


def _paced(connection: Connection, operations: Sequence[Operation], over: Callable[[], bool]) -> Iterator[float]:
    """Run the operations in turn, once at least and far below what the server can do; gives each one's milliseconds."""
    while True:
        for operation in operations:
            began = time.perf_counter()
            connection.run(operation())
            yield (time.perf_counter() - began) * 1000
            time.sleep(PACE)
        if over():
            return


def _p99(latencies: Sequence[float]) -> float:
    return quantiles(latencies, n=100, method="inclusive")[98]
