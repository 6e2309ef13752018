"""The catalogue's editions, as they are written and published."""

import math
from collections.abc import Mapping, Sequence

from server.catalogue.rows import LatLong
from server.catalogue.store import Edition, Item, Source
from server.oauth.audit import Event
from server.storage.audit import recorded
from server.storage.driver import Driver, Script, Statement, changed

BITS = 32
"""An item's number is its edition's, shifted by so many bits, plus its position."""

_ABANDONED_AFTER = 3_600
"""Seconds after which an edition that was begun and not published will not be."""

_SWEPT = 500
"""How many items one transaction removes, so that no other waits long."""

_GET_EDITIONS = """
SELECT e.edition, e.kind, e.source, e.digest, e.notice,
    (SELECT count(*) FROM catalogue_items i WHERE i.edition = e.edition), e.published_at
FROM catalogue_editions e WHERE e.published_at IS NOT NULL AND e.replaced_at IS NULL ORDER BY e.kind"""

_START_EDITION = """
INSERT INTO catalogue_editions (edition, kind, source, digest, notice, started_at)
SELECT coalesce(max(edition), 0) + 1, :kind, :source, :digest, :notice, :now FROM catalogue_editions
RETURNING edition"""

_GET_OPEN_EDITION = """
SELECT 1 FROM catalogue_editions WHERE edition = :edition AND published_at IS NULL AND swept_at IS NULL"""

_ADD_ITEM = """
INSERT INTO catalogue_items (item, edition, id, title, document) VALUES (:item, :edition, :id, :title, :document)"""

_ADD_WORDS = "INSERT INTO catalogue_words (rowid, title, body) VALUES (:item, :title, :words)"

_ADD_PLACE = """
INSERT INTO catalogue_places (item, min_x, max_x, min_y, max_y, min_z, max_z, category, x, y, z)
VALUES (:item, :x, :x, :y, :y, :z, :z, :category, :x, :y, :z)"""

_GET_PUBLISHED = """
SELECT p.edition FROM catalogue_editions e JOIN catalogue_editions p ON p.kind = e.kind
WHERE e.edition = :edition AND p.published_at IS NOT NULL AND p.replaced_at IS NULL"""

_END_EDITION = "UPDATE catalogue_editions SET replaced_at = :now WHERE edition = :edition"

_PUBLISH_EDITION = """
UPDATE catalogue_editions SET published_at = :now
WHERE edition = :edition AND published_at IS NULL AND swept_at IS NULL RETURNING 1"""

_GET_OVER = """
SELECT edition FROM catalogue_editions
WHERE swept_at IS NULL
    AND (replaced_at IS NOT NULL OR (published_at IS NULL AND started_at <= :abandoned))
ORDER BY edition LIMIT 1"""

_GET_ITEMS = "SELECT item FROM catalogue_items WHERE edition = :edition LIMIT :limit"
_REMOVE_PLACE = "DELETE FROM catalogue_places WHERE item = :item"
_REMOVE_WORDS = "DELETE FROM catalogue_words WHERE rowid = :item"
_REMOVE_ITEM = "DELETE FROM catalogue_items WHERE item = :item"
_SWEEP_EDITION = "UPDATE catalogue_editions SET swept_at = :now WHERE edition = :edition"

_GET_DOCUMENTS = """
SELECT item, document FROM catalogue_items WHERE item > :after AND item < :until ORDER BY item LIMIT :limit"""


class SqlEditionStore:
    """`server.catalogue.store.EditionStore` in SQL; its docstrings say what each method answers."""

    def __init__(self, driver: Driver) -> None:
        """Keep everything through this driver."""
        self._driver = driver

    async def get_editions(self) -> tuple[Edition, ...]:
        """Give the published edition of each kind."""
        return await self._driver.read(_get_editions())

    async def start_edition(self, kind: str, source: Source, digest: str, notice: str | None, now: int) -> int:
        """Begin an edition."""
        edition = {"kind": kind, "source": source, "digest": digest, "notice": notice, "now": now}
        return await self._driver.write(_start_edition(edition))

    async def add_items(self, edition: int, position: int, items: Sequence[Item]) -> None:
        """Add items to it."""
        await self._driver.write(_add_items(edition, position, items))

    async def publish_edition(self, edition: int, replaces: int | None, now: int, event: Event | None = None) -> bool:
        """Let it take another's place."""
        return await self._driver.write(recorded(_publish(edition, replaces, now), event))

    async def sweep_catalogue(self, now: int) -> bool:
        """Remove what is over, some of it."""
        return await self._driver.write(_sweep(now))

    async def get_documents(self, edition: int, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Give a page of an edition."""
        return await self._driver.scan(_get_documents(edition, after, limit))


def on_sphere(place: LatLong) -> dict[str, float]:
    """Give a place as a point on the sphere of radius 1, whose middle is the earth's."""
    phi, lam = math.radians(place.latitude), math.radians(place.longitude)
    return {"x": math.cos(phi) * math.cos(lam), "y": math.cos(phi) * math.sin(lam), "z": math.sin(phi)}


def _get_editions() -> Script[tuple[Edition, ...]]:
    return tuple(Edition(*row) for row in (yield Statement(_GET_EDITIONS)))


def _start_edition(edition: Mapping[str, object]) -> Script[int]:
    found = yield Statement(_START_EDITION, edition)
    return int(found[0][0])


def _add_items(edition: int, position: int, items: Sequence[Item]) -> Script[None]:
    if not (yield Statement(_GET_OPEN_EDITION, {"edition": edition})):
        raise RuntimeError(f"edition {edition} of the catalogue is not open")
    for number, item in enumerate(items, (edition << BITS) + position):
        row = {"item": number, "edition": edition, "id": item.id, "title": item.title, "document": item.document}
        yield Statement(_ADD_ITEM, row)
        yield Statement(_ADD_WORDS, {"item": number, "title": item.title, "words": item.words})
        if item.place is not None:
            yield Statement(_ADD_PLACE, {"item": number, "category": item.category, **on_sphere(item.place)})


def _publish(edition: int, replaces: int | None, now: int) -> Script[bool]:
    published = yield Statement(_GET_PUBLISHED, {"edition": edition})
    if (published[0][0] if published else None) != replaces:
        yield Statement(_END_EDITION, {"edition": edition, "now": now})
        return False
    if replaces is not None:
        yield Statement(_END_EDITION, {"edition": replaces, "now": now})
    if not (yield from changed(_PUBLISH_EDITION, edition=edition, now=now)):
        raise RuntimeError(f"edition {edition} of the catalogue is not open")
    return True


def _sweep(now: int) -> Script[bool]:
    over = yield Statement(_GET_OVER, {"abandoned": now - _ABANDONED_AFTER})
    if not over:
        return False
    edition = over[0][0]
    items = yield Statement(_GET_ITEMS, {"edition": edition, "limit": _SWEPT})
    for (item,) in items:
        for statement in (_REMOVE_PLACE, _REMOVE_WORDS, _REMOVE_ITEM):
            yield Statement(statement, {"item": item})
    if len(items) < _SWEPT:
        yield Statement(_SWEEP_EDITION, {"edition": edition, "now": now})
    return True


def _get_documents(edition: int, after: int, limit: int) -> Script[Sequence[tuple[int, str]]]:
    base = edition << BITS
    page = {"after": base + after, "until": base + (1 << BITS), "limit": limit}
    return [(item - base, document) for item, document in (yield Statement(_GET_DOCUMENTS, page))]
