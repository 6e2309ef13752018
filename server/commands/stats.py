"""``stats``: count what is live, once or again and again."""

import argparse
import asyncio
import dataclasses
import re
import sys

from server.app import system_clock
from server.commands.console import Commands, show, until_stopped, with_store
from server.settings import Settings
from server.storage.database import open_database
from server.storage.extent import extent

_EVERY = 2.0
"""Seconds between two looks, unless another number is asked for."""

_UNITS = ("bytes", "kB", "MB", "GB")
_CLEAR = "\x1b[H\x1b[2J"


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("stats", help="count what is live", description="Count what is live.")
    parser.add_argument(
        "--watch",
        metavar="SECONDS",
        nargs="?",
        type=_seconds,
        const=_EVERY,
        help=f"look again every so many seconds ({_EVERY:g} by default), until Ctrl-C; show what is on the disk too",
    )
    parser.add_argument("--json", action="store_true", help="print JSON: one object, or with --watch one a line")
    parser.set_defaults(command=_stats)


def _stats(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.watch is None:
        counts = with_store(settings, lambda store, now: store.count_live(now))
        show(dataclasses.asdict(counts), as_json=arguments.json)
        return 0
    until_stopped(_watch(settings, arguments.watch, as_json=arguments.json))
    return 0


async def _watch(settings: Settings, pause: float, *, as_json: bool) -> None:
    between = "" if as_json else _CLEAR if sys.stdout.isatty() else "\n"
    async with open_database(settings.database_path, system_clock()) as store:
        while True:
            now = system_clock()
            counts = await store.gauges(now)
            size = extent(settings.database_path)._asdict()
            sizes = size if as_json else {name: _readable(count) for name, count in size.items()}
            sys.stdout.write(between)
            show({**counts, **sizes}, as_json=as_json)
            sys.stdout.flush()
            await asyncio.sleep(pause)


def _readable(size: int) -> str:
    """Write a number of bytes with the unit that leaves it short."""
    thousands = min((len(str(size)) - 1) // 3, len(_UNITS) - 1)
    return f"{size / 1000**thousands:.{min(thousands, 1)}f} {_UNITS[thousands]}"


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) or not float(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return float(text)
