"""Counts what happens, so cheaply that each request can be counted: plain numbers, changed by the event loop alone."""

import asyncio
from bisect import bisect_left
from collections import Counter

LATENCIES = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds by which the times of answers are sorted."""

LAGS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Upper bounds in seconds by which the delays of the event loop are sorted; uvloop counts whole milliseconds."""

NO_ROUTE = "none"
"""In place of a route's template, where a path leads nowhere."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "other"
_LAG_PAUSE = 0.25


class Times:
    """Durations, sorted by bounds into one more bucket than there are bounds, and their sum in seconds."""

    __slots__ = ("bounds", "buckets", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """Begin with none."""
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.buckets[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Meter:
    """What happened since the start. No label comes from outside but for those that a fixed list holds."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.requests: dict[tuple[str, str, int], int] = {}
        """How many, by method, route and status."""
        self.latencies: dict[str, Times] = {}
        """How long they took, by route; event streams are left out."""
        self.lag = Times(LAGS)
        self.streams = 0
        """Event streams that are open now."""
        self.issued: Counter[str] = Counter()
        """Answers of the token endpoint with tokens, by grant."""
        self.refused: Counter[str] = Counter()
        """Answers of the token endpoint without, by reason."""
        self.purged: Counter[str] = Counter()
        """Rows that were removed, by table."""
        self.purges: Counter[str] = Counter(done=0, failed=0)
        self.purged_at = 0
        """When the last purge was done, in Unix seconds; 0 if none was."""

    def answered(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count an answer.

        Args:
            method: The request's.
            route: The template of its path, or `NO_ROUTE`.
            status: The answer's.
            seconds: How long it took; ``None`` for an event stream, which takes as long as its client likes.
        """
        key = method, route, status
        try:
            self.requests[key] += 1
        except KeyError:
            key = method if method in _METHODS else _OTHER, route, status
            self.requests[key] = self.requests.get(key, 0) + 1
        if seconds is not None:
            try:
                times = self.latencies[route]
            except KeyError:
                times = self.latencies[route] = Times(LATENCIES)
            times.buckets[bisect_left(LATENCIES, seconds)] += 1
            times.total += seconds

    def purge_done(self, removed: dict[str, int], now: int) -> None:
        """Count a purge and what it removed; ``now`` is in Unix seconds."""
        self.purges["done"] += 1
        self.purged.update(removed)
        self.purged_at = now

    def purge_failed(self) -> None:
        """Count a purge that came to nothing."""
        self.purges["failed"] += 1

    async def watch_loop(self) -> None:
        """Measure, for ever, by how much the event loop is late."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_PAUSE
            await asyncio.sleep(_LAG_PAUSE)
            self.lag.add(max(loop.time() - due, 0.0))
