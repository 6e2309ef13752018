"""JSON-RPC 2.0 messages, read from bytes with as few checks as the standard needs."""

from dataclasses import dataclass
from typing import Any

from mcp_types import INVALID_REQUEST, PARSE_ERROR, RequestId
from pydantic_core import from_json

from server.transport.refusals import Rejection


@dataclass(frozen=True, slots=True)
class Request:
    """A call that is owed an answer."""

    id: RequestId
    method: str
    params: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Notification:
    """A call that is owed none."""

    method: str
    params: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request that the server sent; it has one of its two outcomes."""

    id: RequestId | None = None
    result: Any = None
    error: Any = None


Message = Request | Notification | Reply


def decode(body: bytes) -> object:
    """Decode one JSON text in UTF-8 (RFC 8259), at most 200 levels deep.

    Raises:
        Rejection: 400 with the code for a parse error.
    """
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Rejection(400, PARSE_ERROR, f"Parse error: {error}") from None


def read_message(value: object) -> Message:
    """Tell what a decoded JSON value is (JSON-RPC 2.0 section 4; MCP bars ids that are null).

    Raises:
        Rejection: 400 with the code for an invalid request.
    """
    if not isinstance(value, dict):
        raise Rejection(400, INVALID_REQUEST, "A message is a JSON object")
    request_id = value.get("id")
    if "id" in value and (isinstance(request_id, bool) or not isinstance(request_id, str | int)):
        raise Rejection(400, INVALID_REQUEST, "id is a string or an integer")
    if value.get("jsonrpc") != "2.0":
        raise Rejection(400, INVALID_REQUEST, "jsonrpc is the string 2.0", request_id=request_id)
    if "method" not in value and ("result" in value or "error" in value):
        return Reply(request_id, value.get("result"), value.get("error"))
    method, params = value.get("method"), value.get("params")
    if not isinstance(method, str):
        raise Rejection(400, INVALID_REQUEST, "method is a string", request_id=request_id)
    if params is not None and not isinstance(params, dict):
        raise Rejection(400, INVALID_REQUEST, "params is an object", request_id=request_id)
    return Notification(method, params) if request_id is None else Request(request_id, method, params)
