"""Asking a server: one request, no redirect followed, nothing raised; what came is kept as it came."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

USER_AGENT = "att-mcp-server-doctor"
TIMEOUT = 15
"""Seconds that a server has for an answer."""

_MOST = 256 * 1024  # bytes of an answer that are looked at


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer, or why there was none."""

    asked: str
    """Method and address, for the report."""
    status: int = 0
    """0 where there was no answer."""
    headers: CIMultiDictProxy[str] = field(default_factory=lambda: CIMultiDictProxy(CIMultiDict()))
    body: bytes = b""
    error: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object in the body; empty if that is something else."""
        try:
            decoded = json.loads(self.body)
        except ValueError:
            return {}
        return decoded if isinstance(decoded, dict) else {}

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or kind.endswith("+json")

    @property
    def is_redirect(self) -> bool:
        """Whether it sends the browser elsewhere."""
        return HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST and "Location" in self.headers

    @property
    def location(self) -> str:
        """Where it leads."""
        return self.headers.get("Location", "")

    @property
    def returned(self) -> dict[str, str]:
        """The parameters with which it leads there."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    @property
    def is_challenge(self) -> bool:
        """Whether something between asks for a browser that passes a test."""
        blocked = self.status in {HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}
        return "cf-mitigated" in self.headers or (blocked and b"<html" in self.body[:2_000].lower())

    def __str__(self) -> str:
        """Say in a few words what came."""
        if not self.status:
            return f"{self.asked}: {self.error}"
        error = self.json.get("error")
        return f"{self.asked} answered {self.status}" + (f" ({error})" if isinstance(error, str) else "")


class Probe:
    """Asks, as a program that is no browser."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        """Ask through this session."""
        self._http = http

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: object = None,
    ) -> Seen:
        """Send one request.

        Args:
            method: The HTTP method.
            url: Where to.
            headers: Beside the usual ones.
            form: Fields to post.
            content: What to post as JSON.
        """
        asked = f"{method} {url.partition('?')[0]}"
        options: dict[str, Any] = {"headers": headers, "data": form}
        if content is not None:
            options["json"] = content
        try:
            async with self._http.request(method, URL(url, encoded=True), allow_redirects=False, **options) as answer:
                body = b"" if answer.content_type == "text/event-stream" else await answer.content.read(_MOST)
                return Seen(asked, answer.status, answer.headers, body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Seen(asked, error=_why(error))

    async def get(self, url: str, **headers: str) -> Seen:
        """Get an address; ``User_Agent="…"`` gives the header ``User-Agent``."""
        return await self.send("GET", url, headers={name.replace("_", "-"): value for name, value in headers.items()})


def _why(error: Exception) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return f"no answer within {TIMEOUT} seconds"
    return str(error) or type(error).__name__


@asynccontextmanager
async def probing() -> AsyncIterator[Probe]:
    """Open a session that keeps no cookies and trusts what the system trusts."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT},
        timeout=aiohttp.ClientTimeout(total=TIMEOUT),
    ) as http:
        yield Probe(http)
