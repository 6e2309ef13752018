"""A database of each earlier version, with rows in every table, becomes one of this version where it lies."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.shipped import directory
from server.storage.backup import rehearse
from server.storage.database import open_database
from server.storage.migrate import Migration, load, migrate, pending
from tests.storage.make import NOW, digest

SHIPPED = load(directory("migrations"))
LEVELS = [migration.name for migration in SHIPPED]
FORMER = "0002_views.sqlite.sql"
"""The first version that could be used."""

CHECKED = {"kind": "prepaid", "balance_after_cents": 0, "last_four": "0005"}
"""Values for columns that take only some."""

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.db"


def folder_until(tmp_path: Path, level: str) -> Path:
    """Give a folder with the migrations up to a level."""
    folder = tmp_path / "older"
    folder.mkdir()
    migration: Migration
    for migration in SHIPPED[: LEVELS.index(level) + 1]:
        (folder / migration.name).write_text(migration.text)
    return folder


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    return connection


def tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return sorted(name for (name,) in found if name != "schema_migrations")


def contents(connection: sqlite3.Connection) -> Rows:
    return {
        table: [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]  # noqa: S608 - a table's name
        for table in tables(connection)
    }


def value(column: sqlite3.Row) -> object:
    """Make a value for a column: those of one name are equal, so that rows of one table belong to those of others."""
    if column["name"] in CHECKED:
        return CHECKED[column["name"]]
    if column["type"].lower() in {"bigint", "integer", "boolean"}:
        return 1
    return "[]" if column["name"].endswith("s") and column["name"] not in {"address", "status"} else column["name"]


def fill(connection: sqlite3.Connection) -> None:
    """Put a row into every table that takes one."""
    connection.execute("PRAGMA foreign_keys = OFF")
    for table in tables(connection):
        columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        names = ", ".join(f'"{column["name"]}"' for column in columns)
        marks = ", ".join("?" * len(columns))
        connection.execute(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608 - names of the schema
            [value(column) for column in columns],
        )
    connection.commit()


def schema(path: Path) -> dict[str, str]:
    """Give what makes up a schema, without regard to how it was written down."""
    with closing(connect(path)) as connection:
        found = connection.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2").fetchall()
        columns = {
            f"columns of {table}": str([tuple(row)[1:] for row in connection.execute(f'PRAGMA table_info("{table}")')])
            for table in tables(connection)
        }
    return {f"{row['type']} {row['name']}": row["tbl_name"] for row in found} | columns


@pytest.mark.parametrize("level", LEVELS)
def test_each_earlier_version_is_upgraded_with_its_rows(path: Path, tmp_path: Path, level: str) -> None:
    migrate(path, NOW, folder=folder_until(tmp_path, level))
    with closing(connect(path)) as connection:
        fill(connection)
        before = contents(connection)
    missing = tuple(LEVELS[LEVELS.index(level) + 1 :])
    assert pending(path) == missing
    assert rehearse(path, NOW) == missing
    assert pending(path) == missing

    assert migrate(path, NOW) == missing

    with closing(connect(path)) as connection:
        after = contents(connection)
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert all(before.values())
    for table, rows in before.items():
        for row, kept in zip(rows, after[table], strict=False):
            assert {name: kept[name] for name in row if name in kept} == {n: v for n, v in row.items() if n in kept}
        assert len(after[table]) >= len(rows), table
    migrate(tmp_path / "fresh.db", NOW)
    assert schema(path) == schema(tmp_path / "fresh.db")


async def test_what_was_issued_by_the_first_version_is_good_in_this_one(path: Path, tmp_path: Path) -> None:
    migrate(path, NOW, folder=folder_until(tmp_path, FORMER))
    with closing(connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO clients VALUES ('c', 'n', 'none', '[\"a:b\"]', '[]', '[]', NULL, NULL, '{}', 1, 1)"
        )
        connection.execute("INSERT INTO users VALUES ('u', 'i', 's', 'Uschi', NULL, 1, NULL)")
        connection.execute("INSERT INTO grants VALUES ('g', 'c', 'u', 'read', 'a', 1, ?, NULL, NULL)", (NOW + 9,))
        connection.execute(
            "INSERT INTO access_tokens VALUES (?, 'h', 'g', 'c', 'u', 'read', 'a', 1, ?, NULL)", (digest("t"), NOW + 9)
        )
    async with open_database(path, NOW) as store:
        live = await store.get_access_token(digest("t"), NOW)
        assert live is not None
        assert live.user is not None
        assert (live.token.client_id, live.user.user_id) == ("c", "u")
        assert await store.get_client("c") is not None


def test_a_rehearsal_leaves_nothing_behind(path: Path, tmp_path: Path) -> None:
    assert rehearse(path, NOW) == tuple(LEVELS)
    assert list(tmp_path.iterdir()) == []
    migrate(path, NOW, folder=folder_until(tmp_path, FORMER))
    before = path.read_bytes()
    rehearse(path, NOW)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["older", "server.db"]
