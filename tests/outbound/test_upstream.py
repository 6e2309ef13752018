"""Asking the provider: in time, in little space, over TLS that can be trusted, and nowhere else than where it is."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from aiohttp import web

from server.oauth.remote import RemoteError
from server.outbound.upstream import UpstreamHttp
from tests.site import Site, publish

LIMIT = 1_000


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with publish() as serving:
        yield serving


@pytest.fixture
def http() -> UpstreamHttp:
    return UpstreamHttp(deadline=0.5)


async def test_a_provider_on_a_private_address_is_asked(site: Site, http: UpstreamHttp) -> None:
    site.pages["/document"] = {"a": 1}
    site.headers["Cache-Control"] = "max-age=7"
    fetched = await http.fetch(f"{site.origin}/document", LIMIT)
    assert (fetched.body, fetched.max_age) == (b'{"a": 1}', 7)


async def test_an_answer_of_any_status_is_read(site: Site, http: UpstreamHttp) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        sent = (await request.post())["a"], request.headers["X-Proof"]
        return web.json_response(sent, status=401)

    site.pages["/token"] = answer
    reply = await http.ask(f"{site.origin}/token", {"X-Proof": "b"}, {"a": "a value &c"}, LIMIT)
    assert (reply.status, reply.body) == (401, b'["a value &c", "b"]')
    assert "a value" not in repr(reply)


async def test_no_redirect_is_followed_and_no_cookie_kept(site: Site, http: UpstreamHttp) -> None:
    async def lead(_request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{site.origin}/inside", "Set-Cookie": "a=b"})

    site.pages |= {"/lead": lead, "/inside": {}}
    assert (await http.ask(f"{site.origin}/lead", {}, None, LIMIT)).status == 302
    with pytest.raises(RemoteError, match="status 302"):
        await http.fetch(f"{site.origin}/lead", LIMIT)
    await http.fetch(f"{site.origin}/inside", LIMIT)
    assert site.asked == ["/lead", "/lead", "/inside"]
    assert all("Cookie" not in request.headers for request in site.seen)


async def test_an_answer_that_is_too_large_is_given_up(site: Site, http: UpstreamHttp) -> None:
    site.pages["/document"] = {"a": "x" * LIMIT}
    with pytest.raises(RemoteError, match="more than 1,000 bytes"):
        await http.fetch(f"{site.origin}/document", LIMIT)
    with pytest.raises(RemoteError, match="more than 1,000 bytes"):
        await http.ask(f"{site.origin}/document", {}, None, LIMIT)


async def test_a_body_that_dribbles_is_given_up(site: Site, http: UpstreamHttp) -> None:
    async def dribble(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(20):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    site.pages["/token"] = dribble
    async with asyncio.timeout(2):
        with pytest.raises(RemoteError, match=r"not answered in full within 0\.5 seconds"):
            await http.ask(f"{site.origin}/token", {}, None, LIMIT)


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(http: UpstreamHttp) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    async with publish(context) as site:
        site.pages["/document"] = {}
        with pytest.raises(RemoteError, match="could not be reached") as caught:
            await http.fetch(f"{site.origin}/document", LIMIT)
    assert "certificate" in caught.value.detail.lower()
    assert site.asked == []
