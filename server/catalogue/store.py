"""What the catalogue needs of the store: editions that are written bit by bit and seen all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from server.catalogue.rows import LatLong, Row
from server.oauth.audit import Event

Source = Literal["shipped", "imported"]


@dataclass(frozen=True, slots=True)
class Edition:
    """The rows of a kind as they were published."""

    edition: int
    kind: str
    source: str
    """``shipped`` with the program, or ``imported``."""
    digest: str
    """The hexadecimal SHA-256 of the file."""
    notice: str | None
    """What readers have to be told of the rows."""
    items: int
    published_at: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row, ready to be kept: as JSON, and with what it is found by."""

    id: str
    title: str
    words: str
    document: str
    place: LatLong | None = None
    category: str | None = None

    @classmethod
    def of(cls, row: Row) -> "Item":
        """Make the item of a row."""
        document = row.model_dump_json(by_alias=True, exclude_none=True)
        return cls(row.id, row.title, "\n".join(row.words()), document, row.place, row.group)


class EditionStore(Protocol):
    """Keeps the editions; every method raises `server.oauth.store.StoreUnavailable` as the store does."""

    async def get_editions(self) -> tuple[Edition, ...]:
        """Give the published edition of each kind, in the order of the kinds' names."""

    async def start_edition(self, kind: str, source: Source, digest: str, notice: str | None, now: int) -> int:
        """Begin an edition that nobody sees yet, and give its number."""

    async def add_items(self, edition: int, position: int, items: Sequence[Item]) -> None:
        """Add items to an edition that is not published, the first of them at this position."""

    async def publish_edition(self, edition: int, replaces: int | None, now: int, event: Event | None = None) -> bool:
        """Let an edition take the place of another, or of none; ``False`` when that is not the published one."""

    async def sweep_catalogue(self, now: int) -> bool:
        """Remove some items of editions that are over; ``True`` while there are more."""

    async def get_documents(self, edition: int, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Give items of an edition as position and JSON, in the order of the file, from behind a position."""
