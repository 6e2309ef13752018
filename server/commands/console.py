"""What every command needs: a parser that shows no secret, an open store, and output as text or JSON."""

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeAlias, TypeVar

from server.app import system_clock
from server.oauth.audit import OPERATOR, Event, Kind
from server.settings import Settings
from server.storage.database import Database, open_database

T = TypeVar("T")

_SECRET = re.compile(r"att_(?:ac|at|rt|cs|rg|iv)_\S*")
_WIDEST = 60


class CommandError(Exception):
    """A command could not do what it was asked; the message is one line. Exit status 1."""


class UsageError(Exception):
    """A command was asked for something that makes no sense; the message is one line. Exit status 2."""


def hidden(text: str) -> str:
    """Give a text without the codes, tokens and secrets that may be in it."""
    return _SECRET.sub("(hidden)", text)


class Parser(argparse.ArgumentParser):
    """A parser whose errors do not repeat a secret that was pasted into the wrong place."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit with status 2."""
        super().error(hidden(message))


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 - it has no public name
"""What takes commands."""


def add_group(commands: Commands, name: str, summary: str) -> Commands:
    """Add a command that has commands of its own, and give what takes those."""
    group = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    return group.add_subparsers(title="commands", metavar="COMMAND", required=True)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option by which a program reads the output."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def with_store(settings: Settings, work: Callable[[Database, int], Awaitable[T]]) -> T:
    """Open the database, do one piece of work in it, and give its result.

    Args:
        settings: Say where the database is.
        work: Gets the store and the time in Unix seconds.

    Raises:
        MigrationError: The database cannot be used.
        StoreUnavailable: It cannot be read or written just now.
    """

    async def run() -> T:
        now = system_clock()
        async with open_database(settings.database_path, now) as store:
            return await work(store, now)

    return asyncio.run(run())


def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Do what may go on for ever: Ctrl-C, or a reader that has gone, is a good end."""
    with suppress(KeyboardInterrupt):
        try:
            asyncio.run(work)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def operator_event(
    settings: Settings,
    now: int,
    kind: Kind,
    detail: str | None = None,
    *,
    client_id: str | None = None,
    user_id: str | None = None,
    grant_id: str | None = None,
) -> Event | None:
    """Say what the operator did; ``None`` when no audit log is kept."""
    if not settings.audit_retention_days:
        return None
    return Event(now, kind, client_id, user_id, OPERATOR, grant_id, detail)


def row_event(settings: Settings, now: int, kind: Kind, row: Mapping[str, Any]) -> Event | None:
    """Say what the operator did to a listed client, grant or token, as `operator_event` does."""
    about = {name: row.get(name) for name in ("client_id", "user_id", "grant_id")}
    return operator_event(settings, now, kind, row.get("client_name"), **about)


def show(content: Mapping[str, object], *, as_json: bool) -> None:
    """Print one thing: as JSON, or a line for each of its fields."""
    if as_json:
        print(json.dumps(content))  # noqa: T201 - the command's output
        return
    for name, value in content.items():
        print(f"{name.replace('_', ' ')}: {_text(value)}")  # noqa: T201 - the command's output


def show_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a listing: as a JSON array with all that is known, or as a table of these columns."""
    if as_json:
        print(json.dumps(rows))  # noqa: T201 - the command's output
        return
    lines = [[name.replace("_", " ") for name in columns]]
    lines += [[_cell(row[name]) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())  # noqa: T201 - the command's output


def _text(value: object) -> str:
    """Write a value on one line; clients name themselves, so nothing that steers a terminal gets through."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return printable("-" if value is None else str(value))


def moment(seconds: int) -> str:
    """Write a time as every listing does, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def printable(text: str) -> str:
    """Keep out of a terminal what steers it: a text from elsewhere may hold anything."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _cell(value: object) -> str:
    text = _text(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
