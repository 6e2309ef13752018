"""GET: the standing stream of a session, and streams that were cut (MCP Transports 2025-11-25, "Resumability")."""

import logging

from aiohttp import web
from mcp_types import INVALID_REQUEST

from server.oauth.bearer import Caller
from server.oauth.store import StoreUnavailable
from server.transport.reader import Reader
from server.transport.records import EventRecord, SessionStore
from server.transport.refusals import Rejection
from server.transport.session import Session
from server.transport.streams import STANDING, STOPPED, Cursor, Stream, failed

log = logging.getLogger(__name__)

_PAGE = 50
"""Events that are read from the store at a time."""


class Resumption:
    """One GET: first what is in the store and the client does not have, then what comes."""

    def __init__(self, http: web.Request, session: Session, store: SessionStore, caller: Caller | None) -> None:
        """Be ready to answer a GET in a session."""
        self.reader = Reader(http, None if caller is None else caller.access.token_digest)
        self._session = session
        self._store = store

    async def stand(self, cursor: Cursor | None) -> web.StreamResponse:
        """Serve a standing stream, a new one or one to come back to; messages go on the newest that is read.

        Raises:
            Rejection: 400 when the stream to come back to is of another kind.
            StoreUnavailable: The stream cannot be kept.
        """
        session = self._session
        begun = None if cursor is None else await self._kept(cursor.stream, cursor.stream)
        if begun is not None and begun.owed:
            raise Rejection(400, INVALID_REQUEST, "Last-Event-ID is of no standing stream")
        number = session.take_number() if cursor is None else cursor.stream
        stream = next((one for one in session.standing if one.number == number), None)
        stream = session.stream(STANDING, number) if stream is None else stream
        stream.attach(self.reader, session.number)
        session.standing = [one for one in session.standing if one is not stream] + [stream]
        try:
            if cursor is None:
                stream.put(EventRecord(number, number, None))
            await session.adopt_backlog(self._store, stream)
            return await self._serve(stream, 0 if cursor is None else cursor.event)
        finally:
            stream.detach(self.reader)
            if stream.reader is None and stream in session.standing:
                session.standing.remove(stream)

    async def answer(self, cursor: Cursor) -> web.StreamResponse:
        """Serve the rest of the answer to a POST.

        Raises:
            Rejection: 400 when no such answer is known any more.
            StoreUnavailable: It cannot be looked for.
        """
        stream = self._session.answers.get(cursor.stream) or await self._restore(cursor)
        stream.attach(self.reader, self._session.number)
        try:
            await self._session.journal.flush()
            return await self._serve(stream, cursor.event)
        finally:
            stream.detach(self.reader)

    async def _restore(self, cursor: Cursor) -> Stream:
        """Take up a stream that this process is not at: it has come to its end, or lost who was at it."""
        session, number = self._session, cursor.stream
        last = await self._kept(number, cursor.event or number)
        if last is None or last.owed is None:
            raise Rejection(400, INVALID_REQUEST, "Last-Event-ID is of a stream that is not known any more")
        stream = session.answers.get(number)
        if stream is None:
            stream = session.answer_stream(number)
            stream.lost = last.owed
        if last.final:
            self._complete(stream)
        return stream

    async def _kept(self, stream: int, number: int) -> EventRecord | None:
        """Give an event of a stream, if it is still there."""
        found = await self._store.list_mcp_events(self._session.digest, stream, number - 1, number, 1)
        return found[0] if found else None

    def _complete(self, stream: Stream) -> None:
        """Send nothing more on a stream of which the store has all."""
        self._session.answers.pop(stream.number, None)
        self.reader.end()

    async def _serve(self, stream: Stream, after: int) -> web.StreamResponse:
        response = await self.reader.open()
        await self.reader.write(response, stream.priming(after))
        try:
            complete = await self._replay(response, stream, after)
        except StoreUnavailable as error:
            log.warning("A stream could not be resumed: %s", error)
            self.reader.drop()
            return response
        if complete:
            self._complete(stream)
        elif stream.lost is not None and not self.reader.ended:
            owed, stream.lost = stream.lost, None
            self._session.put(stream, failed(owed, STOPPED), owed, final=True)
        await self.reader.run(response)
        return response

    async def _replay(self, response: web.StreamResponse, stream: Stream, after: int) -> bool:
        """Send the events that the store has; ``True`` when the last of them is the stream's last."""
        while page := await self._store.list_mcp_events(
            self._session.digest, stream.number, after, self.reader.boundary, _PAGE
        ):
            frames = b"".join(stream.frame(event) for event in page if event.message is not None)
            await self.reader.write(response, frames)
            if page[-1].final:
                return True
            after = page[-1].number
        return False
