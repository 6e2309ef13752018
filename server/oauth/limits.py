"""Rate limits: a token bucket for each address and endpoint, in memory that has a bound."""

from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import IPv6Address
from math import ceil
from typing import NamedTuple

from pyrate_limiter import Rate, TokenBucket

MOST = 10_000
"""Addresses that are remembered for each limit; beyond it the one that has been quiet the longest is forgotten."""

_TOKEN = 1_000
"""Time is told to the library in thousandths of what one token takes: it rounds that to whole units, and would
make six a second five in the first."""


class Limit(NamedTuple):
    """How much may come at once, and how much in the long run: ``tokens`` in ``seconds``."""

    burst: int
    tokens: int
    seconds: int = 1


LIMITS: Mapping[str, Limit] = {
    "/register": Limit(60, 6),
    "/token": Limit(60, 6),
    "/authorize": Limit(30, 2),
    "sign-in": Limit(5, 1, 20),
    "sign-in account": Limit(5, 1, 20),
}
"""By what is limited: generous, because the users of a hosted assistant share few addresses. But whoever signs in
does it seldom; attempts are limited for each address, and for each account wherever they come from."""


class Refusal(NamedTuple):
    """Too much has come."""

    wait: int
    """Whole seconds after which the next will be let through."""
    first: bool
    """Whether the one before was let through."""


class Limiter:
    """The buckets of every limit. It is for one event loop, and is forgotten with the process."""

    def __init__(self, limits: Mapping[str, Limit] = LIMITS, most: int = MOST) -> None:
        """Make full buckets.

        Args:
            limits: The limits by name.
            most: Holders that are remembered for each of them.
        """
        self._most = most
        self._limits = limits
        self._rates = {name: [Rate(1, _TOKEN, burst=limit.burst)] for name, limit in limits.items()}
        self._buckets: dict[str, OrderedDict[str, tuple[tuple[float, ...], bool]]] = {
            name: OrderedDict() for name in limits
        }
        self._algorithm = TokenBucket()

    def take(self, name: str, holder: str, now: int) -> Refusal | None:
        """Take a token out of a holder's bucket; ``None`` when there was one.

        Args:
            name: Which limit.
            holder: Whose bucket: an address as `bucket_of` gives it.
            now: Unix seconds. A clock that was set back fills the bucket.
        """
        limit, rates, buckets = self._limits[name], self._rates[name], self._buckets[name]
        time = now * _TOKEN * limit.tokens // limit.seconds
        state, refused = buckets.pop(holder, (None, False))
        if state is None or self._algorithm.consumed(rates, state, time) > limit.burst:
            state = self._algorithm.initial(rates)
        state, decision = self._algorithm.step(rates, state, time, 1)
        buckets[holder] = state, not decision.allowed
        if len(buckets) > self._most:
            buckets.popitem(last=False)
        if decision.allowed:
            return None
        wait = ceil((decision.retry_after_ms or _TOKEN) * limit.seconds / (_TOKEN * limit.tokens))
        return Refusal(wait, first=not refused)


def bucket_of(address: str) -> str:
    """Give what shares a bucket with an address: itself, or its /64, which is what one IPv6 customer has."""
    return f"{IPv6Address(address).packed[:8].hex()}/64" if ":" in address else address
