"""Choosing rows on the command line: by name, or by user, client and status."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from server.commands.console import UsageError, add_json
from server.storage.listings import Row, Selection

_TOGETHER = 200
"""Rows that are changed at once: they share a commit, and the server beside gets its turn between."""


def add_filters(parser: argparse.ArgumentParser, statuses: Sequence[str]) -> None:
    """Add the options that narrow a listing down, and ``--json``."""
    parser.add_argument("--user", metavar="USER", help="only those of this user: its id or exact name")
    parser.add_argument("--client", metavar="CLIENT", help="only those of this client: its id or exact name")
    parser.add_argument(
        "--status",
        type=lambda value: value.replace("-", " "),
        choices=statuses,
        metavar="STATUS",
        help="only those in this state: " + ", ".join(status.replace(" ", "-") for status in statuses),
    )
    add_json(parser)


def read(arguments: argparse.Namespace) -> Selection:
    """Give what the options select."""
    return Selection(client=arguments.client, user=arguments.user, status=arguments.status)


def require(arguments: argparse.Namespace, named: Sequence[str]) -> None:
    """Refuse to change everything that there is.

    Raises:
        UsageError: Nothing was named and nothing narrows it down.
    """
    if not named and read(arguments) == Selection():
        raise UsageError("say which: name them, or narrow them down by --user, --client or --status")


async def change(rows: Iterable[Row], act: Callable[[Row], Awaitable[bool]]) -> tuple[list[Row], list[Row]]:
    """Do something to each row, some at a time; gives those that it changed, and those that it did not."""
    changed: list[Row] = []
    unchanged: list[Row] = []
    rest = list(rows)
    while rest:
        some, rest = rest[:_TOGETHER], rest[_TOGETHER:]
        for row, done in zip(some, await asyncio.gather(*map(act, some)), strict=True):
            (changed if done else unchanged).append(row)
    return changed, unchanged
