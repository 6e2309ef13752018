import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server import shipped
from server.catalogue.editions import CatalogueError, publish, ship
from server.catalogue.files import KINDS, Sheet, read
from server.catalogue.store import Item
from server.storage.database import Database, open_database
from tests.catalogue.conftest import NOW

SHIPPED = shipped.directory("data")
HOUR = 3_600


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of what ships, to be changed as an upgrade would."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "data", ignore=shutil.ignore_patterns("*.db*")))


def upgrade(data: Path, kind: str = "plans") -> None:
    path = data / f"{kind}.json"
    document = json.loads(path.read_bytes())
    document[KINDS[kind].member][0]["name"] = "Upgraded"
    path.write_text(json.dumps(document))


def plans(count: int, name: str = "Own") -> Sheet:
    row = {"productType": "wireless", "tier": "T", "priceCents": 1, "priceNote": "a month", "features": ["A"]}
    rows = [{"id": f"p{number}", "name": f"{name} {number}", **row} for number in range(count)]
    return read(json.dumps({"notice": name, "plans": rows}).encode())


async def own(store: Database, sheet: Sheet, now: int = NOW, replaces: Any = ...) -> bool:
    before = await numbers(store)
    replaced = before.get(sheet.kind) if replaces is ... else replaces
    return await publish(store, sheet, source="imported", digest="d", replaces=replaced, now=now)


async def numbers(store: Database) -> dict[str, int]:
    return {edition.kind: edition.edition for edition in await store.get_editions()}


async def names(store: Database, kind: str = "plans") -> list[str]:
    stock = await store.get_stock(kind, None)
    assert stock is not None
    return [json.loads(document)["name"] for document in stock.documents]


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - a test's own name


async def test_what_ships_is_published_once(store: Database, path: Path) -> None:
    await ship(store, SHIPPED, NOW)
    first = await store.get_editions()
    assert {edition.kind for edition in first} == set(KINDS)
    assert all((edition.source, edition.published_at) == ("shipped", NOW) for edition in first)
    items = count(path, "catalogue_items")
    await ship(store, SHIPPED, NOW + 1)
    assert await store.get_editions() == first
    assert count(path, "catalogue_items") == items == sum(edition.items for edition in first)


async def test_an_upgrade_of_what_ships_reaches_the_database(store: Database, path: Path, data: Path) -> None:
    await ship(store, SHIPPED, NOW)
    before, items = await numbers(store), count(path, "catalogue_items")
    upgrade(data)
    await ship(store, data, NOW + 1)
    after = await numbers(store)
    assert "Upgraded" in await names(store)
    assert {kind for kind in before if before[kind] != after[kind]} == {"plans"}
    assert count(path, "catalogue_items") == count(path, "catalogue_words") == items
    assert [found.title for found in await store.search_catalogue("Upgraded", ("plans",), 5)] == ["Upgraded"]


async def test_what_the_operator_imported_stays_through_an_upgrade(store: Database, data: Path) -> None:
    await ship(store, SHIPPED, NOW)
    assert await own(store, plans(2))
    upgrade(data)
    await ship(store, data, NOW + 1)
    assert await names(store) == ["Own 0", "Own 1"]
    await ship(store, data, NOW + 2, anew=["plans"])
    assert "Upgraded" in await names(store)


async def test_an_import_is_seen_all_at_once(store: Database) -> None:
    assert await own(store, plans(3, "Old"))
    edition = await store.start_edition("plans", "imported", "d", None, NOW)
    sheet = plans(600, "New")
    await store.add_items(edition, 0, [Item.of(row) for row in sheet.rows])
    assert await names(store) == ["Old 0", "Old 1", "Old 2"]
    assert await store.search_catalogue("New", ("plans",), 5) == ()
    assert await store.get_item("plans", "p500") is None
    assert await store.get_item_ids("plans", "p5", 5) == ()
    assert await store.publish_edition(edition, (await numbers(store))["plans"], NOW)
    assert len(await names(store)) == 600
    assert (await store.search_catalogue("New", ("plans",), 5)) != ()


async def test_of_two_imports_at_once_one_is_told_and_leaves_nothing(store: Database, path: Path) -> None:
    done = await asyncio.gather(own(store, plans(300, "One")), own(store, plans(300, "Two")))
    assert sorted(done) == [False, True]
    assert len({name.split()[0] for name in await names(store)}) == 1
    assert not await store.sweep_catalogue(NOW)
    assert count(path, "catalogue_items") == count(path, "catalogue_words") == 300


async def test_processes_that_start_at_once_agree(path: Path) -> None:
    async def start() -> dict[str, int]:
        async with open_database(path, NOW) as opened:
            await ship(opened, SHIPPED, NOW)
            return await numbers(opened)

    started = await asyncio.gather(*(start() for _ in range(4)))
    assert all(found == started[0] for found in started)
    assert count(path, "catalogue_items") == sum(
        len(read((SHIPPED / f"{kind}.json").read_bytes()).rows) for kind in KINDS
    )


async def test_what_an_import_left_that_died_is_removed_later(store: Database, path: Path) -> None:
    edition = await store.start_edition("plans", "imported", "d", None, NOW)
    await store.add_items(edition, 0, [Item.of(row) for row in plans(700).rows])
    assert await own(store, plans(1), NOW + HOUR - 1)
    assert count(path, "catalogue_items") == 701
    assert await own(store, plans(1), NOW + HOUR)
    assert count(path, "catalogue_items") == count(path, "catalogue_words") == 1
    with pytest.raises(RuntimeError, match="not open"):
        await store.add_items(edition, 700, [Item.of(row) for row in plans(1).rows])
    with pytest.raises(RuntimeError, match="not open"):
        await store.publish_edition(edition, (await numbers(store))["plans"], NOW)


async def test_stores_that_are_replaced_are_no_longer_near(store: Database, path: Path) -> None:
    await ship(store, SHIPPED, NOW)
    sheet = read((SHIPPED / "stores.json").read_bytes())
    sheet.rows = sheet.rows[:1]
    assert await own(store, sheet)
    place = sheet.rows[0].place
    assert place is not None
    assert await store.count_near("stores", place, 10_000, None) == 1
    assert count(path, "catalogue_places") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"{", "line 1: not JSON"), (b'{"plans": [\n{}]}', "line 2: id is missing")],
)
async def test_a_broken_file_that_ships_is_told_in_one_line(
    store: Database, data: Path, content: bytes | None, message: str
) -> None:
    (data / "plans.json").unlink()
    if content is not None:
        (data / "plans.json").write_bytes(content)
    with pytest.raises(CatalogueError, match=message) as caught:
        await ship(store, data, NOW)
    assert "plans.json: " in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_pages_of_an_edition_are_its_rows_in_order(store: Database) -> None:
    assert await own(store, plans(7))
    edition = (await numbers(store))["plans"]
    first = await store.get_documents(edition, -1, 5)
    rest = await store.get_documents(edition, first[-1][0], 5)
    assert [json.loads(document)["id"] for _, document in [*first, *rest]] == [f"p{n}" for n in range(7)]
    assert await store.get_documents(edition, rest[-1][0], 5) == []
