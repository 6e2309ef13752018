"""``audit``: print the audit log, once or as it grows."""

import argparse
import asyncio
import dataclasses
import json
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from server.app import system_clock
from server.commands.console import Commands, moment, printable, until_stopped
from server.oauth.audit import Filter, Kind, Recorded
from server.settings import Settings
from server.storage.database import Database, open_database

LIMIT = 100
"""Events that are shown unless another number is asked for."""

_EVERY = 1.0
"""Seconds between looks at a log that is followed."""

_ANY_NUMBER = 2**63 - 1
_AGO = re.compile(r"([0-9]{1,9})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("audit", help="print the audit log", description="Print the audit log.")
    parser.set_defaults(command=_audit)
    parser.add_argument("--event", metavar="EVENT", choices=list(Kind), help=f"one of {', '.join(Kind)}")
    parser.add_argument("--client", metavar="ID", help="only of this client")
    parser.add_argument("--user", metavar="ID", help="only of this user")
    parser.add_argument("--grant", metavar="ID", help="only of this grant")
    parser.add_argument("--since", metavar="WHEN", type=_when, help="such as 30m, 24h, 7d, 2026-11-23 or a time (UTC)")
    parser.add_argument("--limit", metavar="N", type=_count, default=LIMIT, help="the newest N (default: %(default)s)")
    parser.add_argument("--follow", action="store_true", help="go on with what happens from now on, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print JSON: a list, or one object a line with --follow")


def _audit(settings: Settings, arguments: argparse.Namespace) -> int:
    until_stopped(_print(settings, arguments))
    return 0


async def _print(settings: Settings, arguments: argparse.Namespace) -> None:
    """Print events, oldest first."""
    now = system_clock()
    wanted = Filter(arguments.event, arguments.client, arguments.user, arguments.grant, _second(arguments.since, now))
    async with open_database(settings.database_path, now) as store:
        found, last = await store.list_events(wanted, 0, arguments.limit)
        if arguments.json and not arguments.follow:
            print(json.dumps([_fields(one) for one in found]))  # noqa: T201 - the command's output
            return
        _show(found, as_json=arguments.json)
        if arguments.follow:
            await _follow(store, wanted, last, as_json=arguments.json)


async def _follow(store: Database, wanted: Filter, last: int, *, as_json: bool) -> None:
    while True:
        await asyncio.sleep(_EVERY)
        found, last = await store.list_events(wanted, last, _ANY_NUMBER)
        _show(found, as_json=as_json)


def _show(found: Iterable[Recorded], *, as_json: bool) -> None:
    for one in found:
        print(json.dumps(_fields(one)) if as_json else _line(one))  # noqa: T201 - the command's output
    sys.stdout.flush()


def _fields(one: Recorded) -> dict[str, object]:
    return {"id": one.id, **dataclasses.asdict(one.event)}


def _line(one: Recorded) -> str:
    """Write an event for a terminal, which must not obey what a client calls itself."""
    event = one.event
    who = {"client": event.client_id, "user": event.user_id, "grant": event.grant_id, "from": event.address}
    named = (f"{name}={value}" for name, value in who.items() if value)
    return printable("  ".join(filter(None, (moment(event.time), event.event, *named, event.detail))))


def _when(text: str) -> datetime | timedelta:
    """Read a moment, or how long ago it was."""
    try:
        if match := _AGO.fullmatch(text):
            return timedelta(**{_UNITS[match[2]]: int(match[1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a time nor a span such as 24h") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _second(since: datetime | timedelta | None, now: int) -> int | None:
    if isinstance(since, timedelta):
        return now - int(since.total_seconds())
    return None if since is None else int(since.timestamp())


def _count(text: str) -> int:
    """Read a number of events."""
    if not text.isdecimal() or not 0 < int(text) < _ANY_NUMBER:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)
