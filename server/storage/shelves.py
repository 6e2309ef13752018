"""What the tools ask of the catalogue: rows of a kind, what is near a place, and what holds some words."""

import json
import math
import re
from collections.abc import Sequence

from server.catalogue.rows import LatLong
from server.storage.catalogue import BITS, on_sphere
from server.storage.driver import Driver, Script, Statement
from server.toolkit.shelf import Found, Stock

_EARTH_RADIUS_MILES = 3958.8
_FIRST_MILES = 5.0
_WIDENING = 4

_GET_PUBLISHED = """
SELECT edition, notice FROM catalogue_editions
WHERE kind = :kind AND published_at IS NOT NULL AND replaced_at IS NULL"""

_GET_DOCUMENTS = """
SELECT document FROM catalogue_items WHERE item >= :base AND item < :until ORDER BY item"""

_IN_BOX = """
FROM catalogue_places p
WHERE p.min_x <= :x + :chord AND p.max_x >= :x - :chord
    AND p.min_y <= :y + :chord AND p.max_y >= :y - :chord
    AND p.min_z <= :z + :chord AND p.max_z >= :z - :chord
    AND p.item >= :base AND p.item < :until
    AND (:category IS NULL OR p.category = :category)
    AND p.x * :x + p.y * :y + p.z * :z >= :cosine"""

_COUNT = f"SELECT count(*) {_IN_BOX}"

_NEAREST = f"""
SELECT i.document FROM (
    SELECT p.item, p.x * :x + p.y * :y + p.z * :z AS cosine {_IN_BOX}
    ORDER BY cosine DESC, p.item LIMIT :limit
) n JOIN catalogue_items i ON i.item = n.item ORDER BY n.cosine DESC, n.item"""  # noqa: S608 - the text is above

_SEARCH = """
SELECT e.kind, i.id, i.title, i.document, e.notice
FROM catalogue_words w
JOIN catalogue_items i ON i.item = w.rowid
JOIN catalogue_editions e ON e.edition = i.edition AND e.published_at IS NOT NULL AND e.replaced_at IS NULL
WHERE catalogue_words MATCH :words AND e.kind IN (SELECT value FROM json_each(:kinds))
ORDER BY bm25(catalogue_words, 8.0, 1.0), w.rowid LIMIT :limit"""

_GET_ITEM = """
SELECT e.kind, i.id, i.title, i.document, e.notice
FROM catalogue_editions e JOIN catalogue_items i ON i.edition = e.edition AND i.id = :id
WHERE e.kind = :kind AND e.published_at IS NOT NULL AND e.replaced_at IS NULL"""

_GET_IDS = """
SELECT i.id FROM catalogue_editions e JOIN catalogue_items i ON i.edition = e.edition
WHERE e.kind = :kind AND e.published_at IS NOT NULL AND e.replaced_at IS NULL
    AND i.id >= :prefix AND i.id < :prefix || char(1114111)
ORDER BY i.id LIMIT :limit"""


class SqlShelves:
    """`server.toolkit.shelf.Shelves` in SQL; its docstrings say what each method answers."""

    def __init__(self, driver: Driver) -> None:
        """Look into what this driver holds."""
        self._driver = driver

    async def get_stock(self, kind: str, known: int | None) -> Stock | None:
        """Give a kind's rows, if they are not known already."""
        return await self._driver.read(_get_stock(kind, known))

    async def find_near(
        self, kind: str, place: LatLong, miles: float | None, category: str | None, limit: int
    ) -> Stock:
        """Give what is nearest to a place."""
        return await self._driver.read(_find_near(kind, place, miles, category, limit))

    async def count_near(self, kind: str, place: LatLong, miles: float, category: str | None) -> int:
        """Count what is within a distance."""
        return await self._driver.scan(_count_near(kind, place, miles, category))

    async def search_catalogue(self, text: str, kinds: Sequence[str], limit: int) -> tuple[Found, ...]:
        """Give what holds the words of a text."""
        return await self._driver.scan(_search(text, kinds, limit))

    async def get_item(self, kind: str, item_id: str) -> Found | None:
        """Give one item."""
        return await self._driver.read(_get_item(kind, item_id))

    async def get_item_ids(self, kind: str, prefix: str, limit: int) -> tuple[str, ...]:
        """Give ids that begin so."""
        return await self._driver.read(_get_ids(kind, prefix, limit))


def _published(kind: str) -> Script[tuple[int, str | None] | None]:
    found = yield Statement(_GET_PUBLISHED, {"kind": kind})
    return (found[0][0], found[0][1]) if found else None


def _get_stock(kind: str, known: int | None) -> Script[Stock | None]:
    published = yield from _published(kind)
    if published is None:
        return Stock(0, None, ())
    edition, notice = published
    if edition == known:
        return None
    rows = yield Statement(_GET_DOCUMENTS, _range(edition))
    return Stock(edition, notice, tuple(document for (document,) in rows))


def _range(edition: int) -> dict[str, int]:
    return {"base": edition << BITS, "until": (edition + 1) << BITS}


def _find_near(kind: str, place: LatLong, miles: float | None, category: str | None, limit: int) -> Script[Stock]:
    """Look in a small circle first, and in wider ones for as long as it holds too few."""
    published = yield from _published(kind)
    if published is None:
        return Stock(0, None, ())
    edition, notice = published
    farthest = math.pi * _EARTH_RADIUS_MILES if miles is None else miles
    reach = min(_FIRST_MILES, farthest)
    while True:
        around = {**_circle(place, reach), **_range(edition), "category": category, "limit": limit}
        rows = yield Statement(_NEAREST, around)
        if len(rows) == limit or reach == farthest:
            return Stock(edition, notice, tuple(document for (document,) in rows))
        reach = min(reach * _WIDENING, farthest)


def _count_near(kind: str, place: LatLong, miles: float, category: str | None) -> Script[int]:
    published = yield from _published(kind)
    if published is None:
        return 0
    rows = yield Statement(_COUNT, {**_circle(place, miles), **_range(published[0]), "category": category})
    return int(rows[0][0])


def _circle(place: LatLong, miles: float) -> dict[str, float]:
    """Give the middle of a circle on the sphere, its chord, and the cosine of the angle that it spans."""
    angle = min(miles / _EARTH_RADIUS_MILES, math.pi)
    return {**on_sphere(place), "chord": 2 * math.sin(angle / 2) + 1e-9, "cosine": math.cos(angle) - 1e-12}


def _search(text: str, kinds: Sequence[str], limit: int) -> Script[tuple[Found, ...]]:
    """Look for what holds every word, and when there is nothing, for what holds any."""
    words = [f'"{word}"' for word in re.findall(r"[^\W_]+", text)][:32]
    for between in (" AND ", " OR ") if words else ():
        wanted = {"words": between.join(words), "kinds": json.dumps(list(kinds)), "limit": limit}
        if rows := (yield Statement(_SEARCH, wanted)):
            return tuple(Found(*row) for row in rows)
    return ()


def _get_item(kind: str, item_id: str) -> Script[Found | None]:
    rows = yield Statement(_GET_ITEM, {"kind": kind, "id": item_id})
    return Found(*rows[0]) if rows else None


def _get_ids(kind: str, prefix: str, limit: int) -> Script[tuple[str, ...]]:
    rows = yield Statement(_GET_IDS, {"kind": kind, "prefix": prefix, "limit": limit})
    return tuple(item_id for (item_id,) in rows)
