"""What the store needs of a database driver, and how a transaction is written down for one.

A transaction is a generator: it yields statements, is sent each one's rows, and returns its result.
So it is written once, and it is the driver that decides how to run it: in one hop to a thread, or
by awaiting each statement.
"""

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

T = TypeVar("T")

Rows = list[tuple[Any, ...]]


class Statement(NamedTuple):
    """One SQL statement and its ``:named`` parameters."""

    sql: str
    parameters: Mapping[str, object] = {}


Script = Generator[Statement, Rows, T]
"""A transaction. It must do nothing but yield statements: it may run in another thread, or never."""


class Driver(Protocol):
    """Runs transactions; every method raises `server.oauth.store.StoreUnavailable` as the store does."""

    async def read(self, script: Script[T]) -> T:
        """Run a transaction that only reads; it sees everything that was written before the call."""

    async def scan(self, script: Script[T]) -> T:
        """Run a transaction that reads so much that no other read should have to wait for it."""

    async def write(self, script: Script[T]) -> T:
        """Run a transaction; its result comes once it is durable.

        An exception from the script undoes it, and it alone. When the caller gives up first, a
        transaction that has not begun never will; one that has begun is completed.
        """

    async def reclaim(self) -> bool:
        """Give a little free space back to the file system; ``True`` while there is more."""

    async def check(self) -> None:
        """Look for damage where that is cheap; whatever was come upon before is damage until it is found mended."""


def changed(statement: str, **values: object) -> Script[bool]:
    """Run a statement that finds one row or none; ``True`` when it found its row."""
    return bool((yield Statement(statement, values)))
