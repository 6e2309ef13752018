"""The two ways to say no at the HTTP level: a JSON-RPC error, and a challenge for a token."""

from typing import Any

from aiohttp import web
from mcp_types import RequestId
from pydantic_core import to_json

from server.oauth.errors import OAuthError

UNREAD = frozenset({408, 413, 415})
"""Statuses after which the rest of a body is not waited for."""
NO_STORE = {"Cache-Control": "no-store"}
_JSON = {**NO_STORE, "Content-Type": "application/json"}


def json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with JSON that no cache keeps."""
    return web.Response(body=body, status=status, headers=_JSON if headers is None else _JSON | headers)


class Rejection(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """A message that is not served, answered with a JSON-RPC error (JSON-RPC 2.0 section 5.1)."""

    def __init__(
        self, status: int, code: int, message: str, *, data: Any = None, request_id: RequestId | None = None
    ) -> None:
        """Say the HTTP status, the JSON-RPC error, and the id of the request where it is known."""
        super().__init__(message)
        self.status = status
        self.error = {"code": code, "message": message} | ({} if data is None else {"data": data})
        self.request_id = request_id

    def message(self) -> dict[str, Any]:
        """Write it; an id that could not be read is left out, since MCP bars one that is null ("Error Responses")."""
        known = {} if self.request_id is None else {"id": self.request_id}
        return {"jsonrpc": "2.0", **known, "error": self.error}

    def response(self) -> web.Response:
        """Render it."""
        response = json_response(to_json(self.message()), self.status)
        if self.status in UNREAD:
            response.force_close()
        return response


class Challenged(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """A request that needs a token, or a better one (RFC 6750 section 3)."""

    def __init__(self, status: int, challenge: str, error: str, description: str) -> None:
        """Say the status, the value of ``WWW-Authenticate``, and the body's error and description."""
        super().__init__(description)
        self.status = status
        self.challenge = challenge
        self.body = {"error": error, "error_description": description}

    @classmethod
    def by(cls, error: OAuthError, challenge: str) -> "Challenged":
        """Make one of an error of the protocol."""
        return cls(error.status, challenge, error.code, error.description)

    def response(self) -> web.Response:
        """Render it."""
        return json_response(to_json(self.body), self.status, {"WWW-Authenticate": self.challenge})
