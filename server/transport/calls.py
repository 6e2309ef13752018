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
from server.transport.verdicts import Verdicts

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
        self.outcomes: dict[int, str] = {}
        """What came of each request, by its identity; of one that is not here, that it was refused."""
        self._caller = caller
        self._requests = requests
        self._catalogue = catalogue
        self._since = asyncio.get_running_loop().time()

    def __str__(self) -> str:
        return " ".join((self._who(), *map(self._what, self._requests)))

    def _who(self) -> str:
        if self._caller is None:
            return "client=- user=-"
        access = self._caller.access
        return f"client={_SHOWN[access.client_id]} user={access.user_id or '-'}"

    def _what(self, request: Request) -> str:
        outcome = self.outcomes.get(id(request), "refused")
        if request.method != "tools/call":
            return f"call={_SHOWN[request.method]} outcome={outcome}"
        name = (request.params or {}).get("name")
        tool = _SHOWN[name] if isinstance(name, str) and name in self._catalogue.known else _UNKNOWN
        return f"call=tools/call tool={tool} outcome={outcome}"

    def log_late(self, request: Request) -> None:
        """Write a line of its own for a request."""
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
        calls.outcomes[id(request)] = outcome
        if calls.logged and outcome != RUNNING:
            calls.log_late(request)


def outcome_of(result: Any) -> str:
    """Name what came of a request that has a result."""
    if isinstance(result, dict):
        if result.get("isError") is True:
            return "tool_error"
        if result.get("resultType") == "input_required":
            return "input_required"
    return "ok"


def _shown(name: str) -> str:
    """Write a name as one word of plain characters, whatever a client has sent for it."""
    if 0 < len(name) <= _LONGEST and name.isascii() and name.isprintable() and " " not in name:
        return name
    return ascii(name[:_LONGEST]).replace(" ", "\\x20")


_SHOWN = Verdicts(_shown)
