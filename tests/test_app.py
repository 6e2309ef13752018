"""Wiring: what starts, what runs beside the requests, and what a stop leaves behind."""

import asyncio
from pathlib import Path

import pytest

from server.transport.load import LoadError
from tests.browser import Browser
from tests.conftest import Start
from tests.support import START, Live


def beside(database: Path) -> list[str]:
    """Name the files that SQLite leaves beside a database that is open."""
    return sorted(path.name for path in database.parent.glob("server.db-*"))


async def test_a_stop_closes_the_database(start: Start) -> None:
    async with start() as live:
        await live.register()
        assert beside(live.database) == ["server.db-shm", "server.db-wal"]
    assert beside(live.database) == []


async def test_a_start_that_fails_half_way_says_why_and_closes_the_database(start: Start, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="cannot be imported"):
        async with start(mcp_server="nowhere:build"):
            pass
    assert (tmp_path / "server.db").exists()
    assert beside(tmp_path / "server.db") == []


async def test_the_purge_runs_beside_the_requests(start: Start) -> None:
    async with start(purge_interval=1) as live:
        app = await live.register()
        await live.browser().open_page(app)
        live.sql("UPDATE authorization_requests SET expires_at = expires_at - 600 - 3600 - 1")
        for _ in range(100):
            await asyncio.sleep(0.1)
            if live.sql("SELECT count(*) FROM authorization_requests") == [(0,)]:
                break
        else:
            pytest.fail("the expired request is still there")
        assert live.sql("SELECT client_id FROM clients") == [(app.client_id,)]


async def test_a_restart_at_any_point_of_the_way_changes_nothing(start: Start) -> None:
    fixed = {"server_url": "http://localhost:8000"}
    async with start(**fixed) as live:
        app = await live.register(token_endpoint_auth_method="client_secret_basic")
    async with start(**fixed) as live:
        page = await live.browser().open_page(app, scope="read write")
    async with start(**fixed) as live:
        answer = await page.submit("approve", browser=Browser(live.send, page.browser.cookies))
    async with start(**fixed) as live:
        first = (await live.exchange(app, answer.returned["code"], page.verifier)).json
    async with start(**fixed) as live:
        assert await live.is_active(app, first["access_token"])
        second = (await live.refresh(app, first["refresh_token"])).json
    async with start(**fixed) as live:
        again = (await live.refresh(app, first["refresh_token"])).json
        assert (again["refresh_token"], again["scope"]) == (second["refresh_token"], "read write")
        await live.post("/revoke", app, token=again["refresh_token"])
    async with start(**fixed) as live:
        assert not await live.is_active(app, second["access_token"])


async def test_times_come_from_the_one_clock(live: Live) -> None:
    app = await live.register()
    live.clock.advance(1_000)
    tokens = await live.log_in(app)
    described = await live.introspect(app, tokens["access_token"])
    assert (app.registration["client_id_issued_at"], described["iat"]) == (START, START + 1_000)
