"""What a POST must look like before its message is read (RFC 9110; MCP Streamable HTTP, "Sending Messages")."""

import asyncio
from email.message import Message

from aiohttp import hdrs, web
from mcp_types import INVALID_REQUEST, RequestId

from server.transport.refusals import Rejection
from server.transport.verdicts import Verdicts

MAX_BODY = 4 * 1024 * 1024
"""Bytes."""
READ_TIMEOUT = 30
"""Seconds in which a whole body must have arrived."""


def acceptable(accept: str) -> tuple[bool, bool]:
    """Tell whether an ``Accept`` header takes JSON, and whether it takes an event stream (RFC 9110 section 12.5.1)."""
    taken = set()
    for part in (accept or "*/*").lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        if not any(p.startswith("q=") and not p[2:].strip("0.") for p in parameters):
            taken.add(media_type)
    return (
        bool(taken & {"*/*", "application/*", "application/json"}),
        bool(taken & {"*/*", "text/*", "text/event-stream"}),
    )


def is_json(content_type: str) -> bool:
    """Tell whether a ``Content-Type`` is JSON in UTF-8, which it is without a charset too (RFC 8259 section 8.1)."""
    header = Message()
    header[hdrs.CONTENT_TYPE] = content_type.encode("ascii", "replace").decode("ascii")
    charset = header.get_content_charset() or "utf-8"
    return header.get_content_type() == "application/json" and charset in {"utf-8", "utf8"}


_ACCEPTABLE = Verdicts(acceptable)
_IS_JSON = Verdicts(is_json)


def takes_events(request: web.Request, request_id: RequestId | None = None) -> bool:
    """Tell whether the client can be sent an event stream.

    Args:
        request: The POST.
        request_id: The id of the JSON-RPC request in it, which a refusal carries.

    Raises:
        Rejection: 406 when it does not even take JSON.
    """
    as_json, as_events = _ACCEPTABLE[",".join(request.headers.getall(hdrs.ACCEPT, ()))]
    if not as_json:
        wanted = "Accept must allow application/json and text/event-stream"
        raise Rejection(406, INVALID_REQUEST, wanted, request_id=request_id)
    return as_events


async def read_body(request: web.Request) -> bytes:
    """Read a POST's JSON text.

    Raises:
        Rejection: 415 for another content type, charset or coding, 413 when too large, 408 when too slow.
    """
    if not _IS_JSON[request.headers.get(hdrs.CONTENT_TYPE, "")]:
        raise Rejection(415, INVALID_REQUEST, "Content-Type must be application/json in UTF-8")
    try:
        return await read_at_most(request, MAX_BODY)
    except web.HTTPException as error:
        raise Rejection(error.status, INVALID_REQUEST, error.text or error.reason) from None
    except web.RequestPayloadError:
        raise Rejection(400, INVALID_REQUEST, "The body could not be read") from None


async def read_at_most(request: web.Request, limit: int) -> bytes:
    """Read a body, counting while it comes.

    Args:
        request: The request.
        limit: The most bytes that it may have.

    Raises:
        web.HTTPUnsupportedMediaType: It is compressed.
        web.HTTPRequestEntityTooLarge: It has more bytes.
        web.HTTPRequestTimeout: It did not arrive within 30 seconds.
    """
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType(text="Content-Encoding is not supported")
    if request.content.is_eof():
        body = request.content.read_nowait()
        _check_size(body, limit)
        return body
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            return await _read(request, limit)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The body did not arrive in time") from None


async def _read(request: web.Request, limit: int) -> bytes:
    body = bytearray()
    while chunk := await request.content.readany():
        body += chunk
        _check_size(body, limit)
    return bytes(body)


def _check_size(body: bytes | bytearray, limit: int) -> None:
    if len(body) > limit:
        raise web.HTTPRequestEntityTooLarge(limit, len(body), text=f"A body has at most {limit} bytes")
