"""What the tools ask of the catalogue: rows of a kind, what is near a place, and what holds some words."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from server.catalogue.rows import LatLong
from server.storage.catalogue import BITS, on_sphere
from server.storage.driver import Driver, Script, Statement
from server.toolkit.shelf import Found, Stock

_EARTH_RADIUS_MILES = 3958.8
_FIRST_MILES = 1.0
_SLACK = 1e-12
"""More than what cosines are rounded by."""

_HALVINGS = 4
"""So often the last circle is halved towards the one before it, lest it hold far more than is wanted."""

_MOST_WORDS = 32
_SAY_NOTHING = frozenset(
    """a about an and any are as at be by can do does find for from get give have help how i in is it me my near of on
    or please show tell that the there to want was what when where which who why will with you your""".split()  # noqa: SIM905
)

_GET_PUBLISHED = """
SELECT edition, notice FROM catalogue_editions
WHERE kind = :kind AND published_at IS NOT NULL AND replaced_at IS NULL"""

_GET_DOCUMENTS = """
SELECT document FROM catalogue_items WHERE item >= :base AND item < :until ORDER BY item"""

_IN_BOX = """
FROM catalogue_places p
WHERE p.min_x <= :max_x AND p.max_x >= :min_x
    AND p.min_y <= :max_y AND p.max_y >= :min_y
    AND p.min_z <= :max_z AND p.max_z >= :min_z
    AND p.item >= :base AND p.item < :until
    AND (:category IS NULL OR p.category = :category)
    AND p.x * :x + p.y * :y + p.z * :z >= :cosine"""

_COUNT = f"SELECT count(*) {_IN_BOX}"

_COUNT_SOME = f"SELECT count(*) FROM (SELECT 1 {_IN_BOX} LIMIT :limit)"  # noqa: S608 - the text is above

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
    """Widen a circle until it holds enough, narrow it again while it still does, and sort only what is in it."""
    published = yield from _published(kind)
    if published is None:
        return Stock(0, None, ())
    edition, notice = published
    around = {**_range(edition), "category": category, "limit": limit}
    farthest = math.pi * _EARTH_RADIUS_MILES if miles is None else miles
    too_near, reach = 0.0, min(_FIRST_MILES, farthest)
    while reach < farthest and not (yield from _holds_enough(place, reach, around)):
        too_near, reach = reach, min(2 * reach, farthest)
    for _ in range(_HALVINGS):
        middle = (too_near + reach) / 2
        if (yield from _holds_enough(place, middle, around)):
            reach = middle
        else:
            too_near = middle
    rows = yield Statement(_NEAREST, {**_circle(place, reach), **around})
    return Stock(edition, notice, tuple(document for (document,) in rows))


def _holds_enough(place: LatLong, miles: float, around: Mapping[str, Any]) -> Script[bool]:
    """Tell whether a circle holds as many as are wanted; the count ends there."""
    rows = yield Statement(_COUNT_SOME, {**_circle(place, miles), **around})
    return bool(rows[0][0] >= around["limit"])


def _count_near(kind: str, place: LatLong, miles: float, category: str | None) -> Script[int]:
    published = yield from _published(kind)
    if published is None:
        return 0
    rows = yield Statement(_COUNT, {**_circle(place, miles), **_range(published[0]), "category": category})
    return int(rows[0][0])


def _circle(place: LatLong, miles: float) -> dict[str, float]:
    """Give a circle on the sphere: its middle, the box around it, and the cosine of the angle that it spans."""
    angle = min(miles / _EARTH_RADIUS_MILES, math.pi)
    middle = on_sphere(place)
    circle = {**middle, "cosine": math.cos(angle) - _SLACK}
    for axis, along in middle.items():
        from_axis = math.acos(max(-1.0, min(1.0, along)))
        circle[f"min_{axis}"] = math.cos(min(math.pi, from_axis + angle)) - _SLACK
        circle[f"max_{axis}"] = math.cos(max(0.0, from_axis - angle)) + _SLACK
    return circle


def _search(text: str, kinds: Sequence[str], limit: int) -> Script[tuple[Found, ...]]:
    """Look for what holds every word, and then for what holds any."""
    said = re.findall(r"[^\W_]+", text.lower())
    words = [f'"{word}"' for word in said if word not in _SAY_NOTHING] or [f'"{word}"' for word in said]
    found: dict[tuple[str, str], Found] = {}
    for between in (" AND ", " OR ") if words else ():
        wanted = {"words": between.join(words[:_MOST_WORDS]), "kinds": json.dumps(list(kinds)), "limit": limit}
        if len(found) < limit:
            for row in (yield Statement(_SEARCH, wanted)):
                found.setdefault(row[:2], Found(*row))
    return tuple(found.values())[:limit]


def _get_item(kind: str, item_id: str) -> Script[Found | None]:
    rows = yield Statement(_GET_ITEM, {"kind": kind, "id": item_id})
    return Found(*rows[0]) if rows else None


def _get_ids(kind: str, prefix: str, limit: int) -> Script[tuple[str, ...]]:
    rows = yield Statement(_GET_IDS, {"kind": kind, "prefix": prefix, "limit": limit})
    return tuple(item_id for (item_id,) in rows)
