"""``catalog import | export | list | reset``."""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from server import shipped
from server.catalogue import editions, files
from server.catalogue.files import KINDS, FaultyFile, Sheet
from server.catalogue.store import Edition
from server.commands.console import (
    CommandError,
    Commands,
    UsageError,
    add_group,
    add_json,
    moment,
    operator_event,
    show,
    show_table,
    with_store,
)
from server.oauth.audit import Event, Kind
from server.settings import Settings
from server.storage.database import Database

if TYPE_CHECKING:
    from tqdm import tqdm

_COLUMNS = ("kind", "source", "items", "published", "notice")
_PAGE = 1_000


def add_to(commands: Commands) -> None:
    """Add the commands to the parser."""
    sub = add_group(commands, "catalog", "import and export stores, devices, plans and the rest of the catalogue")
    _add_import(sub)
    _add_export(sub)
    listing = sub.add_parser("list", help="list the kinds", description="List the kinds: where their rows are from.")
    add_json(listing)
    listing.set_defaults(command=_list)
    resetting = sub.add_parser(
        "reset",
        help="bring back the demonstration data",
        description="Let the demonstration data that ship take the place of what was imported.",
    )
    resetting.add_argument("kinds", metavar="KIND", nargs="*", help=f"{', '.join(KINDS)}; all when there is none")
    add_json(resetting)
    resetting.set_defaults(command=_reset)


def _add_import(sub: Commands) -> None:
    importing = sub.add_parser(
        "import",
        help="replace a kind's rows by a file's",
        description="Check a file, and let its rows take the place of those of its kind, all of them or none. The file "
        "says itself what it is: GeoJSON points are stores, GeoJSON polygons are areas, and any other file names its "
        f"rows ({', '.join(kind for kind in KINDS if KINDS[kind].member == kind)}).",
    )
    importing.add_argument("file", metavar="FILE", help="the file, in UTF-8")
    importing.add_argument("--json", action="store_true", help="print JSON, of faults too")
    importing.set_defaults(command=_import)


def _add_export(sub: Commands) -> None:
    exporting = sub.add_parser(
        "export",
        help="write a kind's rows as import takes them",
        description="Write the rows of a kind, in the form that import takes; without a kind, a file for each.",
    )
    exporting.add_argument("kind", metavar="KIND", nargs="?", choices=tuple(KINDS), help=", ".join(KINDS))
    exporting.add_argument(
        "--output", metavar="PATH", type=Path, help="where to, if not standard output; a folder when there is no kind"
    )
    exporting.set_defaults(command=_export)


def _import(settings: Settings, arguments: argparse.Namespace) -> int:
    content = _content(arguments.file)
    try:
        with _bar("Checking", len(content), "B") as bar:
            sheet = files.read(content, lambda offset: _move(bar, offset))
    except FaultyFile as error:
        _report(arguments.file, error, as_json=arguments.json)
    digest = hashlib.sha256(content).hexdigest()
    done = with_store(settings, lambda store, now: _publish(store, sheet, digest, settings, now))
    show(done, as_json=arguments.json)
    return 0


def _content(name: str) -> bytes:
    """Read the file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None


def _report(name: str, error: FaultyFile, *, as_json: bool) -> NoReturn:
    """Name every fault with its line.

    Raises:
        CommandError: Always, with how many there are.
    """
    if as_json:
        show({"faults": [fault._asdict() for fault in error.faults]}, as_json=True)
    else:
        for fault in error.faults:
            print(f"{name}:{fault.line}: {fault.problem}", file=sys.stderr)  # noqa: T201 - the command's output
    more = " or more" if len(error.faults) >= files.MOST_FAULTS else ""
    count = "1 fault" if len(error.faults) == 1 else f"{len(error.faults)}{more} faults"
    raise CommandError(f"{name}: {count}; nothing was imported")


async def _publish(store: Database, sheet: Sheet, digest: str, settings: Settings, now: int) -> dict[str, object]:
    """Publish what was checked.

    Raises:
        CommandError: Somebody else published rows of the kind meanwhile.
    """
    before = await _edition(store, sheet.kind)
    with _bar("Importing", len(sheet.rows), " rows") as bar:
        published = await editions.publish(
            store,
            sheet,
            source="imported",
            digest=digest,
            replaces=before.edition if before else None,
            now=now,
            event=_event(Kind.CATALOGUE_IMPORTED, sheet, settings, now),
            progress=lambda rows: _move(bar, rows),
        )
    if not published:
        raise CommandError(f"other {sheet.kind} were imported meanwhile, and stay; try again if yours are to follow")
    return {"kind": sheet.kind, "imported": len(sheet.rows), "replaced": before.items if before else 0}


def _event(kind: Kind, sheet: Sheet, settings: Settings, now: int) -> Event | None:
    """Say what was imported, or brought back; ``None`` when no audit log is kept."""
    return operator_event(settings, now, kind, f"{sheet.kind} {len(sheet.rows)}")


async def _edition(store: Database, kind: str) -> Edition | None:
    return next((edition for edition in await store.get_editions() if edition.kind == kind), None)


def _bar(doing: str, total: int, unit: str) -> "tqdm[NoReturn]":
    """Make a progress bar, which shows only on a terminal."""
    from tqdm import tqdm  # noqa: PLC0415 - every start of the server would pay for it

    return tqdm(desc=doing, total=total, unit=unit, unit_scale=unit == "B", disable=None, leave=False)


def _move(bar: "tqdm[NoReturn]", to: int) -> None:
    bar.update(to - bar.n)


def _export(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.kind is None and arguments.output is None:
        raise UsageError("name a kind, or a folder for all of them with --output")

    async def work(store: Database, _now: int) -> None:
        if arguments.kind is None:
            arguments.output.mkdir(parents=True, exist_ok=True)
            for kind in KINDS:
                with (arguments.output / f"{kind}.json").open("w", encoding="utf-8") as file:
                    await _write(store, kind, file)
        elif arguments.output is None:
            await _write(store, arguments.kind, sys.stdout)
        else:
            with arguments.output.open("w", encoding="utf-8") as file:
                await _write(store, arguments.kind, file)

    with_store(settings, work)
    return 0


async def _write(store: Database, kind: str, file: TextIO) -> None:
    edition = await _edition(store, kind)
    if edition is None:
        raise CommandError(f"there are no {kind} yet: the first start brings those that ship, and import others")
    rows: list[str] = []
    after = -1
    while page := await store.get_documents(edition.edition, after, _PAGE):
        rows += (document for _, document in page)
        after = page[-1][0]
    file.writelines(files.write(kind, rows, edition.notice))


def _list(settings: Settings, arguments: argparse.Namespace) -> int:
    found = with_store(settings, lambda store, _: store.get_editions())
    rows = [{**_as_row(edition), "published": moment(edition.published_at)} for edition in found]
    show_table(rows, _COLUMNS, as_json=arguments.json)
    return 0


def _as_row(edition: Edition) -> dict[str, object]:
    return {name: getattr(edition, name) for name in Edition.__slots__ if name != "published_at"}


def _reset(settings: Settings, arguments: argparse.Namespace) -> int:
    kinds = arguments.kinds or list(KINDS)
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise UsageError(f"{', '.join(unknown)}: the kinds are {', '.join(KINDS)}")

    async def work(store: Database, now: int) -> None:
        def note(sheet: Sheet) -> Event | None:
            return _event(Kind.CATALOGUE_RESET, sheet, settings, now)

        await editions.ship(store, shipped.directory("data"), now, anew=kinds, note=note)

    with_store(settings, work)
    show({"reset": kinds}, as_json=arguments.json)
    return 0
