"""``tokens list | revoke``: by id, by hint, or by the token itself, which is never shown or logged."""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from server.commands import selection
from server.commands.console import (
    CommandError,
    Commands,
    UsageError,
    add_group,
    row_event,
    show,
    show_table,
    with_store,
)
from server.commands.grants import REASON
from server.oauth import tokens
from server.oauth.audit import Kind
from server.settings import Settings
from server.storage.database import Database
from server.storage.listings import TOKEN_ID_LENGTH, TOKEN_STATUSES, Row, Selection

_COLUMNS = ("token_id", "kind", "hint", "client_name", "user_id", "scopes", "issued", "expires", "status")
_ID = re.compile(rf"[0-9a-f]{{{TOKEN_ID_LENGTH}}}")
_HINT = re.compile(rf"[0-9A-Za-z]{{{tokens.HINT_LENGTH}}}")


def add_to(commands: Commands) -> None:
    """Add the commands to the parser."""
    sub = add_group(commands, "tokens", "list and revoke access and refresh tokens")
    for name, command, description in (
        ("list", _list, "List access and refresh tokens, newest first."),
        ("revoke", _revoke, "Revoke tokens; a refresh token ends its whole grant."),
    ):
        parser = sub.add_parser(name, help=f"{name} tokens", description=description)
        parser.add_argument(
            "tokens",
            metavar="TOKEN",
            nargs="*",
            help="an id or a hint as the listing shows it, the token itself, or - to read tokens from standard input, "
            "one a line, which keeps them out of the shell's history",
        )
        selection.add_filters(parser, TOKEN_STATUSES)
        parser.set_defaults(command=command)


def _list(settings: Settings, arguments: argparse.Namespace) -> int:
    named = _named(arguments.tokens)
    rows = with_store(settings, lambda store, _: _chosen(store, selection.read(arguments), named))
    show_table(rows, _COLUMNS, as_json=arguments.json)
    return 0


def _revoke(settings: Settings, arguments: argparse.Namespace) -> int:
    selection.require(arguments, arguments.tokens)
    named = _named(arguments.tokens)

    async def work(store: Database, now: int) -> tuple[list[Row], list[Row]]:
        async def end(row: Row) -> bool:
            if row["kind"] == "refresh":
                event = row_event(settings, now, Kind.GRANT_REVOKED, row)
                return await store.revoke_grant(row["grant_id"], REASON, now, event)
            event = row_event(settings, now, Kind.ACCESS_TOKEN_REVOKED, row)
            return await store.revoke_access_token_by_id(row["token_id"], now, event)

        rows = await _chosen(store, selection.read(arguments), named)
        if named and len(rows) > len(named):
            raise CommandError("several tokens have that hint; name one by its id, which `tokens list` shows")
        return await selection.change(rows, end)

    revoked, over = with_store(settings, work)
    outcome = {"revoked": revoked, "over_already": over if named else []}
    show({name: [row["token_id"] for row in rows] for name, rows in outcome.items()}, as_json=arguments.json)
    return 0


def _named(arguments: Sequence[str]) -> list[Selection]:
    """Tell which token each argument means; a hyphen stands for the lines of standard input.

    Raises:
        UsageError: One of them is neither a token, nor an id, nor a hint. It is not repeated: it may be a secret.
    """
    named = []
    for text in _lines(arguments):
        if any(tokens.is_well_formed(kind, text) for kind in (tokens.ACCESS, tokens.REFRESH)):
            named.append(Selection(key=tokens.digest(text)[:TOKEN_ID_LENGTH]))
        elif _ID.fullmatch(text):
            named.append(Selection(key=text))
        elif _HINT.fullmatch(text):
            named.append(Selection(hint=text))
        else:
            raise UsageError("that is neither a whole access or refresh token, nor an id, nor a hint of one")
    return named


def _lines(arguments: Sequence[str]) -> Iterator[str]:
    for argument in arguments:
        if argument != "-":
            yield argument.strip()
            continue
        try:
            lines = [line.strip() for line in sys.stdin if line.strip()]
        except UnicodeDecodeError:
            raise UsageError("standard input is not text") from None
        if not lines:
            raise UsageError("there is no token on standard input")
        yield from lines


async def _chosen(store: Database, chosen: Selection, named: Sequence[Selection]) -> list[Row]:
    rows: list[Row] = []
    for one in named or [Selection()]:
        found = await store.list_tokens(replace(chosen, key=one.key, hint=one.hint))
        if named and not found:
            raise CommandError("there is no such token here")
        rows += found
    return rows
