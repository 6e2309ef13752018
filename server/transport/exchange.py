"""2026-07-28: one POST, one answer or stream, and nothing kept (MCP Streamable HTTP, 2026-07-28)."""

import re
from typing import Any

from aiohttp import web
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    InboundLadderRejection,
    InboundModernRoute,
    classify_inbound_request,
    unsupported_protocol_version_rejection,
    validate_mcp_param_headers,
    x_mcp_header_map,
)
from mcp_types import HEADER_MISMATCH, INVALID_REQUEST, SERVER_INFO_META_KEY

from server.transport.asking import refusal
from server.transport.body import takes_events
from server.transport.calls import note_calls, note_outcome
from server.transport.channel import Channel
from server.transport.connections import EnvelopeConnection
from server.transport.gate import Gate
from server.transport.kernel import Kernel, encode
from server.transport.message import Message, Notification, Reply, Request
from server.transport.refusals import Rejection, json_response
from server.transport.revisions import modern_code, with_served
from server.transport.sse import AnswerStream

_ROUTING = (MCP_PROTOCOL_VERSION_HEADER, MCP_METHOD_HEADER, MCP_NAME_HEADER)
_PLAIN = re.compile(r"[\t -~]*")
"""Visible ASCII, spaces and tabs: all that a header's value may hold ("Value Encoding")."""


async def exchange(http: web.Request, kernel: Kernel, gate: Gate, message: Message) -> web.StreamResponse:
    """Serve one message. The tool runs in the handler's task: a client that hangs up cancels it ("Cancellation").

    Raises:
        Rejection: The request or its headers do not hold together.
        Challenged: It needs a token, or a better one.
    """
    if isinstance(message, Reply):
        raise Rejection(400, INVALID_REQUEST, "A client sends requests and notifications")
    if isinstance(message, Notification):
        await gate.admit((message,))
        _check(unsupported_protocol_version_rejection(http.headers.get(MCP_PROTOCOL_VERSION_HEADER, "")), None)
        return web.Response(status=202)
    note_calls(http, gate.caller, (message,), gate.catalogue)
    events = takes_events(http, message.id)
    if message.method == "subscriptions/listen" and not events:
        raise Rejection(406, INVALID_REQUEST, "Accept must allow text/event-stream", request_id=message.id)
    route = _classify(http, message)
    stand_in = await gate.admit((message,))
    if stand_in is not None:
        return json_response(encode({"jsonrpc": "2.0", "id": message.id, "result": _complete(kernel, stand_in)}))
    _check_mirrored_arguments(http, kernel, message)
    return await _run(http, kernel, message, route, AnswerStream(http) if events else None)


async def _run(
    http: web.Request, kernel: Kernel, request: Request, route: InboundModernRoute, stream: AnswerStream | None
) -> web.StreamResponse:
    try:
        answer, code = await kernel.answer(request, Channel(http, request, stream), EnvelopeConnection(route))
        if error := refusal(answer.get("result", {}), route.client_capabilities):
            answer, code = {"jsonrpc": "2.0", "id": request.id, "error": error}, error["code"]
            note_outcome(request, f"error:{code}")
        if code is not None and (known := modern_code(code)) != code:
            answer["error"]["code"] = code = known
        status = 200 if code is None else ERROR_CODE_HTTP_STATUS.get(code, 200)
        body = encode(answer)
        return await stream.finish(body) if stream and stream.begun else json_response(body, status)
    finally:
        if stream is not None:
            stream.close()


def _classify(http: web.Request, request: Request) -> InboundModernRoute:
    """Check that the headers mirror the body and that the revision is served ("Request Metadata")."""
    for header in _ROUTING:
        if len(http.headers.getall(header, ())) > 1:
            raise Rejection(400, HEADER_MISMATCH, f"{header} header appears more than once", request_id=request.id)
    if not _PLAIN.fullmatch(http.headers.get(MCP_NAME_HEADER, "")):
        raise Rejection(400, HEADER_MISMATCH, f"{MCP_NAME_HEADER} header: invalid characters", request_id=request.id)
    route = classify_inbound_request({"method": request.method, "params": request.params}, headers=http.headers)
    if isinstance(route, InboundLadderRejection):
        raise _rejected(route, request)
    return route


def _check_mirrored_arguments(http: web.Request, kernel: Kernel, request: Request) -> None:
    """Compare ``Mcp-Param-*`` headers with the arguments they mirror ("Server Behavior for Custom Headers")."""
    params = request.params or {}
    rules = kernel.catalogue.known.get(params.get("name", "")) if request.method == "tools/call" else None
    arguments = params.get("arguments") or {}
    if rules is None or rules.header_schema is None or not isinstance(arguments, dict):
        return
    for header in map("Mcp-Param-{}".format, x_mcp_header_map(rules.header_schema).values()):
        if not all(map(_PLAIN.fullmatch, http.headers.getall(header, ()))):
            raise Rejection(400, HEADER_MISMATCH, f"{header} header: invalid characters", request_id=request.id)
    _check(validate_mcp_param_headers(rules.header_schema, arguments, http.headers), request)


def _check(rejection: InboundLadderRejection | None, request: Request | None) -> None:
    if rejection is not None:
        raise _rejected(rejection, request)


def _rejected(rejection: InboundLadderRejection, request: Request | None) -> Rejection:
    return Rejection(
        ERROR_CODE_HTTP_STATUS.get(rejection.code, 400),
        rejection.code,
        rejection.message,
        data=with_served(rejection.data),
        request_id=None if request is None else request.id,
    )


def _complete(kernel: Kernel, result: dict[str, Any]) -> dict[str, Any]:
    """Give a result that no handler made what each result of this revision carries ("Result")."""
    meta = {**result["_meta"], SERVER_INFO_META_KEY: kernel.server.server_info_stamp}
    return {**result, "resultType": "complete", "_meta": meta}
