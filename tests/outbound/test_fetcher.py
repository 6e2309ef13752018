"""The guarded fetcher against real servers on loopback: what of their answers it takes."""

import asyncio
import gzip
import ssl
import time

import pytest
import trustme
from aiohttp import web
from aiohttp.abc import ResolveResult

from server.outbound import fetcher as fetcher_module
from server.outbound.fetcher import GuardedFetcher
from tests.outbound.conftest import LIMIT, Names, answering, refusal, watched
from tests.site import Site, publish


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_json_is_fetched(fetcher: GuardedFetcher, site: Site, content_type: str) -> None:
    site.pages["/x"] = answering(b'{"a": 1}', Content_Type=content_type)
    fetched = await fetcher.fetch(f"{site.origin}/x?q=%2e", LIMIT)
    assert (fetched.body, fetched.max_age) == (b'{"a": 1}', None)
    [seen] = site.seen
    assert seen.raw_path == "/x?q=%2e"
    assert seen.headers["Accept"] == "application/json"


@pytest.mark.parametrize("content_type", ["application/jwk-set+json", "application/cimd+json"])
async def test_a_kind_of_json_is_json(fetcher: GuardedFetcher, site: Site, content_type: str) -> None:
    site.pages["/x"] = answering(Content_Type=content_type)
    assert (await fetcher.fetch(f"{site.origin}/x", LIMIT)).body == b"{}"


@pytest.mark.parametrize("content_type", ["text/html", "text/json", "application/jsonp", "text/x+json", "application/"])
async def test_another_content_type_is_refused(fetcher: GuardedFetcher, site: Site, content_type: str) -> None:
    site.pages["/x"] = answering(Content_Type=content_type)
    assert "application/json" in (await refusal(fetcher, f"{site.origin}/x")).reason


@pytest.mark.parametrize("status", [201, 203, 204, 206, 300, 304, 400, 401, 404, 500, 503])
async def test_no_status_but_200_will_do(fetcher: GuardedFetcher, site: Site, status: int) -> None:
    site.pages["/x"] = answering(status=status)
    assert str(status) in (await refusal(fetcher, f"{site.origin}/x")).reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(fetcher: GuardedFetcher, site: Site, status: int) -> None:
    site.pages["/x"] = answering(status=status, Location=f"{site.origin}/y")
    site.pages["/y"] = answering()
    assert str(status) in (await refusal(fetcher, f"{site.origin}/x")).reason
    assert site.asked == ["/x"]


async def test_as_many_bytes_as_the_limit_are_taken_and_one_more_is_not(fetcher: GuardedFetcher, site: Site) -> None:
    site.pages["/x"] = answering(b"1" * LIMIT)
    assert len((await fetcher.fetch(f"{site.origin}/x", LIMIT)).body) == LIMIT
    site.pages["/x"] = answering(b"1" * (LIMIT + 1))
    assert "5,120" in (await refusal(fetcher, f"{site.origin}/x")).reason


async def test_a_body_without_end_is_cut_off_at_the_limit(fetcher: GuardedFetcher, site: Site) -> None:
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while sent < 100_000_000:
            await response.write(b" " * 1_000)
            sent += 1_000
        return response

    site.pages["/x"] = endless
    assert "5,120" in (await refusal(fetcher, f"{site.origin}/x")).reason
    assert sent < 20_000_000


async def test_a_compressed_body_is_refused_unread(fetcher: GuardedFetcher, site: Site) -> None:
    for encoding in ("gzip", "deflate", "br", "GZIP, identity"):
        site.pages["/x"] = answering(gzip.compress(b" " * 10_000_000), Content_Encoding=encoding)
        assert "compressed" in (await refusal(fetcher, f"{site.origin}/x")).reason
    assert {request.headers["Accept-Encoding"] for request in site.seen} == {"identity"}


