"""``keys list | rotate``: the keys that sign ID tokens."""

import argparse

from server.commands.console import Commands, add_group, add_json, operator_event, show, show_table, with_store
from server.oauth import signing
from server.oauth.audit import Kind
from server.sealing import Sealer, key_file, load_secret
from server.settings import Settings
from server.storage.database import Database

_COLUMNS = ("kid", "algorithm", "made", "retired", "expires", "status")


def add_to(commands: Commands) -> None:
    """Add the commands to the parser."""
    sub = add_group(commands, "keys", "list and rotate the keys that sign ID tokens")
    for name, command, description in (
        ("list", _list, "List the signing keys, the one that signs first."),
        ("rotate", _rotate, "Make a new signing key; the old one verifies until the tokens that it signed have ended."),
    ):
        parser = sub.add_parser(name, help=f"{name} the signing keys", description=description)
        add_json(parser)
        parser.set_defaults(command=command)
    parser.add_argument(
        "--leaked", action="store_true", help="withdraw every older key at once: the tokens that it signed are void"
    )


def _list(settings: Settings, arguments: argparse.Namespace) -> int:
    rows = with_store(settings, lambda store, _: store.list_keys())
    show_table(rows, _COLUMNS, as_json=arguments.json)
    return 0


def _rotate(settings: Settings, arguments: argparse.Namespace) -> int:
    async def work(store: Database, now: int) -> str:
        secret = load_secret(settings.secret_key.get_secret_value(), key_file(settings.database_path))
        detail = "the older ones were withdrawn" if arguments.leaked else None
        event = operator_event(settings, now, Kind.SIGNING_KEY_ROTATED, detail)
        life = settings.oauth_access_token_ttl
        key = await signing.rotate(store, signing.Signer(Sealer(secret)), now, life, event)
        if arguments.leaked:
            await store.withdraw_retired_keys(now)
        return key.kid

    show({"signs": with_store(settings, work)}, as_json=arguments.json)
    return 0
