"""``backup`` and ``restore``: copies of the database, taken beside a running server and put back without one."""

import argparse
import logging
import re
from datetime import UTC, datetime
from pathlib import Path

from server.app import system_clock
from server.commands.console import Commands, UsageError, add_json, operator_event, show, with_store
from server.oauth.audit import Kind
from server.oauth.store import StoreUnavailable
from server.sealing import key_file
from server.settings import Settings
from server.storage.backup import back_up, restore
from server.storage.migrate import pending

log = logging.getLogger(__name__)

_OURS = re.compile(r"server-\d{8}T\d{6}Z\.db")


def add_to(commands: Commands) -> None:
    """Add the commands to the parser."""
    taking = commands.add_parser(
        "backup",
        help="copy the database while it is in use",
        description="Copy the database while it is in use, and check the copy. The secret key is left out.",
    )
    taking.add_argument(
        "file", metavar="FILE", type=Path, help="the copy; in a folder, it gets a name with the time in it"
    )
    taking.add_argument(
        "--keep", metavar="N", type=_count, help="in a folder, remove all but the newest N of such copies afterwards"
    )
    add_json(taking)
    taking.set_defaults(command=_backup)
    giving = commands.add_parser(
        "restore",
        help="put a copy in the database's place",
        description="Put a copy in the database's place, while no server runs. The former database is kept.",
    )
    giving.add_argument("file", metavar="FILE", type=Path, help="the copy")
    add_json(giving)
    giving.set_defaults(command=_restore)


def _backup(settings: Settings, arguments: argparse.Namespace) -> int:
    folder = arguments.file if arguments.file.is_dir() else None
    if arguments.keep is not None and folder is None:
        raise UsageError("--keep takes a folder")
    target = arguments.file if folder is None else folder / f"server-{_stamp()}.db"
    size = back_up(settings.database_path, target)
    removed = []
    if folder is not None and arguments.keep is not None:
        copies = sorted(path for path in folder.iterdir() if _OURS.fullmatch(path.name))
        removed = copies[: -arguments.keep]
        for old in removed:
            old.unlink()
    _note(settings, Kind.BACKED_UP, str(target))
    show(
        {
            "backup": str(target),
            "bytes": size,
            "left_out": f"{_key(settings)}, without which what is sealed stays closed: keep a copy of it elsewhere",
            "removed": [str(path) for path in removed],
        },
        as_json=arguments.json,
    )
    return 0


def _restore(settings: Settings, arguments: argparse.Namespace) -> int:
    restored = restore(settings.database_path, arguments.file, f"restore-{_stamp()}")
    _note(settings, Kind.RESTORED, str(arguments.file))
    show(
        {
            "restored": str(settings.database_path),
            "kept": restored.kept and str(restored.kept),
            "to_be_migrated": list(restored.pending),
            "key": f"{_key(settings)} must be that of the copy's time, or what is sealed in it stays closed",
        },
        as_json=arguments.json,
    )
    return 0


def _note(settings: Settings, kind: Kind, detail: str) -> None:
    """Keep an event in the database that stands there now, unless it is one of another version."""
    event = operator_event(settings, system_clock(), kind, detail)
    if event is None or pending(settings.database_path):
        return
    try:
        with_store(settings, lambda store, _: store.add_events([event]))
    except StoreUnavailable as error:
        log.warning("The audit log could not be written: %s", error)


def _key(settings: Settings) -> str:
    return "SECRET_KEY" if settings.secret_key else str(key_file(settings.database_path))


def _stamp() -> str:
    return datetime.fromtimestamp(system_clock(), UTC).strftime("%Y%m%dT%H%M%SZ")


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of copies")
    return int(text)
