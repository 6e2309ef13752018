"""The buckets: a burst, a steady rate, and a bound on what is remembered."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.oauth.limits import LIMITS, MOST, Limit, Limiter, Refusal, bucket_of

NOW = 1_800_000_000
SIGN_IN = Limit(5, 1, 20)


def admitted(limiter: Limiter, name: str, now: int, times: int, holder: str = "192.0.2.1") -> int:
    return [limiter.take(name, holder, now) for _ in range(times)].count(None)


def test_the_limits_are_those_that_are_documented() -> None:
    assert LIMITS == {
        "/register": (60, 6, 1),
        "/token": (60, 6, 1),
        "/authorize": (30, 2, 1),
        "sign-in": (5, 1, 20),
        "sign-in account": (5, 1, 20),
    }


@pytest.mark.parametrize(("name", "burst", "rate"), [("/register", 60, 6), ("/token", 60, 6), ("/authorize", 30, 2)])
def test_a_burst_is_let_through_and_then_so_many_a_second(name: str, burst: int, rate: int) -> None:
    limiter = Limiter()
    assert admitted(limiter, name, NOW, burst + 20) == burst
    for second in range(1, 40):
        assert admitted(limiter, name, NOW + second, rate + 3) == rate
    assert admitted(limiter, name, NOW + 1000, burst + 20) == burst


def test_a_rate_below_one_a_second_says_how_long_to_wait() -> None:
    limiter = Limiter({"sign-in": SIGN_IN})
    assert admitted(limiter, "sign-in", NOW, 5) == 5
    assert limiter.take("sign-in", "192.0.2.1", NOW) == Refusal(20, first=True)
    assert limiter.take("sign-in", "192.0.2.1", NOW + 13) == Refusal(7, first=False)
    assert limiter.take("sign-in", "192.0.2.1", NOW + 20) is None
    assert limiter.take("sign-in", "192.0.2.1", NOW + 20) == Refusal(20, first=True)


def test_addresses_and_endpoints_have_buckets_of_their_own() -> None:
    limiter = Limiter()
    assert admitted(limiter, "/token", NOW, 100) == 60
    assert admitted(limiter, "/register", NOW, 100) == 60
    assert admitted(limiter, "/token", NOW, 100, holder="192.0.2.2") == 60


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    limiter = Limiter()
    assert admitted(limiter, "/token", NOW, 100) == 60
    assert admitted(limiter, "/token", NOW - 86_400, 100) == 60


@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(1, 8)), max_size=30),
    st.sampled_from([*LIMITS.values(), SIGN_IN]),
)
def test_it_admits_what_a_bucket_of_tokens_would(steps: list[tuple[int, int]], limit: Limit) -> None:
    limiter, now, tokens = Limiter({"x": limit}), NOW, limit.burst * limit.seconds
    for seconds, requests in steps:
        now += seconds
        tokens = min(limit.burst * limit.seconds, tokens + seconds * limit.tokens)
        for _ in range(requests):
            refusal = limiter.take("x", "192.0.2.1", now)
            assert (refusal is None) == (tokens >= limit.seconds)
            if refusal is None:
                tokens -= limit.seconds
            else:
                assert tokens + refusal.wait * limit.tokens >= limit.seconds
                assert tokens + (refusal.wait - 1) * limit.tokens < limit.seconds


def test_of_many_addresses_the_quietest_are_forgotten() -> None:
    limiter = Limiter(most=50)
    for holder in ("forgotten", "busy"):
        assert admitted(limiter, "/token", NOW, 61, holder) == 60
    for number in range(49):
        assert limiter.take("/token", f"address {number}", NOW) is None
        assert limiter.take("/token", "busy", NOW) is not None
    assert admitted(limiter, "/token", NOW, 61, "forgotten") == 60


def test_however_many_addresses_come_the_memory_is_bounded() -> None:
    limiter = Limiter()
    tracemalloc.start()
    for number in range(MOST):
        limiter.take("/token", str(number), NOW)
    full, _ = tracemalloc.get_traced_memory()
    for number in range(MOST, 3 * MOST):
        limiter.take("/token", str(number), NOW)
    later, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert full < 8_000_000
    assert later < 1.2 * full


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "192.0.2.1", True),
    ],
)
def test_a_64_of_ipv6_is_one_customer(one: str, other: str, *, together: bool) -> None:
    assert (bucket_of(one) == bucket_of(other)) is together
