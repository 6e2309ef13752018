"""GET /oauth/stats, /health and /health/ready."""

import asyncio
import sqlite3
import time
from contextlib import closing

from server.oauth.issue import ROUNDING
from tests.support import Live


async def test_stats_count_what_is_live_and_nothing_else(live: Live) -> None:
    expected = {
        "oauth_enabled": True,
        "issuer_url": live.url,
        "valid_scopes": ["read", "write", "payment", "account"],
        "default_scopes": ["read"],
        "clients": 0,
        "authorization_codes": 0,
        "access_tokens": 0,
        "refresh_tokens": 0,
        "provider": "demo",
    }
    answer = await live.send("GET", "/oauth/stats")
    assert (answer.status, answer.json) == (200, expected)
    assert answer.headers["Cache-Control"] == "no-store"
    app = await live.register()
    page = await live.browser().open_page(app)
    code = (await page.approve()).returned["code"]
    assert (await live.send("GET", "/oauth/stats")).json == {**expected, "clients": 1, "authorization_codes": 1}
    tokens = (await live.exchange(app, code, page.verifier)).json
    held = {**expected, "clients": 1, "access_tokens": 1, "refresh_tokens": 1}
    assert (await live.send("GET", "/oauth/stats")).json == held
    await live.refresh(app, tokens["refresh_token"])
    assert (await live.send("GET", "/oauth/stats")).json == {**held, "access_tokens": 2}
    live.clock.advance(3_600 + ROUNDING)
    assert (await live.send("GET", "/oauth/stats")).json == {**held, "access_tokens": 0}
    live.clock.advance(86_400)
    assert (await live.send("GET", "/oauth/stats")).json == {**expected, "clients": 1}


async def test_the_process_and_the_database_are_well(live: Live) -> None:
    assert (await live.send("GET", "/health")).status == 200
    assert (await live.send("GET", "/health/ready")).status == 200


async def test_a_database_that_another_process_keeps_locked_is_503_and_nothing_is_changed(live: Live) -> None:
    app = await live.register()
    with closing(sqlite3.connect(live.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asked_at = time.monotonic()
        ready, registered, (begun, _) = await asyncio.gather(
            live.send("GET", "/health/ready"),
            live.send("POST", "/register", json={"redirect_uris": ["https://a.example/"]}),
            live.browser().authorize(app),
        )
        assert 4.9 < time.monotonic() - asked_at < 8
        assert (await live.send("GET", "/health")).status == 200
        assert (await live.send("GET", "/oauth/stats")).json["clients"] == 1
    for answer in (ready, registered, begun):
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.headers["Cache-Control"] == "no-store"
    assert registered.json["error"] == "temporarily_unavailable"
    assert begun.headers["Content-Type"].startswith("text/html")
    assert live.sql("SELECT count(*) FROM clients") == [(1,)]
    assert (await live.send("GET", "/health/ready")).status == 200
