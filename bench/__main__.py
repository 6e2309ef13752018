"""``python -m bench``: start the programs, measure in turn, print tables."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import catalogue, processes, scale
from bench.load import CONNECTIONS, Comparison, compare
from bench.operations import (
    HANDSHAKE,
    MODERN,
    Prepare,
    call,
    call_in_session,
    call_openly,
    introspection,
    login,
    refresh,
    registration,
    url_login,
)


@dataclass(frozen=True)
class Row:
    """An operation to compare with the bare handler."""

    name: str
    server: str
    """``MCP_SERVER`` of ours, or `_SDK` or `_SDK_SESSIONS` for another server altogether."""
    prepare: Prepare
    target: float | None = None
    """The least ratio that is good enough."""


_TOOLS, _LOWLEVEL, _COMFORTABLE = "server.tools:build", "bench.echo:lowlevel", "bench.echo:comfortable"
_SDK = "the SDK's own server"
_SDK_SESSIONS = "the SDK's with sessions"
_ERAS = (MODERN, HANDSHAKE)
_ECHO = ("echo", {"text": "hello"})

ROWS = (
    Row("registration", _TOOLS, registration, 0.15),
    Row("login", _TOOLS, login, 0.04),
    Row("refresh", _TOOLS, refresh, 0.15),
    Row("introspection", _TOOLS, introspection, 0.20),
    *(
        Row(f"call {era} {name}", server, call(era, tool, arguments), target)
        for name, server, tool, arguments, target in (
            ("echo", _LOWLEVEL, "echo", {"text": "hello"}, 0.25),
            ("MCPServer echo", _COMFORTABLE, "echo", {"text": "hello"}, None),
            ("att-plans-list", _TOOLS, "att-plans-list", {"productType": "prepaid"}, None),
        )
        for era in _ERAS
    ),
    *(Row(f"{_SDK} {era}", _SDK, call_openly(era, "echo", {"text": "hello"})) for era in _ERAS),
    Row("call in a session echo", _LOWLEVEL, call_in_session(*_ECHO)),
    Row("call in a session MCPServer echo", _COMFORTABLE, call_in_session(*_ECHO)),
    Row(_SDK_SESSIONS, _SDK_SESSIONS, call_in_session(*_ECHO, "any")),
)
SCALES = ("memory", "start", "purge")


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for and print it."""
    arguments = _parser().parse_args(argv)
    processes.pin(0, processes.cores()[1])
    with tempfile.TemporaryDirectory(prefix="att-bench-", dir=arguments.directory) as name:
        _measure(arguments, Path(name))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure against a bare aiohttp handler.")
    parser.add_argument("only", nargs="*", help="parts of the names of what to measure; by default everything")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, the rows and the certainty")
    parser.add_argument("--rounds", type=int, help="rounds of each operation")
    parser.add_argument("--seconds", type=float, default=0.5, help="seconds of a round")
    parser.add_argument("--rows", type=int, help="access tokens for memory and purge; ten times as many for the start")
    parser.add_argument(
        "--directory",
        default="/var/tmp",  # noqa: S108 - a random name of mode 0700 is made in it
        help="where the databases go; a real disk (default: %(default)s)",
    )
    return parser


def _measure(arguments: argparse.Namespace, folder: Path) -> None:
    wanted = _chooser(arguments.only)
    rounds = arguments.rounds or (2 if arguments.quick else 10)
    rows = arguments.rows or (10_000 if arguments.quick else 100_000)
    print(f"{CONNECTIONS} connections; server on core {processes.cores()[0]}, client on {processes.cores()[1]}")
    if os.getloadavg()[0] > 1:
        print(f"Other programs are at work (load {os.getloadavg()[0]:.1f}): trust the ratios by cpu, and run it again.")
    print(
        f"{'':34}{'per s':>8}{'ratio':>8}{'target':>8}{'by cpu':>8}{'p50 ms':>8}{'p99 ms':>8}{'busy':>6}"
        f"{'to GET':>8}{'GETs':>8}"
    )
    with ExitStack() as running:
        bare = running.enter_context(processes.bare(folder / "bare"))
        origin = f"http://127.0.0.1:{bare.port}"
        servers: dict[str, processes.Child] = {}
        rows_now = (*ROWS, Row("login of a URL client", _TOOLS, url_login(bare.port), 0.04))
        for row in filter(lambda row: wanted(row.name), rows_now):
            if row.server not in servers:
                servers[row.server] = running.enter_context(_start(row.server, folder / str(len(servers)), origin))
            _print(row, compare(servers[row.server], bare, row.prepare, rounds, arguments.seconds))
        for name, child in servers.items():
            print(f"memory of {name} after this: {child.memory()[0]:.0f} MB")
    _measure_scale(wanted, folder, rows, arguments.seconds, 1 if arguments.quick else 5)


def _start(server: str, folder: Path, origin: str) -> AbstractContextManager[processes.Child]:
    if server in {_SDK, _SDK_SESSIONS}:
        return processes.sdk(folder, "sessions" if server == _SDK_SESSIONS else "stateless")
    return processes.server(folder, MCP_SERVER=server, OAUTH_CIMD_DEV_ORIGINS=origin)


def _measure_scale(wanted: Callable[[str], bool], folder: Path, rows: int, seconds: float, times: int) -> None:
    figures = []
    if wanted("memory"):
        figures += scale.memory(folder / "memory", rows, seconds * 2)
    if wanted("start"):
        figures += scale.start(folder / "start", rows * 10, times)
    if wanted("purge"):
        figures += scale.purge(folder / "purge", rows)
    if wanted("catalogue"):
        figures += catalogue.catalogue(folder / "catalogue", rows // 2)
    for one in figures:
        target = "" if one.target is None else f"< {one.target:g}"
        print(f"{one.name:34}{one.value:8.2f} {one.unit:3}{target:>9}  {one.note}")


def _chooser(parts: Sequence[str]) -> Callable[[str], bool]:
    return lambda name: not parts or any(part in name for part in parts)


def _print(row: Row, made: Comparison) -> None:
    target = "" if row.target is None else f"{row.target:.2f}"
    print(
        f"{row.name:34}{made.rate:8.0f}{made.ratio:8.3f}{target:>8}{made.cpu_ratio:8.3f}"
        f"{made.percentile(50):8.2f}{made.percentile(99):8.2f}{made.busy:6.2f}"
        f"{made.ratio_to_get:8.3f}{made.get_rate:8.0f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
