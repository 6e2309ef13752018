"""How many clients may listen at once, at 2026-07-28."""

from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.subscriptions import ListenHandler

MOST = 10_000
"""Open streams of ``subscriptions/listen``; each takes some 40 KB."""

_LIMIT = "_max_subscriptions"
_SDK_DEFAULT = 1_024


def admit_listeners(server: Server[Any]) -> None:
    """Raise the limit of listeners where it is the SDK's own; one that the server's author chose stays.

    An `MCPServer` gives no way to choose it, so it is set where the SDK keeps it.
    """
    entry = server.get_request_handler("subscriptions/listen")
    if entry is None or not isinstance(entry.handler, ListenHandler):
        return
    kept = vars(entry.handler)
    if kept.get(_LIMIT) == _SDK_DEFAULT:
        kept[_LIMIT] = MOST
