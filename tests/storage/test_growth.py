"""A hundred thousand clients that nobody uses any more: what the purge makes of them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.storage.database import Database
from server.storage.driver import Driver, Script, T
from server.storage.purge import BATCH, purge
from tests.storage import make
from tests.storage.make import DAY, NOW, digest


class Counted:
    """The database's driver, which counts the rows that each transaction removes."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.batches: list[int] = []

    async def read(self, script: Script[T]) -> T:
        return await self._driver.read(script)

    async def scan(self, script: Script[T]) -> T:
        return await self._driver.scan(script)

    async def write(self, script: Script[T]) -> T:
        result = await self._driver.write(script)
        match result:
            case (int(removed), _):
                self.batches.append(removed)
        return result

    async def check(self) -> None:
        await self._driver.check()

    async def reclaim(self) -> bool:
        return await self._driver.reclaim()


@pytest.mark.timeout(600)
async def test_a_hundred_thousand_dead_clients_go_in_small_batches_and_none_that_holds_a_grant(
    database: Database, path: Path
) -> None:
    await make.logged_in(database)
    dead, every = 100_000, 1_000
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE clients SET last_used_at = NULL, created_at = 0")
        connection.execute("UPDATE grants SET expires_at = NULL, tokens_until = ?", (NOW + 100 * DAY,))
        for number in range(dead + dead // every):
            client_id, holds = f"client {number:06}", number % (every + 1) == 0
            connection.execute(
                "INSERT INTO clients (client_id, token_endpoint_auth_method, redirect_uris, grant_types,"
                " response_types, metadata, created_at) VALUES (?, 'none', '[]', '[]', '[]', '{}', 0)",
                (client_id,),
            )
            grant_id, ends = f"grant {number}", NOW + 100 * DAY if holds else NOW + 90 * DAY
            if holds or number % 100 == 0:
                connection.execute(
                    "INSERT INTO grants"
                    " (grant_id, client_id, user_id, scopes, audience, created_at, revoked_at, tokens_until)"
                    " VALUES (?, ?, 'user', 'read', 'a', ?, ?, ?)",
                    (grant_id, client_id, NOW, None if holds else NOW + 29 * DAY, ends),
                )
                connection.execute(
                    "INSERT INTO refresh_tokens VALUES (?, 'hint', ?, ?, 'salt', 0, ?, NULL)",
                    (digest(grant_id), grant_id, client_id, ends),
                )
    counted = Counted(database.driver)

    removed = await purge(counted, NOW + 30 * DAY)

    assert removed["clients"] == dead
    assert max(counted.batches) <= BATCH
    assert dead / BATCH <= len(counted.batches) <= 2 * (dead / BATCH + removed["grants"] / BATCH) + 500
    with closing(sqlite3.connect(path)) as connection:
        kept = connection.execute("SELECT client_id FROM clients").fetchall()
        held = connection.execute("SELECT client_id FROM grants WHERE revoked_at IS NULL").fetchall()
    assert sorted(kept) == sorted(held)
    assert len(kept) == dead // every + 1
