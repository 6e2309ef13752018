"""The rate limits over HTTP: who is stopped, and what they are told."""

from collections import Counter

import pytest

from tests.conftest import Start
from tests.support import Live

ENDPOINTS = [
    ("POST", "/register", 60, 6),
    ("POST", "/token", 60, 6),
    ("GET", "/authorize", 30, 2),
    ("GET", "/register/x", 60, 6),
    ("GET", "/oauth/authorize/begin", 30, 2),
]


async def statuses(live: Live, method: str, path: str, times: int, address: str = "198.51.100.1") -> Counter[bool]:
    """Send requests in a row; gives how many were limited and how many were not."""
    headers = {"X-Forwarded-For": address}
    return Counter([(await live.send(method, path, headers=headers)).status == 429 for _ in range(times)])


@pytest.mark.parametrize(("method", "path", "burst", "rate"), ENDPOINTS)
async def test_an_address_that_hammers_is_stopped_and_let_on_with_time(
    start: Start, method: str, path: str, burst: int, rate: int
) -> None:
    async with start(rate_limits=True, trusted_proxies="127.0.0.1") as live:
        assert await statuses(live, method, path, burst + 5) == {False: burst, True: 5}
        assert await statuses(live, method, path, 2, "198.51.100.2") == {False: 2}
        assert await statuses(live, method, path, 2, "2001:db8::1") == {False: 2}
        live.clock.advance(1)
        assert await statuses(live, method, path, rate + 5) == {False: rate, True: 5}


async def test_endpoints_have_limits_of_their_own_and_methods_share_one(start: Start) -> None:
    async with start(rate_limits=True) as live:
        assert await statuses(live, "GET", "/authorize", 31) == {False: 30, True: 1}
        assert await statuses(live, "POST", "/authorize", 1) == {True: 1}
        assert await statuses(live, "POST", "/token", 60) == {False: 60}
        for path in ("/revoke", "/introspect", "/mcp"):
            assert await statuses(live, "POST", path, 70) == {False: 70}
        assert await statuses(live, "OPTIONS", "/token", 70) == {False: 70}


@pytest.mark.parametrize("path", ["/register", "/token"])
async def test_a_client_is_told_in_json_when_to_come_back(start: Start, path: str) -> None:
    async with start(rate_limits=True) as live:
        await statuses(live, "POST", path, 60)
        answer = await live.send("POST", path, data=b"x" * 100_000)
    assert (answer.status, answer.json["error"]) == (429, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


async def test_a_person_is_told_in_a_page(start: Start) -> None:
    async with start(rate_limits=True) as live:
        await statuses(live, "GET", "/authorize", 30)
        answer = await live.send("GET", "/authorize")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Too many requests" in answer.text
    assert "Location" not in answer.headers


async def test_they_can_be_turned_off(start: Start) -> None:
    async with start(rate_limits=False) as live:
        assert await statuses(live, "POST", "/token", 80) == {False: 80}


async def test_what_was_refused_has_changed_nothing_and_is_noted_once(start: Start) -> None:
    async with start(rate_limits=True) as live:
        asked = {"redirect_uris": ["https://a.example/"]}
        answers = Counter([(await live.send("POST", "/register", json=asked)).status for _ in range(70)])
        assert answers == {201: 60, 429: 10}
        assert live.sql("SELECT count(*) FROM clients") == [(60,)]
    noted = live.sql("SELECT address, detail FROM audit_log WHERE event = 'rate_limited'")
    assert noted == [("127.0.0.1", "/register")]
