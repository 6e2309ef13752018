"""A site on loopback, a fetcher that may visit it, and what either is tried with."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from server.oauth.remote import RemoteError
from server.outbound.fetcher import GuardedFetcher
from tests.site import Handler, Site, publish

LIMIT = 5 * 1024
HAS_IPV6 = Path("/proc/net/if_inet6").exists() or sys.platform == "darwin"


def answering(body: bytes = b"{}", status: int = 200, **headers: str) -> Handler:
    """Give a handler that answers so; ``Content_Type="…"`` gives the header ``Content-Type``."""

    async def handler(_request: web.BaseRequest) -> web.Response:
        named = {"Content-Type": "application/json", **{n.replace("_", "-"): v for n, v in headers.items()}}
        return web.Response(body=body, status=status, headers=named)

    return handler


async def refusal(fetcher: GuardedFetcher, url: str, limit: int = LIMIT) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await fetcher.fetch(url, limit)
    return caught.value


@asynccontextmanager
async def watched(host: str = "127.0.0.1") -> AsyncIterator[tuple[int, list[str]]]:
    """Listen on an address and note whoever connects."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if family == socket.AF_INET6 and not HAS_IPV6:
        pytest.skip("there is no IPv6 on this machine")
    visitors: list[str] = []

    def noted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitors.append(str(writer.get_extra_info("peername")))
        writer.close()

    with closing(socket.create_server((host, 0), family=family)) as listening:
        server = await asyncio.start_server(noted, sock=listening)
        async with server:
            yield listening.getsockname()[1], visitors


def result(host: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return ResolveResult(hostname="name", host=host, port=port, family=family, proto=socket.IPPROTO_TCP, flags=0)


class Names:
    """A resolver whose every question is counted, with one answer after the other."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.questions: list[str] = []

    async def __call__(self, host: str, port: int) -> list[ResolveResult]:
        self.questions.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [result(address, port) for address in answer]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with publish() as published:
        yield published


@pytest.fixture
def fetcher(site: Site) -> GuardedFetcher:
    """Give a fetcher for which the site is a development origin."""
    return GuardedFetcher([site.origin])
