"""Requests that another server kept: the first browser to open one owns it."""

import os
from collections.abc import AsyncIterator

import pytest
from mcp.server.auth.provider import AuthorizationParams
from pydantic import AnyUrl

from server.library import open_provider
from server.settings import load_settings
from tests.browser import Page, challenge
from tests.support import REDIRECT_URI, Live

ELSEWHERE = "another browser"


@pytest.fixture
async def opening(live: Live) -> AsyncIterator[str]:
    """Give the path at which a browser opens a request kept through the provider."""
    settings = load_settings(server_url="https://tools.example", database_url=f"sqlite:///{live.database}")
    app = await live.register()
    async with open_provider(settings, pages="", clock=live.clock) as provider:
        client = await provider.get_client(app.client_id)
        assert client is not None
        params = AuthorizationParams(
            state=None,
            scopes=None,
            code_challenge=challenge(os.urandom(32).hex()),
            redirect_uri=AnyUrl(REDIRECT_URI),
            redirect_uri_provided_explicitly=True,
        )
        yield await provider.authorize(client, params)


async def test_first_browser_is_given_a_cookie_and_the_page(live: Live, opening: str) -> None:
    browser = live.browser()
    led = await browser.send("GET", opening)
    assert (led.status, led.headers["Cache-Control"]) == (302, "no-store")
    assert "HttpOnly" in led.headers["Set-Cookie"]
    assert "SameSite=Lax" in led.headers["Set-Cookie"]
    shown = await browser.send("GET", led.location)
    assert shown.status == 200
    assert "code" in (await Page(browser, shown, led.location, "").approve()).returned


async def test_second_browser_is_refused_page_and_decision_and_the_first_goes_on(live: Live, opening: str) -> None:
    first, second = live.browser(), live.browser()
    led = await first.send("GET", opening)
    page = Page(first, await first.send("GET", led.location), led.location, "")
    also_led = await second.send("GET", opening)
    refused = await second.send("GET", also_led.location)
    assert (refused.status, ELSEWHERE in refused.text) == (400, True)
    assert (await page.submit("approve", browser=second)).status == 400
    assert live.sql("SELECT count(*) FROM authorization_codes") == [(0,)]
    assert "code" in (await page.approve()).returned


async def test_owner_may_open_it_again_until_it_is_decided(live: Live, opening: str) -> None:
    browser = live.browser()
    for _ in range(2):
        led = await browser.send("GET", opening)
        shown = await browser.send("GET", led.location)
        assert shown.status == 200
    await Page(browser, shown, led.location, "").approve()
    assert (await browser.send("GET", (await browser.send("GET", opening)).location)).status == 400


async def test_page_shows_nothing_before_the_request_was_opened(live: Live, opening: str) -> None:
    straight = opening.replace("/begin?", "/page?")
    for cookies in ({}, {"att_browser": "0" * 64}):
        browser = live.browser()
        browser.cookies.update(cookies)
        assert ELSEWHERE in (await browser.send("GET", straight)).text


async def test_looking_at_the_address_without_opening_it_binds_nothing(live: Live, opening: str) -> None:
    assert (await live.send("HEAD", opening)).status == 405
    assert live.sql("SELECT browser_digest FROM authorization_requests") == [("",)]


async def test_request_not_opened_within_ten_minutes_is_over(live: Live, opening: str) -> None:
    live.clock.advance(600)
    browser = live.browser()
    led = await browser.send("GET", opening)
    assert "expired" in (await browser.send("GET", led.location)).text
    assert live.sql("SELECT browser_digest FROM authorization_requests") == [("",)]


async def test_request_begun_here_stays_with_its_browser(live: Live) -> None:
    page = await live.browser().open_page(await live.register())
    thief = live.browser()
    led = await thief.send("GET", f"/oauth/authorize/begin?request={page.handle}")
    assert ELSEWHERE in (await thief.send("GET", led.location)).text


@pytest.mark.parametrize("query", ["", "?request=", "?request=a&request=b"])
async def test_address_that_names_no_request_is_a_page(live: Live, query: str) -> None:
    answer = await live.send("GET", f"/oauth/authorize/begin{query}")
    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")


async def test_unknown_handle_is_written_into_no_header(live: Live) -> None:
    led = await live.send("GET", "/oauth/authorize/begin?request=a%0D%0AX-Made-Up%3A%20b%26c")
    assert led.location == "/oauth/authorize/page?request=a%0D%0AX-Made-Up%3A+b%26c"
    assert "X-Made-Up" not in led.headers
