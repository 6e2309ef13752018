"""The catalogue as the tools see it: what is published at the moment of the call."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from server.catalogue.rows import LatLong, Row

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Stock:
    """Rows of a kind as JSON, the edition they are of (0 when there is none), and its notice."""

    edition: int
    notice: str | None
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One row of any kind."""

    kind: str
    id: str
    title: str
    document: str
    """The row as JSON."""
    notice: str | None
    """What a reader has to be told of it."""


class Shelves(Protocol):
    """The catalogue that is published; every method raises `StoreUnavailable` as the store does."""

    async def get_stock(self, kind: str, known: int | None) -> Stock | None:
        """Give the rows of a kind in the order of their file; ``None`` when the edition is the one known."""

    async def find_near(
        self, kind: str, place: LatLong, miles: float | None, category: str | None, limit: int
    ) -> Stock:
        """Give the rows of a kind that are nearest to a place, nearest first.

        Args:
            kind: Which rows.
            place: From where.
            miles: How far at most, or no limit.
            category: Only those of it, such as a type of store.
            limit: How many at most.
        """

    async def count_near(self, kind: str, place: LatLong, miles: float, category: str | None) -> int:
        """Count the rows of a kind within so many miles of a place."""

    async def search_catalogue(self, text: str, kinds: Sequence[str], limit: int) -> tuple[Found, ...]:
        """Give rows of some kinds: those that hold all words of a text, then those that hold any; the best first."""

    async def get_item(self, kind: str, item_id: str) -> Found | None:
        """Give the row of an id, or ``None``."""

    async def get_item_ids(self, kind: str, prefix: str, limit: int) -> tuple[str, ...]:
        """Give ids of a kind that begin with a prefix, sorted."""


@dataclass(frozen=True)
class Rows(Generic[R]):
    """The rows of a kind in the order of their file, and what a reader has to be told of them."""

    all: tuple[R, ...] = ()
    notice: str | None = None

    @cached_property
    def by_id(self) -> dict[str, R]:
        """The same by their ids."""
        return {row.id: row for row in self.all}


class Shelf(Generic[R]):
    """The rows of one kind: the store is asked at each call, and they are read anew only when they changed."""

    def __init__(self, store: Shelves, kind: str, row: type[R]) -> None:
        """Read nothing yet."""
        self._store, self._kind, self._row = store, kind, row
        self._edition: int | None = None
        self._rows: Rows[R] = Rows()

    async def rows(self) -> Rows[R]:
        """Give the rows that are published now."""
        stock = await self._store.get_stock(self._kind, self._edition)
        if stock is not None:
            made = tuple(self._row.model_validate_json(document) for document in stock.documents)
            self._rows = Rows(made, stock.notice)
            self._edition = stock.edition
        return self._rows
