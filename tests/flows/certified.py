"""A certified provider in a process of its own, and the way through its pages."""

import asyncio
import html
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.flows.child import PATIENCE, ROOT, free_port

NODE = ROOT / "node_modules/.bin/node"
LIBRARY = ROOT / "node_modules/oidc-provider"
SCRIPT = Path(__file__).with_name("provider.mjs")


def require_node() -> None:
    """Skip without Node and the provider, except on CI, which has both."""
    if not (NODE.exists() and LIBRARY.exists()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no Node with oidc-provider here: run `make test`, or `npm ci --ignore-scripts`"
        )


@dataclass
class Certified:
    """Where it will be; it serves once it is started."""

    port: int
    process: asyncio.subprocess.Process | None = None

    @property
    def issuer(self) -> str:
        """Its issuer."""
        return f"http://localhost:{self.port}"

    async def start(self, origin: str) -> None:
        """Let it serve a client at an origin."""
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            NODE, SCRIPT, str(self.port), origin, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
        assert await self._line() == self.issuer

    async def rotate(self) -> None:
        """Give it a new key in the place of the old one, and let it forget who is signed in."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(b"rotate\n")
        assert await self._line() == "rotated"

    async def _line(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            return (await self.process.stdout.readline()).decode().strip()


@asynccontextmanager
async def certified() -> AsyncIterator[Certified]:
    """Give a provider that can be started; it ends with the block."""
    require_node()
    provider = Certified(free_port())
    try:
        yield provider
    finally:
        if provider.process is not None and provider.process.returncode is None:
            provider.process.kill()
            await provider.process.wait()


@dataclass(frozen=True)
class Shown:
    """A page that a walk has come to."""

    url: URL
    text: str

    @property
    def fields(self) -> dict[str, str]:
        """The hidden fields and checked boxes of its form."""
        inputs = re.findall(r"<input[^>]*>", self.text)
        pairs = [(re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in inputs]
        return {name[1]: html.unescape(value[1]) for name, value in pairs if name and value}

    @property
    def target(self) -> URL:
        """Where its form goes."""
        found = re.search(r'<form[^>]*action="([^"]*)"', self.text)
        assert found is not None, self.text
        return self.url.join(URL(html.unescape(found[1])))


@dataclass
class Walk:
    """A browser that keeps cookies, follows redirects on loopback, and fills in forms."""

    http: aiohttp.ClientSession

    async def get(self, url: str) -> Shown:
        """Open an address."""
        return await self.send("GET", URL(url))

    async def submit(self, page: Shown, **fields: str) -> Shown:
        """Send a page's form."""
        return await self.send("POST", page.target, data={**page.fields, **fields})

    async def pass_provider(self, page: Shown, login: str) -> Shown:
        """Sign in at the provider and let it tell who that is."""
        page = await self.submit(page, login=login, password="any will do")
        while "/interaction/" in page.url.path:
            page = await self.submit(page)
        return page

    async def send(self, method: str, url: URL, **options: Any) -> Shown:
        """Send a request and follow where it leads."""
        for _ in range(10):
            async with self.http.request(method, url, allow_redirects=False, **options) as response:
                if response.status not in {302, 303}:
                    return Shown(url, await response.text())
                url = url.join(URL(response.headers["Location"], encoded=True))
            if url.host not in {"localhost", "127.0.0.1"}:
                return Shown(url, "")
            method, options = "GET", {}
        raise AssertionError(f"it never ends: {url}")


@asynccontextmanager
async def walking() -> AsyncIterator[Walk]:
    """Give a fresh browser."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Walk(http)
