"""What a tool gives its client to bring back: sealed, and bound to the caller (MCP, "Multi Round-Trip Requests")."""

from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity

PURPOSE = "requestState"
"""What the key is derived for."""


def seal_request_state(server: Server[Any], key: bytes) -> None:
    """Have the SDK seal each ``requestState`` under a key that outlives the process.

    The SDK's own boundary binds it to caller, request and ten minutes, but under a key that dies with the process; a
    lowlevel server has no boundary at all. One of a class of the server's own is left as it is.

    Args:
        server: The plugged server, whose middleware is changed.
        key: 32 bytes, the same in every process that serves the same clients.
    """
    boundary = RequestStateBoundary(RequestStateSecurity(keys=[key]), default_audience=server.name)
    for at, middleware in enumerate(server.middleware):
        if isinstance(middleware, RequestStateBoundary):
            if type(middleware) is RequestStateBoundary:
                server.middleware[at] = boundary
            return
    server.middleware.insert(0, boundary)
