"""Counting, without a server."""

from server.meter import LATENCIES, NO_ROUTE, Meter


def test_methods_from_outside_are_one_label() -> None:
    meter = Meter()
    for number in range(1_000):
        meter.answered(f"BREW{number}", NO_ROUTE, 404, 0.001)
    meter.answered("GET", NO_ROUTE, 404, 0.001)
    assert meter.requests == {("other", NO_ROUTE, 404): 1_000, ("GET", NO_ROUTE, 404): 1}


def test_a_duration_is_sorted_below_its_bound() -> None:
    meter = Meter()
    for seconds in (0.0, LATENCIES[0], LATENCIES[0] * 1.01, LATENCIES[-1] + 1):
        meter.answered("GET", "/", 200, seconds)
    times = meter.latencies["/"]
    assert (times.buckets[:2], times.buckets[-1], sum(times.buckets)) == ([2, 1], 1, 4)
    assert times.total == sum((LATENCIES[0] * 2.01, LATENCIES[-1] + 1))


def test_a_stream_is_counted_without_its_time() -> None:
    meter = Meter()
    meter.answered("GET", "/mcp", 200, None)
    assert (sum(meter.requests.values()), meter.latencies) == (1, {})
