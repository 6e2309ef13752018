"""``grants list | revoke``."""

import argparse
from dataclasses import replace

from server.commands import selection
from server.commands.console import CommandError, Commands, add_group, row_event, show, show_table, with_store
from server.oauth.audit import Kind
from server.settings import Settings
from server.storage.database import Database
from server.storage.listings import GRANT_STATUSES, Row

REASON = "revoked by the operator"

_COLUMNS = ("grant_id", "client_name", "user_id", "scopes", "granted", "expires", "status")


def add_to(commands: Commands) -> None:
    """Add the commands to the parser."""
    sub = add_group(commands, "grants", "list and revoke what clients were granted")
    for name, command, description in (
        ("list", _list, "List grants, newest first."),
        ("revoke", _revoke, "Revoke grants, and with them every token that came of them."),
    ):
        parser = sub.add_parser(name, help=f"{name} grants", description=description)
        parser.add_argument("grant_ids", metavar="GRANT_ID", nargs="*")
        selection.add_filters(parser, GRANT_STATUSES)
        parser.set_defaults(command=command)
    parser.add_argument(
        "--forget", action="store_true", help="forget what the users allowed as well, so that they are asked again"
    )


def _list(settings: Settings, arguments: argparse.Namespace) -> int:
    rows = with_store(settings, lambda store, _: _chosen(store, arguments))
    show_table(rows, _COLUMNS, as_json=arguments.json)
    return 0


def _revoke(settings: Settings, arguments: argparse.Namespace) -> int:
    selection.require(arguments, arguments.grant_ids)

    async def work(store: Database, now: int) -> tuple[list[Row], list[Row]]:
        async def revoke(row: Row) -> bool:
            if arguments.forget and row["user_id"] is not None:
                event = row_event(settings, now, Kind.APPLICATION_FORGOTTEN, {**row, "grant_id": None})
                return bool(await store.forget_application(row["user_id"], row["client_id"], REASON, now, event))
            event = row_event(settings, now, Kind.GRANT_REVOKED, row)
            return await store.revoke_grant(row["grant_id"], REASON, now, event)

        return await selection.change(await _chosen(store, arguments), revoke)

    revoked, over = with_store(settings, work)
    outcome = {"revoked": revoked, "over_already": over if arguments.grant_ids else []}
    show({name: [row["grant_id"] for row in rows] for name, rows in outcome.items()}, as_json=arguments.json)
    return 0


async def _chosen(store: Database, arguments: argparse.Namespace) -> list[Row]:
    chosen = selection.read(arguments)
    if not arguments.grant_ids:
        return await store.list_grants(chosen)
    rows: list[Row] = []
    for grant_id in arguments.grant_ids:
        found = await store.list_grants(replace(chosen, key=grant_id))
        if not found:
            raise CommandError(f"there is no such grant: {grant_id}")
        rows += found
    return rows
