"""What is kept of sessions and of the events on their streams, and the Protocol of the store that keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from server.oauth.model import LiveAccessToken

IDLE = 3_600
"""Seconds without use after which a session is over, and after which its events are gone."""
FLUSH_INTERVAL = 60
"""Seconds between two notes of which sessions are in use."""
LOST = IDLE + FLUSH_INTERVAL
"""Seconds after its last noted use in which a session is surely over, though the note may be late."""
KEPT_EVENTS = 1_000
"""Events of one session that are kept at most; the oldest go first."""
KEPT_BYTES = 4 * 1024 * 1024
"""Bytes of one session's events that are kept at most; the oldest go first."""
OVERHEAD = 256
"""Bytes that an event counts for beside its message and what it owes."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who may use a session; each is ``None`` where no token said so."""

    client_id: str | None = None
    user_id: str | None = None


NOBODY = Owner()


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as it is kept; times are Unix seconds."""

    session_digest: str
    owner: Owner
    protocol_version: str
    client_params: str
    """The parameters of its ``initialize``, in JSON."""
    created_at: int
    used_at: int
    """When it was noted to be in use last."""
    last_event: int = 0
    """The highest number that it has given out, as far as that is known."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event on a stream of a session, numbered as the session goes."""

    number: int
    stream: int
    """The number of the event that began its stream, or 0 while it waits for a stream."""
    message: str | None
    """The JSON text of the message, or of several; ``None`` in the event that begins a stream."""
    owed: str | None = None
    """In the answer to a POST: the id of its request in JSON, or the ids of its batch."""
    final: bool = False
    """Whether the stream ends with it."""

    @property
    def size(self) -> int:
        """Bytes that it counts for."""
        return len(self.message or "") + len(self.owed or "") + OVERHEAD


class SessionStore(Protocol):
    """Keeps sessions and events; every method raises `server.oauth.store.StoreUnavailable` as the store does."""

    async def add_mcp_session(self, record: SessionRecord) -> int:
        """Keep a new session, and give how many there are now."""

    async def get_mcp_session(self, session_digest: str) -> SessionRecord | None:
        """Give a session, one that was not used for long too, or ``None``."""

    async def bind_mcp_session(self, session_digest: str, owner: Owner) -> bool:
        """Give a session that belongs to nobody to an owner; ``False`` when it belongs to somebody, or is gone."""

    async def touch_mcp_sessions(self, uses: Mapping[str, int]) -> frozenset[str]:
        """Note when sessions were used last, and give those of them that are still there."""

    async def end_mcp_session(self, session_digest: str) -> None:
        """Remove a session and its events, if it is there."""

    async def list_oldest_mcp_sessions(self, limit: int) -> tuple[int, list[SessionRecord]]:
        """Give how many sessions there are, and those whose noted use is longest ago, the oldest first."""

    async def add_mcp_events(self, events: Sequence[tuple[str, EventRecord]], now: int) -> None:
        """Keep events, each with its session's digest, in one transaction; those of a session that is gone are not.

        What its session then has above `KEPT_EVENTS` or `KEPT_BYTES` goes, the oldest first.
        """

    async def adopt_mcp_events(self, session_digest: str, stream: int) -> None:
        """Put the events of a session that wait for a stream on this one."""

    async def get_access_token(self, token_digest: str, now: int) -> LiveAccessToken | None:
        """Give the token if it, its grant, its client and its user, if it has one, are all live, else ``None``."""

    async def list_mcp_events(
        self, session_digest: str, stream: int, after: int, until: int, limit: int
    ) -> list[EventRecord]:
        """Give a stream's events that are numbered above ``after`` and up to ``until``, in order."""
