"""What may be fetched, that it is fetched once for all who ask, and for how long the outcome counts."""

import asyncio
from typing import Any

import pytest

from server.oauth.remote import Fetched, Remote, RemoteError, check_url, fresh_until

NOW = 1_800_000_000
URL = "https://client.example/oauth/client.json"

GOOD = [
    URL,
    "https://client.example/x",
    "https://client.example:8443/x",
    "https://client.example/x?tenant=1&q=../..",
    "https://client.example/a/..b/.well-known/c..",
    "https://client.example/%41",
    "https://client.example//x",
    "https://[2606:4700::1]/x",
    "https://8.8.8.8/x",
    "https://xn--bcher-kva.example/x",
    "http://localhost:9000/x",
    "http://dev.example/x",
    "https://client.example/" + "x" * (2_000 - len("https://client.example/")),
]
BAD = [
    "",
    "client.example/x",
    "//client.example/x",
    "HTTPS://client.example/x",
    "ftp://client.example/x",
    "file:///etc/passwd",
    "http://client.example/x",
    "http://localhost/x",
    "http://localhost:90000/x",
    "http://localhost:9000@client.example/x",
    "https://client.example",
    "https://client.example/",
    "https://client.example?x",
    "https:///x",
    "https://:443/x",
    "https://%6cocalhost/x",
    "https://[fe80::1%25eth0]/x",
    "https://user@client.example/x",
    "https://user:password@client.example/x",
    "https://@client.example/x",
    "https://client.example/x#",
    "https://client.example/x#fragment",
    "https://client.example/./x",
    "https://client.example/a/../x",
    "https://client.example/a/..",
    "https://client.example/.",
    "https://client.example/%2e%2e/x",
    "https://client.example/a/.%2E/x",
    "https://client.example:0/x",
    "https://client.example:65536/x",
    "https://client.example:port/x",
    "https://[::1/x",
    "https://client.example\\@evil.example/x",
    "https://client.example/x y",
    "https://client.example/x\n",
    "\thttps://client.example/x",
    "https://client.example/\x00",
    "https://bücher.example/x",
    "https://client.example/ü",
    "https://client.example/{x}",
    'https://client.example/"',
    "https://client.example/" + "x" * 2_000,
]


class Server:
    """A fetcher that waits until it is let go."""

    def __init__(self, *, waits: bool = False) -> None:
        self.asked: list[tuple[str, int]] = []
        self.body = b'{"a": 1}'
        self.error: Exception | None = None
        self.go = asyncio.Event()
        if not waits:
            self.go.set()

    async def fetch(self, url: str, limit: int) -> Fetched:
        self.asked.append((url, limit))
        await self.go.wait()
        if self.error:
            raise self.error
        return Fetched(self.body, None)


async def keep(content: dict[str, Any], expires_at: int) -> tuple[dict[str, Any], int]:
    return content, expires_at


@pytest.mark.parametrize("url", GOOD)
def test_a_plain_https_url_with_a_path_is_good(url: str) -> None:
    check_url(url, ["http://localhost:9000", "http://dev.example"])


@pytest.mark.parametrize("url", BAD)
def test_any_other_is_not(url: str) -> None:
    with pytest.raises(RemoteError):
        check_url(url, ["http://localhost:9000"])


@pytest.mark.parametrize(
    ("max_age", "seconds"),
    [(None, 300), (-5, 300), (0, 300), (299, 300), (300, 300), (4_000, 4_000), (86_400, 86_400), (10**9, 86_400)],
)
def test_a_document_is_good_for_five_minutes_to_a_day(max_age: int | None, seconds: int) -> None:
    assert fresh_until(Fetched(b"", max_age), NOW) == NOW + seconds


async def test_whoever_asks_meanwhile_gets_the_same() -> None:
    server = Server(waits=True)
    remote = Remote(server)
    asking = [asyncio.create_task(remote.renew(URL, 10, keep, NOW)) for _ in range(20)]
    await asyncio.sleep(0)
    server.go.set()
    assert await asyncio.gather(*asking) == [({"a": 1}, NOW + 300)] * 20
    assert len(server.asked) == 1
    await remote.renew(URL, 10, keep, NOW)
    assert len(server.asked) == 2


async def test_urls_do_not_wait_for_each_other() -> None:
    server = Server(waits=True)
    remote = Remote(server)
    asking = [asyncio.create_task(remote.renew(url, limit, keep, NOW)) for url in (URL, URL + "2") for limit in (1, 2)]
    await asyncio.sleep(0.01)
    assert len(server.asked) == 4
    server.go.set()
    await asyncio.gather(*asking)


async def test_one_who_hangs_up_takes_nothing_from_the_others() -> None:
    server = Server(waits=True)
    remote = Remote(server)
    first, second = (asyncio.create_task(remote.renew(URL, 10, keep, NOW)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    server.go.set()
    assert (await second)[0] == {"a": 1}
    assert len(server.asked) == 1


async def test_a_failure_counts_for_half_a_minute_and_for_all_who_asked() -> None:
    server = Server(waits=True)
    server.error = RemoteError("gone")
    remote = Remote(server)
    asking = [asyncio.create_task(remote.renew(URL, 10, keep, NOW)) for _ in range(3)]
    await asyncio.sleep(0)
    server.go.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["gone"] * 3
    server.error = None
    with pytest.raises(RemoteError, match="gone"):
        await remote.renew(URL, 10, keep, NOW + 29)
    assert len(server.asked) == 1
    assert await remote.renew(URL, 10, keep, NOW + 30)
    assert await remote.renew(URL, 10, keep, NOW + 30)
    assert len(server.asked) == 3


async def test_failures_do_not_pile_up() -> None:
    server = Server()
    server.error = RemoteError("gone")
    remote = Remote(server)
    for number in range(1_010):
        with pytest.raises(RemoteError):
            await remote.renew(f"{URL}{number}", 10, keep, NOW)
    assert len(remote._failures) == 1_000  # noqa: SLF001 - nothing outside tells


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"a": "\\ud800"}', b"[" * 5_000, b'{"a": ' + b"9" * 5_000 + b"}"],
)
async def test_what_is_not_a_json_object_is_refused_and_not_kept(body: bytes) -> None:
    server = Server()
    server.body = body

    async def never(_content: dict[str, Any], _expires_at: int) -> None:
        raise AssertionError

    with pytest.raises(RemoteError, match="JSON"):
        await Remote(server).renew(URL, 10, never, NOW)


async def test_an_error_of_ours_is_not_remembered() -> None:
    async def broken(_content: dict[str, Any], _expires_at: int) -> None:
        raise LookupError

    remote = Remote(Server())
    with pytest.raises(LookupError):
        await remote.renew(URL, 10, broken, NOW)
    assert await remote.renew(URL, 10, keep, NOW)


async def test_without_a_fetcher_nothing_can_be_had() -> None:
    with pytest.raises(RemoteError):
        await Remote().renew(URL, 10, keep, NOW)


async def test_closing_gives_up_what_is_under_way() -> None:
    remote = Remote(Server(waits=True))
    asking = asyncio.create_task(remote.renew(URL, 10, keep, NOW))
    await asyncio.sleep(0)
    await remote.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
