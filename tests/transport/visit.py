"""A client in a session: what it posts, and the event streams that it reads one event at a time."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient
from mcp_types.version import LATEST_HANDSHAKE_VERSION

VERSION = LATEST_HANDSHAKE_VERSION
ACCEPT = "application/json, text/event-stream"


@dataclass(frozen=True)
class Event:
    """One event as it came over the wire."""

    id: str | None
    data: str | None
    retry: int | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.data or "null")

    @property
    def primes(self) -> bool:
        """Whether it says how to come back, and nothing else."""
        return self.id is not None and not self.data


@dataclass
class Stream:
    """A response that is an event stream, or may be."""

    response: aiohttp.ClientResponse
    comments: int = 0
    seen: list[Event] = field(default_factory=list)

    async def next(self) -> Event | None:
        """Give the next event, or ``None`` when the stream is over."""
        while True:
            try:
                block = await self.response.content.readuntil(b"\n\n", max_size=1 << 24)
            except aiohttp.ClientPayloadError:
                return None
            if not block.strip():
                return None
            if block.startswith(b":"):
                self.comments += 1
                continue
            fields = dict(line.split(": ", 1) for line in block.decode().strip("\n").split("\n"))
            retry = fields.get("retry")
            event = Event(fields.get("id"), fields.get("data"), None if retry is None else int(retry))
            self.seen.append(event)
            return event

    async def rest(self) -> list[Event]:
        """Give all events up to the end."""
        return [event async for event in self]

    async def messages(self) -> list[Any]:
        """Give the messages of all events up to the end."""
        return [event.json for event in await self.rest() if event.data]

    async def message(self) -> Any:
        """Give the next message."""
        while (event := await self.next()) is not None:
            if event.data:
                return event.json
        raise AssertionError("the stream is over")

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self.next()) is not None:
            yield event


Http = aiohttp.ClientSession | TestClient[web.Request, web.Application]


@dataclass
class Visit:
    """A client that has opened a session, or may have."""

    http: Http
    url: Any
    token: str | None = None
    session_id: str | None = None
    version: str = VERSION
    _ids: Any = field(default_factory=lambda: count(1))

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request in this session."""
        found = {"Accept": ACCEPT, "MCP-Protocol-Version": self.version}
        found |= {"Mcp-Session-Id": self.session_id} if self.session_id else {}
        return found | ({"Authorization": f"Bearer {self.token}"} if self.token else {})

    @asynccontextmanager
    async def send(self, method: str, body: Any = None, **headers: str | None) -> AsyncIterator[Stream]:
        """Send a request; ``Some_Header=None`` leaves a usual header out."""
        named = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {"json": body} if method == "POST" else {}
        async with self.http.request(
            method, self.url, headers={k: v for k, v in named.items() if v is not None}, **options
        ) as response:
            yield Stream(response)

    async def open(self, capabilities: dict[str, Any] | None = None) -> "Visit":
        """Shake hands."""
        params = {
            "protocolVersion": self.version,
            "capabilities": capabilities or {},
            "clientInfo": {"name": "visitor", "version": "1"},
        }
        async with self.send("POST", self.request("initialize", params), MCP_Protocol_Version=None) as answer:
            assert answer.response.status == 200, await answer.response.text()
            self.session_id = answer.response.headers["Mcp-Session-Id"]
        assert await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"}) == 202
        return self

    def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make a request with an id of its own."""
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, **({"params": params} if params else {})}

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Make a call of a tool that asks for progress."""
        return self.request("tools/call", {"name": tool, "arguments": arguments, "_meta": {"progressToken": tool}})

    async def post(self, body: Any) -> int:
        """Post something and give the status."""
        async with self.send("POST", body) as answer:
            await answer.response.read()
            return answer.response.status

    async def result(self, body: dict[str, Any]) -> Any:
        """Post a request and give its result, however it comes."""
        async with self.send("POST", body) as answer:
            assert answer.response.status == 200, await answer.response.text()
            if answer.response.content_type == "application/json":
                message = await answer.response.json()
            else:
                message = (await answer.messages())[-1]
            return message["result"]

    async def text(self, tool: str, **arguments: Any) -> str:
        """Call a tool and give the text of its result."""
        result = await self.result(self.call(tool, **arguments))
        text: str = result["content"][0]["text"]
        return text

    async def status(self, method: str, **headers: str | None) -> int:
        """Send a request without a body and give the status of its answer."""
        async with self.send(method, **headers) as answer:
            return answer.response.status
