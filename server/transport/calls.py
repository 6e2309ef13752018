"""What a POST asks for and what comes of it, for the log: names and outcomes, and never an argument."""

import asyncio
import logging
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from aiohttp import web

from server.oauth.bearer import Caller
from server.transport.catalogue import Catalogue
from server.transport.message import Message, Request

log = logging.getLogger("server.access")

RUNNING = "running"
"""Noted of a request while the plugged server is at it."""

_LONGEST = 80
"""Characters of a name that the log shows; a client may send megabytes of it."""

_UNKNOWN = "?"
"""In place of a tool's name that the server does not list: it may be anything, a card number too."""

_current: ContextVar["Calls | None"] = ContextVar("calls", default=None)


class Calls:
    """The requests of one POST, and who makes them."""

    def __init__(self, caller: Caller | None, requests: Sequence[Request], catalogue: Catalogue) -> None:
        """Note what is asked, before it is known whether it may be."""
        self.logged = False
        """Whether the line of the POST was written; what ends after that gets a line of its own."""
        self._caller = caller
        self._requests = requests
        self._catalogue = catalogue
        self._outcomes: dict[int, str] = {}
        self._since = asyncio.get_running_loop().time()

    def __str__(self) -> str:
        return " ".join((self._who(), *map(self._what, self._requests)))

    def _who(self) -> str:
        if self._caller is None:
            return "client=- user=-"
        access = self._caller.access
        return f"client={_shown(access.client_id)} user={access.user_id or '-'}"

    def _what(self, request: Request) -> str:
        tool = f" tool={self._tool(request)}" if request.method == "tools/call" else ""
        return f"call={_shown(request.method)}{tool} outcome={self._outcomes.get(id(request), 'refused')}"

    def _tool(self, request: Request) -> str:
        name = (request.params or {}).get("name")
        return _shown(name) if name in self._catalogue else _UNKNOWN

    def note(self, request: Request, outcome: str) -> None:
        """Note what came of a request, or that it is at work."""
        self._outcomes[id(request)] = outcome
        if self.logged and outcome != RUNNING:
            elapsed = (asyncio.get_running_loop().time() - self._since) * 1000
            log.info("Ended after its connection: %.1f ms %s %s", elapsed, self._who(), self._what(request))


CALLS = web.RequestKey("calls", Calls)


def note_calls(http: web.Request, caller: Caller | None, messages: Sequence[Message], catalogue: Catalogue) -> None:
    """Note what the messages of a POST ask for."""
    requests = [message for message in messages if isinstance(message, Request)]
    if requests:
        http[CALLS] = calls = Calls(caller, requests, catalogue)
        _current.set(calls)


def note_outcome(request: Request, outcome: str) -> None:
    """Note what came of a request of the POST at hand, or `RUNNING`."""
    calls = _current.get()
    if calls is not None:
        calls.note(request, outcome)


def outcome_of(result: Any) -> str:
    """Name what came of a request that has a result."""
    if isinstance(result, dict):
        if result.get("isError") is True:
            return "tool_error"
        if result.get("resultType") == "input_required":
            return "input_required"
    return "ok"


def _shown(name: object) -> str:
    """Write a name as one word of plain characters, whatever a client has sent for it."""
    text = name if isinstance(name, str) else "-"
    if 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable() and " " not in text:
        return text
    return ascii(text[:_LONGEST]).replace(" ", "\\x20")
