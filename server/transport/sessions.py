"""All sessions: opened, found again after a restart too, and ended when they are idle for long or too many."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import islice

from aiohttp import web
from mcp_types import INVALID_REQUEST
from mcp_types.version import LATEST_HANDSHAKE_VERSION

from server.clock import Clock
from server.oauth.bearer import Caller
from server.oauth.store import StoreUnavailable
from server.oauth.tokens import MCP_SESSION, Entropy, digest, is_well_formed, make
from server.transport.channel import Channel
from server.transport.kernel import Kernel, encode
from server.transport.message import Request
from server.transport.records import FLUSH_INTERVAL, IDLE, LOST, NOBODY, Owner, SessionRecord, SessionStore
from server.transport.refusals import Rejection, json_response
from server.transport.session import Session
from server.transport.streams import Journal

log = logging.getLogger(__name__)

HEADER = "Mcp-Session-Id"
MOST = 10_000
"""Sessions that there may be; with one more, the one that is idle for longest goes."""

_CANDIDATES = 64
"""Sessions among which the one that is idle for longest is looked for; the rows may not tell by a minute."""
_BATCH = 100
"""Sessions whose use one transaction notes."""


class Sessions:
    """The sessions of one server. A row is what makes a session; here is what is at work of it."""

    def __init__(self, kernel: Kernel, store: SessionStore, clock: Clock, entropy: Entropy) -> None:
        """Know no session yet: each is made of its row once it is asked for."""
        self.kernel = kernel
        self.store = store
        self.journal = Journal(store, clock)
        self.stopping = False
        """Whether the server is about to stop, so that clients do better to come back later."""
        self._clock = clock
        self._entropy = entropy
        self.at_work: dict[str, Session] = {}
        """Those that were used since the start and are not over, by their digests."""
        self._evicting = asyncio.Lock()

    async def open(self, http: web.Request, request: Request, caller: Caller | None) -> web.Response:
        """Answer ``initialize``, and open a session if that goes well ("Session Management").

        Raises:
            StoreUnavailable: The session cannot be kept.
        """
        session_id, now = make(MCP_SESSION, self._entropy), self._clock()
        record = SessionRecord(digest(session_id), _owner(caller), LATEST_HANDSHAKE_VERSION, "", now, now)
        session = Session(self.kernel, self.journal, record, session_id)
        await session.start()
        answer, error = await session.initialize(request, Channel(http, request, None))
        if error is not None or session.connection.client_params is None:
            return json_response(encode(answer))
        params = session.connection.client_params.model_dump_json(by_alias=True, exclude_none=True)
        record = replace(record, protocol_version=session.version, client_params=params)
        count = await self.store.add_mcp_session(record)
        self.at_work[session.digest] = session
        if count > MOST:
            await self._evict()
        return json_response(encode(answer), headers={HEADER: session_id})

    async def find(self, session_id: str, caller: Caller | None) -> Session:
        """Find the session that a request names, and note its use.

        Raises:
            Rejection: 404 when there is none, or it is another's, which the client must not tell apart.
            StoreUnavailable: It cannot be looked for.
        """
        key = digest(session_id) if is_well_formed(MCP_SESSION, session_id) else ""
        record = await self.store.get_mcp_session(key) if key else None
        owner = _owner(caller)
        if record is None or self._is_over(record) or not (record.owner == owner or await self._bind(record, owner)):
            await self._forget(key, record)
            raise Rejection(404, INVALID_REQUEST, "Session not found")
        session = self.at_work.get(key)
        if session is None:
            session = Session(self.kernel, self.journal, record, session_id)
            await session.start()
            session = self.at_work.setdefault(key, session)
        session.used_at = self._clock()
        return session

    async def end(self, session: Session) -> None:
        """End a session, and forget what was kept of it.

        Raises:
            StoreUnavailable: It goes on, since its row cannot be removed.
        """
        await self.store.end_mcp_session(session.digest)
        self._close(session)

    async def flush(self) -> None:
        """Note which sessions are in use, and end those that are idle for long, or whose rows are gone.

        Raises:
            StoreUnavailable: It could not be noted.
        """
        now = self._clock()
        for session in tuple(self.at_work.values()):
            if session.busy:
                session.used_at = now
            elif now - session.used_at >= IDLE:
                await self.end(session)
        used = iter([session for session in self.at_work.values() if session.used_at > session.noted_at])
        while batch := list(islice(used, _BATCH)):
            there = await self.store.touch_mcp_sessions({session.digest: session.used_at for session in batch})
            for session in batch:
                session.noted_at = session.used_at
                if session.digest not in there:
                    self._close(session)

    async def close_outlived(self) -> None:
        """End the standing streams whose access token is over: their clients come back with another, or not at all.

        Raises:
            StoreUnavailable: It cannot be looked at.
        """
        now = self._clock()
        read = [(stream, stream.reader) for session in self.at_work.values() for stream in session.standing]
        held = iter([(stream, reader.token_digest) for stream, reader in read if reader and reader.token_digest])
        while batch := list(islice(held, _BATCH)):
            found = await asyncio.gather(*(self.store.get_access_token(token, now) for _, token in batch))
            for (stream, _), live in zip(batch, found, strict=True):
                if live is None:
                    stream.close()

    async def run(self) -> None:
        """Flush and look after streams now and then, for ever."""
        while True:
            await asyncio.sleep(FLUSH_INTERVAL)
            try:
                await self.flush()
                await self.close_outlived()
            except StoreUnavailable as error:
                log.warning("Sessions could not be looked after: %s", error)
            except Exception:
                log.exception("Sessions could not be looked after")

    def close_streams(self) -> None:
        """Begin to stop: end all streams, so that clients come back at once, and fail what clients are asked."""
        self.stopping = True
        for session in self.at_work.values():
            session.stop()

    async def close(self) -> None:
        """Wait until what runs has come to its end, keep what it says, and note what is in use."""
        self.close_streams()
        await self.kernel.drain()
        await self.journal.flush()
        with suppress(StoreUnavailable):
            await self.flush()
        for session in tuple(self.at_work.values()):
            await session.unwind()

    async def _bind(self, record: SessionRecord, owner: Owner) -> bool:
        """Give a session that was opened without a token to the first caller with one."""
        return record.owner == NOBODY and await self.store.bind_mcp_session(record.session_digest, owner)

    def _is_over(self, record: SessionRecord) -> bool:
        """Tell whether a session was idle for too long; of one that is not at work, the last minute is not known."""
        limit = IDLE if record.session_digest in self.at_work else LOST
        return self._clock() - self._last_use(record)[0] >= limit and not self._is_busy(record)

    async def _forget(self, key: str, record: SessionRecord | None) -> None:
        """End what is at work of a session whose row is gone, or that was idle for too long."""
        session = self.at_work.get(key)
        if session is not None and (record is None or self._is_over(record)):
            await self.end(session)

    async def _evict(self) -> None:
        """End the sessions that are idle for longest, as many as there are too many."""
        async with self._evicting:
            count, records = await self.store.list_oldest_mcp_sessions(_CANDIDATES)
            idle = [one for one in records if not self._is_busy(one)]
            for record in sorted(idle, key=self._last_use)[: max(count - MOST, 0)]:
                await self.store.end_mcp_session(record.session_digest)
                if record.session_digest in self.at_work:
                    self._close(self.at_work[record.session_digest])
                log.info("Ended a session that was idle, since there are more than %d", MOST)

    def _is_busy(self, record: SessionRecord) -> bool:
        session = self.at_work.get(record.session_digest)
        return session is not None and session.busy

    def _last_use(self, record: SessionRecord) -> tuple[int, int]:
        session = self.at_work.get(record.session_digest)
        return (record.used_at if session is None else session.used_at), record.created_at

    def _close(self, session: Session) -> None:
        if self.at_work.pop(session.digest, None) is not None:
            session.close()


def _owner(caller: Caller | None) -> Owner:
    return NOBODY if caller is None else Owner(caller.access.client_id, caller.access.user_id)


@asynccontextmanager
async def open_sessions(kernel: Kernel, store: SessionStore, clock: Clock, entropy: Entropy) -> AsyncIterator[Sessions]:
    """Serve sessions until the block ends; what runs in them then has as long as `Kernel.drain` gives it."""
    sessions = Sessions(kernel, store, clock, entropy)
    flushing = asyncio.create_task(sessions.run())
    try:
        yield sessions
    finally:
        flushing.cancel()
        with suppress(asyncio.CancelledError):
            await flushing
        await sessions.close()
