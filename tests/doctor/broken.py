"""A server that is broken in one way: it hands requests on to a whole one, and spoils what comes back."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_server
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from server.doctor.examination import examine
from server.doctor.findings import Finding
from tests.support import serve

_OF_THE_HOP = {"content-length", "transfer-encoding", "connection", "date", "server", "content-encoding"}


@dataclass
class Exchange:
    """A request and the answer to it, which a fault may change."""

    request: web.Request
    sent: bytes
    status: int
    headers: CIMultiDict[str]
    body: bytes
    count: int
    """How many requests there have been for this path."""

    @property
    def path(self) -> str:
        """The request's path."""
        return self.request.path

    @property
    def query(self) -> dict[str, str]:
        """The request's parameters, from address or form."""
        text = self.request.rel_url.raw_query_string or self.sent.decode(errors="replace")
        return dict(parse_qsl(text, keep_blank_values=True))

    def answer(self, status: int, body: str = "", kind: str = "application/json", **headers: str) -> None:
        """Answer something else."""
        self.status, self.body = status, body.encode()
        self.headers = CIMultiDict({"Content-Type": kind})
        self.headers.update({name.replace("_", "-"): value for name, value in headers.items()})

    def change(self, **members: Any) -> None:
        """Change members of a JSON answer; ``...`` takes one away."""
        content = json.loads(self.body) | members
        self.body = json.dumps({name: value for name, value in content.items() if value is not ...}).encode()

    def return_with(self, **parameters: str | None) -> None:
        """Change the parameters with which a redirect leads back; ``None`` takes one away."""
        parts = urlsplit(self.headers["Location"])
        changed = dict(parse_qsl(parts.query)) | parameters
        query = urlencode({name: value for name, value in changed.items() if value is not None})
        self.headers["Location"] = parts._replace(query=query).geturl()

    def refuse(self, error: str) -> None:
        """Refuse an authorization request by a redirect to the client."""
        query = urlencode({"error": error, "state": self.query.get("state", ""), "iss": self.request.url.origin()})
        self.answer(302, Location=f"{self.query['redirect_uri']}?{query}")


Fault = Callable[[Exchange], None]


@dataclass
class _Proxy:
    target: str
    fault: Fault
    http: aiohttp.ClientSession
    counts: dict[str, int] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        self.counts[request.path] = self.counts.get(request.path, 0) + 1
        sent = await request.read()
        url = URL(self.target + request.raw_path, encoded=True)
        async with self.http.request(
            request.method, url, headers=request.headers, data=sent or None, allow_redirects=False
        ) as answer:
            headers = CIMultiDict((n, v) for n, v in answer.headers.items() if n.lower() not in _OF_THE_HOP)
            exchange = Exchange(request, sent, answer.status, headers, await answer.read(), self.counts[request.path])
        self.fault(exchange)
        return web.Response(status=exchange.status, headers=exchange.headers, body=exchange.body)


@asynccontextmanager
async def broken(folder: Path, fault: Fault, **settings: Any) -> AsyncIterator[str]:
    """Serve with a fault, and give the origin."""
    with closing(create_server(("127.0.0.1", 0))) as listening:
        origin = f"http://localhost:{listening.getsockname()[1]}"
        async with (
            serve(folder, server_url=origin, **settings) as live,
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as http,
        ):
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", _Proxy(live.url, fault, http).handle)
            runner = web.AppRunner(app)
            await runner.setup()
            await web.SockSite(runner, listening).start()
            try:
                yield origin
            finally:
                await runner.cleanup()


async def findings(url: str) -> list[Finding]:
    return [finding async for finding in examine(url)]
