"""JSON documents on other servers: which may be asked for, one fetch at a time, and for how long one is good."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from server import origins

T = TypeVar("T")

LEAST_FRESH = 300
MOST_FRESH = 86_400
"""Seconds that what was fetched is good for, whatever its server says: at least the one, at most the other."""

STALE = 86_400
"""Seconds beyond that in which it goes on being used while it cannot be fetched again."""

FAILURE_TTL = 30
"""Seconds in which a fetch that failed is not tried again."""

MAX_URL = 2_000

_FAILURES_KEPT = 1_000
_URL = re.compile(r"https?://[!$-;=?-Z_a-z~%\[\]]+")


class RemoteError(Exception):
    """A document cannot be had or used."""

    def __init__(self, reason: str, *, detail: str = "") -> None:
        """Say why in a sentence that a person may read; the detail is for the log."""
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it came, and the seconds that its server lets it be kept, if it says so."""

    body: bytes
    max_age: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of whatever status, read to its end."""

    status: int
    body: bytes = field(repr=False)


class Fetcher(Protocol):
    """Asks other servers, of which each may be hostile."""

    async def fetch(self, url: str, limit: int) -> Fetched:
        """Get a JSON document of at most ``limit`` bytes; raises `RemoteError` for anything else."""


def check_url(url: str, dev_origins: Collection[str]) -> None:
    """Check a URL that a stranger names: https, a path, and nothing that is read in two ways.

    Args:
        url: A client id (Client ID Metadata Document section 3) or a ``jwks_uri``.
        dev_origins: Origins that may speak plain http.

    Raises:
        RemoteError: It says what is wrong.
    """
    if len(url) > MAX_URL or not _URL.fullmatch(url):
        raise RemoteError("It is longer than 2,000 characters, has a fragment, or is no URL at all.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise RemoteError("It is not a well-formed URL.") from None
    if not host or port == 0 or {"@", "%"} & set(parts.netloc):
        raise RemoteError("It has user info, an escape in its host, or no host or port that can exist.")
    if parts.scheme != "https" and origins.write(parts.scheme, host, port) not in dev_origins:
        raise RemoteError("It does not begin with https.")
    if parts.path in {"", "/"}:
        raise RemoteError("It has no path.")
    if not {".", ".."}.isdisjoint(parts.path.lower().replace("%2e", ".").split("/")):
        raise RemoteError("It has dot segments in its path.")


def fresh_until(fetched: Fetched, now: int) -> int:
    """Give the time until which a document is good: between 5 minutes and a day."""
    return now + min(max(fetched.max_age or 0, LEAST_FRESH), MOST_FRESH)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(body.decode())
        json.dumps(decoded, ensure_ascii=False).encode()  # a lone surrogate could not be stored
    except (ValueError, RecursionError):
        raise RemoteError("What is there is not JSON in UTF-8.") from None
    if not isinstance(decoded, dict):
        raise RemoteError("What is there is not a JSON object.")
    return decoded


class Remote:
    """Fetches what others publish: one fetch at a time for each URL, and failures remembered for half a minute."""

    def __init__(self, fetcher: Fetcher | None = None) -> None:
        """Ask through this fetcher; without one, nothing can be had."""
        self._fetcher = fetcher
        self._flights: dict[tuple[str, int], asyncio.Task[Any]] = {}
        self._failures: dict[tuple[str, int], tuple[int, RemoteError]] = {}

    async def renew(self, url: str, limit: int, keep: Callable[[dict[str, Any], int], Awaitable[T]], now: int) -> T:
        """Fetch a JSON object and keep it; whoever asks meanwhile gets the same.

        Args:
            url: A URL that `check_url` let pass.
            limit: The most bytes that it may have, by which documents and keys are told apart.
            keep: Takes the object and the time until which it is good, and stores it.
            now: Unix seconds.

        Raises:
            RemoteError: It cannot be had or used, or could not less than 30 seconds ago.
        """
        key = url, limit
        failed_at, failure = self._failures.get(key, (now - FAILURE_TTL, None))
        if failure is not None and failed_at <= now < failed_at + FAILURE_TTL:
            raise failure.with_traceback(None)
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(url, limit, keep, now))
            flight.add_done_callback(lambda done: self._land(key, done, now))
        result: T = await asyncio.shield(flight)
        return result

    async def _fly(self, url: str, limit: int, keep: Callable[[dict[str, Any], int], Awaitable[T]], now: int) -> T:
        if self._fetcher is None:
            raise RemoteError("Nothing is fetched from other servers here.")
        fetched = await self._fetcher.fetch(url, limit)
        return await keep(_json_object(fetched.body), fresh_until(fetched, now))

    def _land(self, key: tuple[str, int], flight: asyncio.Task[Any], now: int) -> None:
        """Forget a flight that is over, and remember its failure, so that a dead server is not asked all the time."""
        del self._flights[key]
        error = None if flight.cancelled() else flight.exception()
        self._failures.pop(key, None)
        if isinstance(error, RemoteError):
            if len(self._failures) >= _FAILURES_KEPT:
                self._failures.pop(next(iter(self._failures)))
            self._failures[key] = now, error

    async def close(self) -> None:
        """Give up what is under way."""
        flights = tuple(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
