"""Bringing files into the database: checked first, then written bit by bit, then published all at once."""

import asyncio
import hashlib
from collections.abc import Callable, Collection
from pathlib import Path

from server.catalogue import files
from server.catalogue.files import KINDS, FaultyFile, Sheet
from server.catalogue.store import EditionStore, Item, Source
from server.oauth.audit import Event

_BATCH = 250
"""So many rows go into one transaction, so that a server at work beside it never waits long."""

_FORMAT = b"1\n"
"""Goes into the digest of what ships: raised when rows come to be kept in another form."""


class CatalogueError(Exception):
    """The catalogue that ships cannot be used; the message is one line that names file, line and fault."""


async def publish(
    store: EditionStore,
    sheet: Sheet,
    *,
    source: Source,
    digest: str,
    replaces: int | None,
    now: int,
    event: Event | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> bool:
    """Write an edition and let it take another's place.

    Args:
        store: Where to.
        sheet: The rows, checked.
        source: Where they come from.
        digest: The file's.
        replaces: The number of the edition that it takes the place of.
        now: Unix seconds.
        event: What to note of it, if it is published.
        progress: Is told how many rows are written.

    Returns:
        Whether it is published; if not, somebody else's was meanwhile.
    """
    edition = await store.start_edition(sheet.kind, source, digest, sheet.notice, now)
    for start in range(0, len(sheet.rows), _BATCH):
        rows = sheet.rows[start : start + _BATCH]
        await store.add_items(edition, start, [Item.of(row) for row in rows])
        progress(start + len(rows))
    published = await store.publish_edition(edition, replaces, now, event)
    if replaces is not None or not published:
        while await store.sweep_catalogue(now):
            pass
    return published


async def ship(
    store: EditionStore,
    folder: Path,
    now: int,
    *,
    anew: Collection[str] = (),
    note: Callable[[Sheet], Event | None] = lambda _sheet: None,
) -> None:
    """Publish what ships with the program wherever there is nothing yet, or an earlier edition of what ships.

    What the operator imported stays, unless its kind is to be published anew. When several processes
    start at once, one of them publishes.

    Args:
        store: Where to.
        folder: Where the files are.
        now: Unix seconds.
        anew: Kinds that are published over the operator's own.
        note: Says what to note where the operator's own were replaced.

    Raises:
        CatalogueError: A file is missing or at fault.
    """
    editions = {edition.kind: edition for edition in await store.get_editions()}
    outdated = []
    for kind in KINDS:
        path = folder / f"{kind}.json"
        content = _read(path)
        digest, current = _digest(content), editions.get(kind)
        is_old = current is None or (current.source == "shipped" and current.digest != digest)
        is_own = current is not None and current.source != "shipped"
        if is_old or (kind in anew and is_own):
            sheet = _checked(path, content)
            event = note(sheet) if is_own else None
            outdated.append((sheet, digest, current.edition if current else None, event))
    made = (
        publish(store, sheet, source="shipped", digest=digest, replaces=replaces, now=now, event=event)
        for sheet, digest, replaces, event in outdated
    )
    await asyncio.gather(*made)  # so that they share commits


def _digest(content: bytes) -> str:
    """Give the digest by which an edition of what ships is known."""
    return hashlib.sha256(_FORMAT + content).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CatalogueError(f"{path}: {error.strerror}") from error


def _checked(path: Path, content: bytes) -> Sheet:
    try:
        return files.read(content)
    except FaultyFile as error:
        raise CatalogueError(f"{path}: {error}") from error
