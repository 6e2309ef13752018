"""Fetches JSON from URLs that strangers name, without becoming their way into our network."""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

import server
from server.oauth.remote import Fetched, RemoteError
from server.outbound.addresses import is_public

DEADLINE = 5.0
"""Seconds for all of it: the name, the connection, the answer to its last byte."""

_AT_ONCE = 64
SHOWN = 200  # characters of a URL from outside that the log shows
_JSON = re.compile(r"application/(?:json|[\w.!#$&^-]+\+json)")
_MAX_AGE = re.compile(r'(?:^|[,\s])max-age\s*=\s*"?([0-9]{1,10})', re.IGNORECASE)
_FORBIDS_KEEPING = re.compile(r"(?:^|[,\s])no-(?:store|cache)\b", re.IGNORECASE)
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"att-mcp-server/{server.__version__}",
}

_RESOLVING = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="resolve")
"""Threads for name servers that dawdle: the loop's own are few, and every other user would wait behind them."""

Resolve = Callable[[str, int], Awaitable[Sequence[ResolveResult]]]
"""Gives every address of a host name, or of an address literal."""

log = logging.getLogger(__name__)


async def resolve(host: str, port: int) -> list[ResolveResult]:
    """Ask the system for every address of a host; raises `OSError` when it has none."""
    question = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_RESOLVING, question)
    return [
        ResolveResult(hostname=host, host=str(address[0]), port=port, family=family, proto=proto, flags=0)
        for family, _, proto, _, address in found
    ]


class _Pinned(AbstractResolver):
    """Answers with the addresses that were checked, so that nothing is resolved a second time."""

    def __init__(self, addresses: Sequence[ResolveResult]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del host, port, family  # whatever is asked, there is one answer
        return list(self._addresses)

    async def close(self) -> None:
        pass


class GuardedFetcher:
    """`server.oauth.remote.Fetcher` on aiohttp's client.

    A name is resolved once, every address that it has must be public, and the connection goes to one
    of those that were checked. No redirect, proxy, cookie or encoding is followed, used, kept or undone.
    """

    def __init__(
        self, dev_origins: Collection[str] = (), *, resolver: Resolve = resolve, tls: ssl.SSLContext | None = None
    ) -> None:
        """Fetch from the public internet and from a few origins beside.

        Args:
            dev_origins: Origins whose addresses are not checked.
            resolver: Gives the addresses of a host.
            tls: Whom to trust, if not the authorities that the system trusts.
        """
        self._dev_origins = frozenset(dev_origins)
        self._resolve = resolver
        self._tls: ssl.SSLContext | bool = tls or True
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def fetch(self, url: str, limit: int) -> Fetched:
        """Get a JSON document of at most ``limit`` bytes, within 5 seconds.

        Raises:
            RemoteError: It cannot be had so; the reason tells nothing about our network.
        """
        try:
            target = URL(url, encoded=True)
            async with asyncio.timeout(DEADLINE), self._slots:
                fetched = await self._get(target, limit)
        except TimeoutError:
            error = RemoteError(f"It was not answered in full within {DEADLINE:g} seconds.", detail="too slow")
        except (aiohttp.ClientError, OSError, ValueError) as cause:
            error = RemoteError("Its server could not be reached, or did not answer in HTTP.", detail=repr(cause))
        except RemoteError as refused:
            error = refused
        else:
            log.info("Fetched %s: %d bytes", url.partition("?")[0][:SHOWN], len(fetched.body))
            return fetched
        log.warning("Could not fetch %s: %s %s", url.partition("?")[0][:SHOWN], error.reason, error.detail)
        raise error

    async def _get(self, url: URL, limit: int) -> Fetched:
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(await self._addresses(url)), use_dns_cache=False, force_close=True, ssl=self._tls
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=HEADERS,
                auto_decompress=False,
                trust_env=False,
            ) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            check_head(response)
            return Fetched(await read_body(response, limit), max_age(response))

    async def _addresses(self, url: URL) -> Sequence[ResolveResult]:
        """Resolve a URL's host, once; one address that is not public refuses them all."""
        try:
            addresses = await self._resolve(url.raw_host or "", url.port or 0)
        except OSError as error:
            raise _nowhere(repr(error)) from None
        exempt = str(url.origin()) in self._dev_origins
        private = [address["host"] for address in addresses if not exempt and not is_public(address["host"])]
        if private or not addresses:
            raise _nowhere(f"not public: {', '.join(private)}")
        return addresses


def _nowhere(detail: str) -> RemoteError:
    """Give one answer for a name that leads nowhere and one that leads inside: which it is, is ours to know."""
    return RemoteError(
        "Its host was not found on the public internet; nothing is fetched from private addresses.", detail=detail
    )


def check_head(response: aiohttp.ClientResponse) -> None:
    """Take JSON as it is, under status 200, and nothing else."""
    if response.status != HTTPStatus.OK:
        raise RemoteError(f"Its server answered with status {response.status} instead of 200.")
    if not _JSON.fullmatch(response.content_type):
        raise RemoteError("Its server did not answer with application/json.")
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"identity", ""}:
        raise RemoteError("Its server compressed the answer, although it was asked not to.")


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read a body, and stop as soon as it is too large."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise RemoteError(f"What is there has more than {limit:,} bytes.")
    return bytes(body)


def max_age(response: aiohttp.ClientResponse) -> int | None:
    """Read for how many more seconds the answer may be kept (RFC 9111 sections 4.2 and 5.2.2)."""
    control = ",".join(response.headers.getall("Cache-Control", []))
    found = _MAX_AGE.search(control)
    if found is None or _FORBIDS_KEEPING.search(control):
        return None
    age = response.headers.get("Age", "")
    return int(found[1]) - (int(age) if re.fullmatch("[0-9]{1,10}", age) else 0)
