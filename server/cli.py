"""The command line: thin commands over the rooms below. Exit status 0 good, 1 failed, 2 wrong usage."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

import server
from server import logs
from server.app import system_clock
from server.catalogue.editions import CatalogueError
from server.commands import audit, backup, catalog, clients, doctor, grants, keys, stats, tokens, users
from server.commands.console import CommandError, Parser, UsageError, add_json, hidden, operator_event, show, with_store
from server.oauth.audit import Kind
from server.oauth.store import StoreUnavailable
from server.sealing import SecretError
from server.serve import serve
from server.settings import Settings, SettingsError, load_settings
from server.storage.backup import BackupError, rehearse
from server.storage.database import Database
from server.storage.migrate import MigrationError, migrate
from server.storage.purge import in_words, purge
from server.systemd import SocketError
from server.transport.load import LoadError

log = logging.getLogger(__name__)

_FAILURES = (
    SettingsError,
    MigrationError,
    SecretError,
    StoreUnavailable,
    LoadError,
    CatalogueError,
    CommandError,
    UsageError,
    SocketError,
    BackupError,
    OSError,
)
"""What a command may end with: its text is one line for whoever typed it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status.

    Args:
        argv: The arguments after the program's name; by default the process's own.
    """
    given = sys.argv[1:] if argv is None else argv
    parser = _parser()
    if any("\udc80" <= character <= "\udcff" for character in "".join(given)):
        parser.error("the arguments are not text in this locale's encoding")
    arguments = parser.parse_args(given)
    command: Callable[[Settings, argparse.Namespace], int] = arguments.command
    try:
        settings = load_settings()
        logs.set_up(settings)
        return command(settings, arguments)
    except _FAILURES as error:
        print(f"att-mcp-server: {hidden(str(error))}", file=sys.stderr)  # noqa: T201 - the command's one line of failure
        return 2 if isinstance(error, UsageError) else 1


def _parser() -> Parser:
    parser = Parser(
        prog="att-mcp-server",
        description="An OAuth 2.1 authorization server and MCP endpoint. Settings come from the environment and .env.",
    )
    parser.add_argument("--version", action="version", version=server.__version__)
    parser.set_defaults(command=_serve)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command, summary, listing in (
        ("serve", _serve, "apply migrations and serve (the default)", False),
        ("migrate", _migrate, "apply migrations and stop", True),
        ("purge", _purge, "remove expired rows once", True),
    ):
        sub = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        sub.set_defaults(command=command)
        if listing:
            add_json(sub)
        if command is _migrate:
            sub.add_argument("--dry-run", action="store_true", help="try it on a copy, and leave the database as it is")
    for group in (clients, grants, tokens, keys, users, audit, stats, backup, catalog, doctor):
        group.add_to(commands)
    return parser


def _serve(settings: Settings, _arguments: argparse.Namespace) -> int:
    return serve(settings)


def _migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.dry_run:
        missing = rehearse(settings.database_path, system_clock())
        show({"database": str(settings.database_path), "would_apply": list(missing)}, as_json=arguments.json)
        return 0
    applied = migrate(settings.database_path, system_clock())
    show({"database": str(settings.database_path), "applied": list(applied)}, as_json=arguments.json)
    return 0


def _purge(settings: Settings, arguments: argparse.Namespace) -> int:
    async def run(store: Database, now: int) -> dict[str, int]:
        removed = await purge(store.driver, now, settings.audit_retention_days)
        event = operator_event(settings, now, Kind.PURGED, in_words(removed))
        if event is not None and any(removed.values()):
            await store.add_events([event])
        return removed

    show(with_store(settings, run), as_json=arguments.json)
    return 0
