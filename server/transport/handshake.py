"""2025-03-26 to 2025-11-25, the revisions with a handshake, without sessions: each POST stands alone.

A dropped connection cancels nothing here (MCP Transports 2025-11-25, "Sending Messages to the Server"), so
the work runs in a task of its own.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from mcp_types import INVALID_REQUEST
from mcp_types.version import is_version_at_least

from server.transport.body import takes_events
from server.transport.calls import note_calls
from server.transport.channel import Channel
from server.transport.connections import connection_without_session
from server.transport.gate import Gate
from server.transport.kernel import Kernel, encode
from server.transport.message import Message, Request, read_message
from server.transport.refusals import Rejection, json_response
from server.transport.sse import AnswerStream

MAX_BATCH = 50
"""Messages."""


async def handshake(http: web.Request, kernel: Kernel, gate: Gate, version: str, decoded: object) -> web.StreamResponse:
    """Serve one message or, at 2025-03-26, a batch of them.

    Args:
        http: The POST.
        kernel: The server at work.
        gate: Decides whether the caller may.
        version: The protocol revision that the client named, or that its silence stands for.
        decoded: The body's JSON value.

    Raises:
        Rejection: The body is no message, or no batch that the revision knows.
        Challenged: It needs a token, or a better one.
    """
    batch = isinstance(decoded, list)
    messages, failures = read_batch(decoded, version) if isinstance(decoded, list) else ([read_message(decoded)], [])
    only = None if batch else messages[0]
    note_calls(http, gate.caller, messages, gate.catalogue)
    events = takes_events(http, only.id if isinstance(only, Request) else None)
    stand_in = await gate.admit(messages)
    requests = [message for message in messages if isinstance(message, Request)]
    if stand_in is not None:
        return json_response(encode({"jsonrpc": "2.0", "id": requests[0].id, "result": stand_in}))
    if not requests and not failures:
        return web.Response(status=202)
    stream = AnswerStream(http) if events else None
    work = kernel.spawn(_answer_all(http, kernel, version, requests, stream))
    try:
        answers = await asyncio.shield(work)
        body = encode([*failures, *answers] if batch else answers[0])
        return await stream.finish(body) if stream and stream.begun else json_response(body)
    finally:
        if stream is not None:
            stream.close()


def read_batch(values: list[Any], version: str) -> tuple[list[Message], list[dict[str, Any]]]:
    """Read a batch (JSON-RPC 2.0 section 6): its messages, and an error for each value that is none."""
    if is_version_at_least(version, "2025-06-18"):
        raise Rejection(400, INVALID_REQUEST, f"Batches are not part of {version}")
    if not 1 <= len(values) <= MAX_BATCH:
        raise Rejection(400, INVALID_REQUEST, f"A batch has 1 to {MAX_BATCH} messages")
    messages: list[Message] = []
    failures: list[dict[str, Any]] = []
    for value in values:
        try:
            messages.append(read_message(value))
        except Rejection as rejection:
            failures.append(rejection.message())
    if any(isinstance(message, Request) and message.method == "initialize" for message in messages):
        raise Rejection(400, INVALID_REQUEST, "initialize must not be part of a batch")
    return messages, failures


async def _answer_all(
    http: web.Request, kernel: Kernel, version: str, requests: Sequence[Request], stream: AnswerStream | None
) -> list[dict[str, Any]]:
    async def answer(request: Request) -> dict[str, Any]:
        connection = connection_without_session(version)
        return (await kernel.answer(request, Channel(http, request, stream), connection))[0]

    if len(requests) == 1:
        return [await answer(requests[0])]
    return await asyncio.gather(*map(answer, requests))
