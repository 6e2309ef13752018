"""Event streams that outlive their connections: every event is kept before it is sent, and can be asked for again.

(MCP Transports 2025-11-25, "Resumability and Redelivery".)
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from mcp_types import INTERNAL_ERROR
from mcp_types.version import is_version_at_least
from pydantic_core import from_json, to_json

from server.clock import Clock
from server.oauth.store import StoreUnavailable
from server.transport.reader import Reader
from server.transport.records import KEPT_BYTES, EventRecord, SessionStore

log = logging.getLogger(__name__)

RETRY = 3_000
"""Milliseconds after which a client should come back to a stream that was cut or closed.

The SDKs' clients try twice and then give up, so this outlasts a restart of twice as long.
"""
MAX_UNKEPT = 32
"""Events of one stream that may wait to be kept; who sends more waits for them."""
MAX_UNKEPT_BYTES = 256 * 1024
"""Bytes of them."""

ANSWER, STANDING = "a", "s"
STOPPED = "The server stopped before this was done"
"""What a client is told whose request ended with the process that was at it."""

_BATCH = 256
_EVENT_ID = re.compile(r"(?P<kind>[as])(?P<stream>[0-9]{1,18})-(?P<event>[0-9]{1,18})")


class Cursor(NamedTuple):
    """What an event id says: the kind and number of its stream, and the event's own number."""

    kind: str
    stream: int
    event: int


def read_event_id(text: str) -> Cursor | None:
    """Read an event id as `Stream.frame` writes it; ``None`` for any other text."""
    found = _EVENT_ID.fullmatch(text)
    return Cursor(found["kind"], int(found["stream"]), int(found["event"])) if found else None


class _Waiting(NamedTuple):
    session_digest: str
    event: EventRecord | None
    """``None`` to be told only when all before is delivered."""
    deliver: Callable[[bool], None]


class Journal:
    """Keeps the events of all sessions, together with the others that wait, and only then delivers them."""

    def __init__(self, store: SessionStore, clock: Clock) -> None:
        """Keep events in this store."""
        self._store = store
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._work: asyncio.Task[None] | None = None

    def add(self, session_digest: str, event: EventRecord | None, deliver: Callable[[bool], None]) -> None:
        """Queue an event; ``deliver`` is called once it is kept, with ``False`` if it cannot be."""
        self._waiting.append(_Waiting(session_digest, event, deliver))
        if self._work is None:
            self._work = asyncio.create_task(self._keep())

    async def flush(self) -> None:
        """Wait until whatever was queued before has been delivered."""
        if self._work is not None:
            done = asyncio.Event()
            self.add("", None, lambda _: done.set())
            await done.wait()

    async def _keep(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
                kept = await self._write(batch)
                for one in batch:
                    _deliver(one, kept=kept)
        finally:
            self._work = None

    async def _write(self, batch: Sequence[_Waiting]) -> bool:
        events = [(one.session_digest, kept) for one in batch if one.event and (kept := keepable(one.event))]
        try:
            if events:
                await self._store.add_mcp_events(events, self._clock())
        except StoreUnavailable as error:
            log.warning("%d events were sent without being kept: %s", len(events), error)
            return False
        except Exception:
            log.exception("%d events were sent without being kept", len(events))
            return False
        return True


def _deliver(one: _Waiting, *, kept: bool) -> None:
    """Deliver an event; what fails there must not keep the others waiting."""
    try:
        one.deliver(kept)
    except Exception:
        log.exception("an event could not be delivered")


def failed(owed: str | None, reason: str) -> str:
    """Write the answer to whatever a stream owes, one or several, when there is no other.

    Args:
        owed: As in `EventRecord.owed`.
        reason: What to tell the client.
    """
    ids = from_json(owed or "null")
    error = {"code": INTERNAL_ERROR, "message": reason}
    answers = [{"jsonrpc": "2.0", "id": one, "error": error} for one in (ids if isinstance(ids, list) else [ids])]
    return to_json(answers if isinstance(ids, list) else answers[0]).decode()


def keepable(event: EventRecord) -> EventRecord | None:
    """Give what is kept of an event: of one that is too large nothing, or that it was if a client waits for it."""
    if event.size <= KEPT_BYTES:
        return event
    return replace(event, message=failed(event.owed, "The answer was too large to be kept")) if event.final else None


class Stream:
    """A stream of a session: events in their order, and the connection that reads them just now, if any."""

    def __init__(self, journal: Journal, session_digest: str, version: str, kind: str, number: int) -> None:
        """Make a stream, which was begun before if its number is not new.

        Args:
            journal: Keeps its events.
            session_digest: Whose it is.
            version: The protocol revision that was negotiated.
            kind: `ANSWER` or `STANDING`.
            number: That of the event that began it.
        """
        self.number = number
        self.kind = kind
        self.reader: Reader | None = None
        self.on_finished: Callable[[], None] | None = None
        self.lost: str | None = None
        """What it owes, as in `EventRecord.owed`, if the process that was at it is gone."""
        self.primed = is_version_at_least(version, "2025-11-25")
        """Whether its client knows how to come back to it before the first message."""
        self._journal = journal
        self._session_digest = session_digest
        self._unkept = self._unkept_bytes = 0
        self._room: asyncio.Event | None = None

    def put(self, event: EventRecord) -> None:
        """Keep an event, and then send it."""
        self._unkept += 1
        self._unkept_bytes += event.size
        self._journal.add(self._session_digest, event, lambda kept: self._deliver(event, kept))

    async def room(self) -> None:
        """Wait while too much of this stream waits to be kept."""
        while self._is_full:
            self._room = self._room or asyncio.Event()
            await self._room.wait()

    @property
    def _is_full(self) -> bool:
        return self._unkept > MAX_UNKEPT or self._unkept_bytes > MAX_UNKEPT_BYTES

    def attach(self, reader: Reader, boundary: int) -> None:
        """Let a connection read from now on, and no other; events up to ``boundary`` are not pushed to it."""
        if self.reader is not None:
            self.reader.end()
        reader.boundary = boundary
        self.reader = reader

    def detach(self, reader: Reader) -> None:
        """Take a connection off that is over."""
        if self.reader is reader:
            self.reader = None

    def close(self) -> None:
        """End the connection that reads, once it has what was put before; the stream itself goes on."""
        reader = self.reader
        if reader is not None:
            self._journal.add(self._session_digest, None, lambda _: reader.end())

    def frame(self, event: EventRecord, *, kept: bool = True) -> bytes:
        """Write an event as it goes over the wire; one that was not kept has no id to come back to."""
        if event.message is None:
            return self.priming(0) if kept else b""
        name = f"id: {self.kind}{self.number}-{event.number}\n" if kept else ""
        return f"{name}event: message\ndata: {event.message}\n\n".encode()

    def priming(self, after: int) -> bytes:
        """Write the event that tells a client how to come back to what follows the event with this number.

        It has no message, which clients know what to make of since 2025-11-25; the others get nothing.
        """
        return f"id: {self.kind}{self.number}-{after}\nretry: {RETRY}\ndata: \n\n".encode() if self.primed else b""

    def _deliver(self, event: EventRecord, kept: bool) -> None:
        self._unkept -= 1
        self._unkept_bytes -= event.size
        if self._room is not None and not self._is_full:
            self._room.set()
            self._room = None
        if self.reader is not None:
            self.reader.push(event, self.frame(event, kept=kept and keepable(event) is not None))
        if event.final and self.on_finished is not None:
            self.on_finished()
