"""``clients list | show | add | delete``."""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

from server.commands import selection
from server.commands.console import (
    CommandError,
    Commands,
    UsageError,
    add_group,
    add_json,
    row_event,
    show,
    show_table,
    with_store,
)
from server.oauth import provision, scopes
from server.oauth.audit import Kind
from server.oauth.clients import PRIVATE_KEY_JWT
from server.oauth.errors import OAuthError
from server.settings import Settings
from server.storage.database import Database
from server.storage.listings import CLIENT_STATUSES, Row, Selection

_COLUMNS = ("client_id", "client_name", "created_by", "registered", "last_used", "open_grants", "status")


def add_to(commands: Commands) -> None:
    """Add the commands to the parser."""
    sub = add_group(commands, "clients", "list, show, add and delete clients")
    listing = sub.add_parser("list", help="list clients", description="List clients, newest first.")
    selection.add_filters(listing, CLIENT_STATUSES)
    listing.set_defaults(command=_list)
    showing = sub.add_parser("show", help="show one client", description="Show all that is known of one client.")
    showing.add_argument("client_id", metavar="CLIENT_ID")
    add_json(showing)
    showing.set_defaults(command=_show)
    _add_adding(sub)
    deleting = sub.add_parser(
        "delete",
        help="delete clients",
        description="Delete clients, and end their grants. Those that the operator created go only by id or --client.",
    )
    deleting.add_argument("client_ids", metavar="CLIENT_ID", nargs="*")
    selection.add_filters(deleting, CLIENT_STATUSES)
    deleting.set_defaults(command=_delete)


def _add_adding(sub: Commands) -> None:
    adding = sub.add_parser(
        "add",
        help="create a client",
        description="Create a client; its secret, if it has one, is printed this once. It gets tokens for itself by "
        "client credentials; with --redirect-uri it may send users through the consent page as well.",
    )
    adding.add_argument("name", metavar="NAME", help="what people will see it called")
    adding.add_argument(
        "--scope",
        action="append",
        default=[],
        metavar="SCOPE",
        help="a scope that it may have for itself; may be repeated. By default OAUTH_DEFAULT_SCOPES",
    )
    adding.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        metavar="URI",
        help="where users may be sent back to, with a code; may be repeated",
    )
    adding.add_argument(
        "--auth-method",
        choices=provision.AUTH_METHODS,
        default=provision.AUTH_METHODS[0],
        help="where it puts its secret, or that it signs (default: %(default)s)",
    )
    adding.add_argument("--jwks", metavar="FILE", type=Path, help="for private_key_jwt: its public keys (RFC 7517)")
    adding.add_argument("--jwks-uri", metavar="URL", help="for private_key_jwt: where its public keys are")
    add_json(adding)
    adding.set_defaults(command=_add)


def _list(settings: Settings, arguments: argparse.Namespace) -> int:
    rows = with_store(settings, lambda store, _: store.list_clients(selection.read(arguments)))
    show_table(rows, _COLUMNS, as_json=arguments.json)
    return 0


def _show(settings: Settings, arguments: argparse.Namespace) -> int:
    async def work(store: Database, _now: int) -> Row:
        row = await _known(store, Selection(key=arguments.client_id))
        client = await store.get_client(arguments.client_id)
        return row | (client.metadata if client is not None else {})

    show(with_store(settings, work), as_json=arguments.json)
    return 0


def _add(settings: Settings, arguments: argparse.Namespace) -> int:
    if not arguments.name.strip() or not arguments.name.isprintable():
        raise UsageError("the client needs a name, of characters that can be shown")

    keys = _keys(arguments)

    async def work(store: Database, now: int) -> dict[str, object]:
        client, secret = provision.create(
            arguments.name.strip(),
            scopes.split(" ".join(arguments.scope)),
            arguments.redirect_uri,
            arguments.auth_method,
            keys,
            settings=settings,
            entropy=os.urandom,
            now=now,
        )
        added = {"client_id": client.client_id, "client_name": client.client_name}
        await store.add_client(client, row_event(settings, now, Kind.CLIENT_ADDED, added))
        created: dict[str, object] = {"client_id": client.client_id}
        return created if secret is None else created | {"client_secret": secret}

    try:
        show(with_store(settings, work), as_json=arguments.json)
    except OAuthError as error:
        raise UsageError(error.description) from None
    return 0


def _keys(arguments: argparse.Namespace) -> dict[str, object]:
    """Read the public keys that a client is to be known by.

    Raises:
        UsageError: The file is not there or not JSON, or the client is to have a secret.
    """
    if (arguments.jwks or arguments.jwks_uri) and arguments.auth_method != PRIVATE_KEY_JWT:
        raise UsageError(f"keys go with --auth-method {PRIVATE_KEY_JWT}")
    keys: dict[str, object] = {"jwks_uri": arguments.jwks_uri} if arguments.jwks_uri else {}
    if arguments.jwks:
        try:
            keys["jwks"] = json.loads(arguments.jwks.read_bytes())
        except (OSError, ValueError) as error:
            raise UsageError(f"{arguments.jwks}: no key set can be read there: {error}") from None
    return keys


def _delete(settings: Settings, arguments: argparse.Namespace) -> int:
    selection.require(arguments, arguments.client_ids)
    chosen = selection.read(arguments)

    async def work(store: Database, now: int) -> list[Row]:
        async def delete(row: Row) -> bool:
            event = row_event(settings, now, Kind.CLIENT_DELETED, row)
            return await store.delete_client(row["client_id"], event)

        if arguments.client_ids:
            rows = [await _known(store, replace(chosen, key=client_id)) for client_id in arguments.client_ids]
        else:
            found = await store.list_clients(chosen)
            rows = [row for row in found if chosen.client is not None or row["created_by"] != "operator"]
        deleted, _ = await selection.change(rows, delete)
        return deleted

    show({"deleted": [row["client_id"] for row in with_store(settings, work)]}, as_json=arguments.json)
    return 0


async def _known(store: Database, chosen: Selection) -> Row:
    rows = await store.list_clients(chosen)
    if not rows:
        raise CommandError(f"there is no such client: {chosen.key}")
    return rows[0]
