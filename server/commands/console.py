"""What every command needs: a parser that shows no secret, an open store, and output as text or JSON."""

import argparse
import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

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


def operator_event(settings: Settings, now: int, kind: Kind, row: Mapping[str, Any]) -> Event | None:
    """Say what the operator did to a listed client, grant or token; ``None`` when no audit log is kept."""
    if not settings.audit_retention_days:
        return None
    about = {name: row.get(name) for name in ("client_id", "user_id", "grant_id")}
    return Event(now, kind, address=OPERATOR, detail=row.get("client_name"), **about)


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


def printable(text: str) -> str:
    """Keep out of a terminal what steers it: a text from elsewhere may hold anything."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _cell(value: object) -> str:
    text = _text(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
