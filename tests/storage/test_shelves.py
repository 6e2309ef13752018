"""What is near and what holds some words, held against looking at everything."""

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.catalogue.rows import LatLong
from server.catalogue.store import Item
from server.storage.database import Database
from server.toolkit.gazetteer import distance_miles
from tests.storage.make import NOW

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)
KINDS = ("stores", "articles")

_spread = [LatLong(math.degrees(math.asin(2 * n / 400 - 1)), (n * 137.508) % 360 - 180) for n in range(401)]
_crowd = [LatLong(40.75 + n / 5_000, -73.99 + n % 7 / 3_000) for n in range(60)]
_edges = [LatLong(52, 180), LatLong(52, -180), LatLong(52, 179.99), LatLong(90, 0), LatLong(-90, 0), LatLong(89.9, 90)]
PLACES = [*_spread, *_crowd, *_edges]


def item(number: int, place: LatLong) -> Item:
    return Item(f"s{number:03}", f"Store {number}", "", json.dumps({"id": f"s{number:03}"}), place, "ab"[number % 2])


async def fill(database: Database, kind: str, items: list[Item], notice: str | None = None) -> int:
    edition = await database.start_edition(kind, "imported", "d", notice, NOW)
    await database.add_items(edition, 0, items)
    before = {found.kind: found.edition for found in await database.get_editions()}
    assert await database.publish_edition(edition, before.get(kind), NOW)
    return edition


@pytest.fixture
async def stocked(database: Database) -> Database:
    """Places all over the globe, at its edges, and many in one city."""
    await fill(database, "stores", [item(number, place) for number, place in enumerate(PLACES)], "Invented.")
    return database


def expected(place: LatLong, miles: float, category: str | None, limit: int) -> list[tuple[float, str]]:
    measured = [
        (distance_miles(*place, *other), f"s{number:03}")
        for number, other in enumerate(PLACES)
        if category in {None, "ab"[number % 2]}
    ]
    return sorted(pair for pair in measured if pair[0] <= miles)[:limit]


def ids(stock: Any) -> list[str]:
    return [json.loads(document)["id"] for document in stock.documents]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    latitude=LATITUDES,
    longitude=LONGITUDES,
    miles=st.none() | st.floats(0.1, 13_000),
    category=st.sampled_from([None, "a", "b"]),
    limit=st.integers(1, 50),
)
async def test_the_nearest_are_those_that_looking_at_all_finds(
    stocked: Database, latitude: float, longitude: float, miles: float | None, category: str | None, limit: int
) -> None:
    place = LatLong(latitude, longitude)
    stock = await stocked.find_near("stores", place, miles, category, limit)
    wanted = expected(place, math.inf if miles is None else miles, category, limit)
    measured = [distance_miles(*place, *PLACES[int(found[1:])]) for found in ids(stock)]
    assert measured == pytest.approx([distance for distance, _ in wanted], abs=0.01)
    assert all(category in {None, "ab"[int(found[1:]) % 2]} for found in ids(stock))
    assert len(set(ids(stock))) == len(measured)
    assert stock.notice == "Invented."
    if miles is not None:
        total = await stocked.count_near("stores", place, miles, category)
        assert total == len(expected(place, miles, category, len(PLACES)))


@pytest.mark.parametrize("place", [LatLong(52, 180), LatLong(52, -180), LatLong(90, 17), LatLong(-90, -3)])
async def test_there_is_no_edge_at_a_pole_or_at_the_date_line(stocked: Database, place: LatLong) -> None:
    wanted = expected(place, 3, None, 10)
    assert wanted
    assert sorted(ids(await stocked.find_near("stores", place, 3, None, 10))) == sorted(found for _, found in wanted)


async def test_without_an_edition_nothing_is_near_and_nothing_is_there(database: Database) -> None:
    place = LatLong(0, 0)
    assert ids(await database.find_near("stores", place, None, None, 5)) == []
    assert await database.count_near("stores", place, 100, None) == 0
    assert await database.get_item("stores", "s001") is None
    stock = await database.get_stock("stores", None)
    assert stock is not None
    assert (stock.edition, stock.documents) == (0, ())
    assert await database.get_stock("stores", 0) is not None


async def test_rows_are_given_only_when_the_edition_is_not_known(stocked: Database) -> None:
    first = await stocked.get_stock("stores", None)
    assert first is not None
    assert len(first.documents) == len(PLACES)
    assert await stocked.get_stock("stores", first.edition) is None
    await fill(stocked, "stores", [item(1, PLACES[0])])
    second = await stocked.get_stock("stores", first.edition)
    assert second is not None
    assert len(second.documents) == 1


ARTICLES = [
    Item("bill", "Reading the bill", "What stands where on an invoice.", "{}"),
    Item("pay", "Ways to pay", "Pay a bill in the app. Payments take a minute.", "{}"),
    Item("café", "Café Wi-Fi", "Roaming abroad", "{}"),
]


async def found(database: Database, text: str, kinds: tuple[str, ...] = KINDS, limit: int = 10) -> list[str]:
    return [one.id for one in await database.search_catalogue(text, kinds, limit)]


async def test_what_holds_all_words_comes_before_what_holds_some(database: Database) -> None:
    await fill(database, "articles", ARTICLES, "Invented.")
    assert await found(database, "pay bill") == ["pay", "bill"]
    assert await found(database, "how do I pay my bills?") == ["pay", "bill"]
    assert await found(database, "the invoice") == ["bill"]
    assert await found(database, "CAFE roamed") == ["café"]
    assert await found(database, "pay bill", limit=1) == ["pay"]
    assert await found(database, "pay bill", kinds=("stores",)) == []
    assert await found(database, "??") == []
    (first, *_) = await database.search_catalogue("pay", KINDS, 1)
    assert (first.kind, first.title, first.notice) == ("articles", "Ways to pay", "Invented.")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=60) | st.sampled_from(['"', "AND OR", "NEAR(a b)", "title:pay*", "-pay", "(", "a" * 500]))
async def test_no_text_is_too_strange_to_look_for(stocked: Database, text: str) -> None:
    for one in await stocked.search_catalogue(text, KINDS, 5):
        assert one.kind == "stores"


async def test_ids_are_given_by_their_beginning(stocked: Database) -> None:
    assert await stocked.get_item_ids("stores", "s00", 3) == ("s000", "s001", "s002")
    assert await stocked.get_item_ids("stores", "s46", 10) == tuple(f"s46{n}" for n in range(len(PLACES) - 460))
    assert await stocked.get_item_ids("stores", "%", 3) == ()
    assert len(await stocked.get_item_ids("stores", "", 9)) == 9
