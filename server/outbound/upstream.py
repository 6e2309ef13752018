"""Asking the provider that the operator chose: no redirects, little time, little space."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import aiohttp
from yarl import URL

from server.oauth.remote import Fetched, RemoteError, Reply
from server.outbound.fetcher import HEADERS, check_head, max_age, read_body

DEADLINE = 10.0
"""Seconds for all of an answer, since somebody waits at their browser meanwhile."""

T = TypeVar("T")


class UpstreamHttp:
    """`server.identity.oidc.upstream.Http` on aiohttp's client.

    The operator names the provider, so it may be anywhere, on a private address too.
    """

    def __init__(self, deadline: float = DEADLINE) -> None:
        """Give up an answer after so many seconds."""
        self._deadline = deadline

    async def fetch(self, url: str, limit: int) -> Fetched:
        """Get a JSON document of at most ``limit`` bytes; raises `RemoteError` for anything else."""

        async def read(response: aiohttp.ClientResponse) -> Fetched:
            check_head(response)
            return Fetched(await read_body(response, limit), max_age(response))

        return await self._send(url, {}, None, read)

    async def ask(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None, limit: int) -> Reply:
        """Send a GET, or a POST if there is a form, and give the answer of at most ``limit`` bytes.

        Raises:
            RemoteError: It did not come in full and in time.
        """

        async def read(response: aiohttp.ClientResponse) -> Reply:
            return Reply(response.status, await read_body(response, limit))

        return await self._send(url, headers, form, read)

    async def _send(
        self,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
        read: Callable[[aiohttp.ClientResponse], Awaitable[T]],
    ) -> T:
        """Send one request on a connection of its own; cookies are not kept, and redirects are answers like others."""
        try:
            async with (
                asyncio.timeout(self._deadline),
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(force_close=True),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    headers=HEADERS,
                ) as session,
                session.request(
                    "GET" if form is None else "POST",
                    URL(url, encoded=True),
                    headers=headers,
                    data=form,
                    allow_redirects=False,
                ) as response,
            ):
                return await read(response)
        except TimeoutError:
            raise RemoteError(f"It was not answered in full within {self._deadline:g} seconds.") from None
        except (aiohttp.ClientError, OSError, ValueError) as cause:
            detail = f"{type(cause).__name__}: {cause}"
            raise RemoteError("It could not be reached, or did not answer in HTTP.", detail=detail) from None
