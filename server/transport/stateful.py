"""Requests in a session: POST, GET and DELETE with ``Mcp-Session-Id`` (MCP Transports 2025-11-25)."""

from aiohttp import web
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types import INVALID_REQUEST
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from server.oauth.bearer import Caller
from server.transport.answer import Answer
from server.transport.body import acceptable, takes_events
from server.transport.calls import note_calls
from server.transport.channel import Channel
from server.transport.gate import Gate
from server.transport.handshake import read_batch
from server.transport.kernel import encode
from server.transport.message import Message, Notification, Reply, Request, read_message
from server.transport.refusals import NO_STORE, Rejection, json_response
from server.transport.resumption import Resumption
from server.transport.session import Session
from server.transport.sessions import HEADER, Sessions
from server.transport.streams import STANDING, read_event_id

LAST_EVENT_ID = "Last-Event-ID"


def session_id_of(http: web.Request) -> str | None:
    """Give the session id that a request names, if any.

    Raises:
        Rejection: 400 when it names more than one.
    """
    named = http.headers.getall(HEADER, ())
    if len(named) > 1:
        raise Rejection(400, INVALID_REQUEST, f"{HEADER} header appears more than once")
    return named[0] if named else None


async def initialize(http: web.Request, sessions: Sessions, gate: Gate, message: Message) -> web.Response:
    """Open a session; a client that sends no id of it afterwards is served without.

    Raises:
        Rejection: It is no request.
        Challenged: It needs a token, or a better one.
        StoreUnavailable: The session cannot be kept.
    """
    note_calls(http, gate.caller, (message,), gate.catalogue)
    takes_events(http)
    await gate.admit((message,))
    if not isinstance(message, Request):
        raise Rejection(400, INVALID_REQUEST, "initialize is a request")
    return await sessions.open(http, message, gate.caller)


async def post(
    http: web.Request, sessions: Sessions, gate: Gate, session_id: str, decoded: object
) -> web.StreamResponse:
    """Serve one message, or at 2025-03-26 a batch, in a session.

    Raises:
        Rejection: 404 when there is no such session; or the body is nothing that its revision knows.
        Challenged: It needs a token, or a better one.
    """
    events = takes_events(http)
    session = await sessions.find(session_id, gate.caller)
    batch = isinstance(decoded, list)
    messages, failures = (
        read_batch(decoded, session.version) if isinstance(decoded, list) else ([read_message(decoded)], [])
    )
    note_calls(http, gate.caller, messages, gate.catalogue)
    stand_in = await gate.admit(messages)
    requests = [message for message in messages if isinstance(message, Request)]
    if stand_in is not None:
        return json_response(encode({"jsonrpc": "2.0", "id": requests[0].id, "result": stand_in}))
    if any(request.method == "initialize" for request in requests):
        raise Rejection(400, INVALID_REQUEST, "A session is opened without a session id", request_id=requests[0].id)
    for message in messages:
        _take(http, session, message)
    if not requests and not failures:
        return web.Response(status=202)
    answer = Answer(session, http, [r.id for r in requests] if batch else requests[0].id, events=events)
    session.kernel.spawn(answer.make(answer.run_all(requests, failures) if batch else answer.run(requests[0])))
    return await answer.respond()


async def other(http: web.Request, sessions: Sessions, caller: Caller | None) -> web.StreamResponse:
    """Serve GET and DELETE, which there are in a session only, and refuse the other methods.

    Raises:
        Rejection: 404 when there is no such session, 400 for a revision or an event id that nobody knows, 406.
    """
    version, session_id = http.headers.get(MCP_PROTOCOL_VERSION_HEADER), session_id_of(http)
    if version not in {None, *HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS}:
        raise Rejection(400, INVALID_REQUEST, f"Unsupported protocol version: {version}")
    if session_id is None or version in MODERN_PROTOCOL_VERSIONS:
        return web.Response(status=405, headers={"Allow": "POST", **NO_STORE})
    if http.method == "DELETE":
        await sessions.end(await sessions.find(session_id, caller))
        return web.Response(status=204, headers=NO_STORE)
    if http.method != "GET":
        return web.Response(status=405, headers={"Allow": "DELETE, GET, POST", **NO_STORE})
    return await _get(http, sessions, session_id, caller)


async def _get(http: web.Request, sessions: Sessions, session_id: str, caller: Caller | None) -> web.StreamResponse:
    if not acceptable(",".join(http.headers.getall("Accept", ())))[1]:
        raise Rejection(406, INVALID_REQUEST, "Accept must allow text/event-stream")
    session = await sessions.find(session_id, caller)
    last = http.headers.get(LAST_EVENT_ID)
    cursor = read_event_id(last) if last else None
    if last and (cursor is None or not cursor.stream or max(cursor.event, cursor.stream) > session.number):
        raise Rejection(400, INVALID_REQUEST, "Last-Event-ID is no event of this session")
    resumption = Resumption(http, session, sessions.store, caller)
    if sessions.stopping:
        resumption.reader.end()
    if cursor is None or cursor.kind == STANDING:
        return await resumption.stand(cursor)
    return await resumption.answer(cursor)


def _take(http: web.Request, session: Session, message: Message) -> None:
    """Take what is owed no answer, in the order of its coming."""
    if isinstance(message, Reply):
        session.questions.settle(message)
    elif isinstance(message, Notification):
        if message.method == "notifications/cancelled":
            session.cancel(message)
        channel = Channel(http, Request("", message.method, message.params), None)
        channel.request_id = None
        session.kernel.spawn(session.notified(message, channel))