@pytest.mark.parametrize("slow", ["before", "within"])
async def test_a_server_that_dawdles_is_given_up(
    fetcher: GuardedFetcher, site: Site, slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher_module, "DEADLINE", 0.3)

    async def dawdling(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if slow == "within":
            await response.prepare(request)
        for _ in range(50):
            await asyncio.sleep(0.1)
            if slow == "within":
                await response.write(b" ")
        return response

    site.pages["/x"] = dawdling
    began = time.perf_counter()
    assert "within 0.3 seconds" in (await refusal(fetcher, f"{site.origin}/x")).reason
    assert time.perf_counter() - began < 3


def test_five_seconds_are_all_that_a_fetch_has() -> None:
    assert fetcher_module.DEADLINE == 5


async def test_a_slow_resolver_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher_module, "DEADLINE", 0.1)

    async def asleep(_host: str, _port: int) -> list[ResolveResult]:
        await asyncio.sleep(10)
        return []

    assert "seconds" in (await refusal(GuardedFetcher(resolver=asleep), "https://slow.example/x")).reason


async def test_a_server_that_is_gone_or_speaks_no_http_is_refused() -> None:
    async with watched() as (port, visitors):
        url = f"http://localhost:{port}"
        assert "reached" in (await refusal(GuardedFetcher([url]), f"{url}/x")).reason
        assert visitors
    assert "reached" in (await refusal(GuardedFetcher([url]), f"{url}/x")).reason


async def test_no_cookie_is_kept_or_sent(fetcher: GuardedFetcher, site: Site) -> None:
    site.pages["/x"] = answering(Set_Cookie="a=b; Path=/")
    for _ in range(2):
        await fetcher.fetch(f"{site.origin}/x", LIMIT)
    assert [request.headers.get("Cookie") for request in site.seen] == [None, None]


async def test_proxies_and_passwords_of_the_environment_are_not_used(
    fetcher: GuardedFetcher, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/x"] = answering()
    async with watched() as (port, visitors):
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        await fetcher.fetch(f"{site.origin}/x", LIMIT)
    assert visitors == []
    assert "Authorization" not in site.seen[0].headers


@pytest.mark.parametrize(
    ("control", "age", "max_age"),
    [
        ("max-age=600", None, 600),
        ("public, Max-Age=600, immutable", None, 600),
        ('max-age="600"', None, 600),
        ("max-age=600", "100", 500),
        ("max-age=600", "old", 600),
        ("s-maxage=600", None, None),
        ("max-age=x", None, None),
        ("max-age=-1", None, None),
        ("no-store, max-age=600", None, None),
        ("max-age=600,no-cache", None, None),
        ("private", None, None),
    ],
)
async def test_cache_control_is_read(
    fetcher: GuardedFetcher, site: Site, control: str, age: str | None, max_age: int | None
) -> None:
    site.pages["/x"] = answering(Cache_Control=control, Age=age or "")
    assert (await fetcher.fetch(f"{site.origin}/x", LIMIT)).max_age == max_age


async def test_tls_is_verified_for_the_name_and_not_for_the_address() -> None:
    authority, names = trustme.CA(), []
    certificate = authority.issue_cert("client.example")
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    certificate.configure_cert(serving)
    authority.configure_trust(trusting)
    serving.sni_callback = lambda _socket, name, _context: names.append(name)
    async with publish(serving) as site:
        site.pages["/x"] = answering(b'{"a": 1}')
        port = site.origin.rpartition(":")[2]
        origins = [f"https://{name}.example:{port}" for name in ("client", "other")]
        trusted = GuardedFetcher(origins, resolver=Names(["127.0.0.1"]), tls=trusting)
        assert (await trusted.fetch(f"{origins[0]}/x", LIMIT)).body == b'{"a": 1}'
        assert site.seen[0].headers["Host"] == f"client.example:{port}"
        assert "reached" in (await refusal(trusted, f"{origins[1]}/x")).reason
        stranger = GuardedFetcher(origins, resolver=Names(["127.0.0.1"]))
        assert "reached" in (await refusal(stranger, f"{origins[0]}/x")).reason
        assert names == ["client.example", "other.example", "client.example"]
        assert site.asked == ["/x"]
