"""Signing in through a certified OpenID provider: the whole way, over a new key, out again, and in Chromium."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from tests.browser import App, challenge
from tests.chromium import chromium
from tests.conftest import Start
from tests.flows.certified import Certified, Shown, Walk, certified, walking
from tests.flows.test_chromium import VERIFIER
from tests.support import REDIRECT_URI, Live
from tests.upstream import SETTINGS


@dataclass
class Place:
    """Our server, the provider, and an app."""

    live: Live
    provider: Certified
    app: App

    @property
    def link(self) -> str:
        """The address that the app opens."""
        asked = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": "read",
            "state": "a-state",
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        return f"{self.live.url}/authorize?{urlencode(asked)}"

    async def is_good(self, returned: Shown) -> bool:
        """Exchange the code that came back, and look whether the token is live."""
        answer = await self.live.exchange(self.app, returned.url.query["code"], VERIFIER)
        return await self.live.is_active(self.app, answer.json["access_token"])


@asynccontextmanager
async def placed(start: Start) -> AsyncIterator[Place]:
    """Start all of it; our clock is the provider's, since its tokens are of the real time."""
    async with certified() as provider:
        settings = {"oauth_provider": "oidc", "oauth_upstream_issuer": provider.issuer, **SETTINGS}
        async with start(**settings, oauth_allowed_users="@example.com") as live:
            live.clock.now = int(time.time())  # noqa: TID251 - as said above
            await provider.start(live.url)
            yield Place(live, provider, await live.register(client_name="Desk app"))


async def enter(place: Place, walk: Walk, login: str) -> Shown:
    """Go on from the first page to the consent page."""
    asked = await walk.get(place.link)
    assert "Desk app" in asked.text
    return await walk.pass_provider(await walk.submit(asked, decision="approve"), login)


async def test_sign_in_through_a_certified_provider(start: Start) -> None:
    async with placed(start) as place, walking() as walk:
        consent = await enter(place, walk, "ada")
        assert "ada at the provider" in consent.text
        assert await place.is_good(await walk.submit(consent, decision="approve"))
        assert place.live.sql("SELECT issuer, subject, name, email FROM users") == [
            (place.provider.issuer, "ada", "ada at the provider", "ada@example.com")
        ]

        place.live.sql("DELETE FROM sessions")
        assert await place.is_good(await walk.get(place.link)), "nobody need be asked anything a second time"


async def test_key_rotation_of_a_certified_provider_goes_unnoticed(start: Start) -> None:
    async with placed(start) as place:
        for login in ("ada", "lin"):
            async with walking() as walk:
                assert f"{login} at the provider" in (await enter(place, walk, login)).text
            await place.provider.rotate()
            place.live.clock.advance(31)
        assert place.live.sql("SELECT subject FROM users ORDER BY subject") == [("ada",), ("lin",)]


async def test_sign_out_at_a_certified_provider_leads_back_here(start: Start) -> None:
    async with placed(start) as place, walking() as walk:
        await enter(place, walk, "ada")
        account = await walk.get(f"{place.live.url}/account")
        csrf = account.fields["csrf"]
        question = await walk.send("POST", account.url.with_path("/signout"), data={"csrf": csrf})
        assert question.url.path == "/session/end"
        done = await walk.submit(question, logout="yes")
        assert (done.url.path, "You are signed out" in done.text) == ("/signin", True)
        assert "sign-in" in (await walk.submit(done, decision="approve")).text.lower()


async def test_refusal_at_a_certified_provider_is_told_to_the_app(start: Start) -> None:
    async with placed(start) as place, walking() as walk:
        login = await walk.submit(await walk.get(place.link), decision="approve")
        failed = await walk.get(str(login.url / "abort"))
        assert "You were not signed in" in failed.text
        back = await walk.submit(failed)
        assert (back.url.query["error"], back.url.query["iss"]) == ("access_denied", place.live.url)


async def test_wrong_secret_at_a_certified_provider_is_named(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    async with certified() as provider:
        settings = {**SETTINGS, "oauth_provider": "oidc", "oauth_upstream_issuer": provider.issuer}
        async with start(**{**settings, "oauth_client_secret": "wrong"}) as live, walking() as walk:
            live.clock.now = int(time.time())  # noqa: TID251 - as said above
            await provider.start(live.url)
            failed = await enter(Place(live, provider, await live.register(client_name="Desk app")), walk, "ada")
    assert "Sign-in is not set up rightly here" in failed.text
    assert "the token endpoint answered 401 'invalid_client'" in caplog.text
    assert "look at OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET" in caplog.text


async def test_chromium_goes_through_the_whole_sign_in(start: Start) -> None:
    async with (
        chromium() as browser,
        placed(start) as place,
        await browser.new_context() as context,
    ):
        page = await context.new_page()
        await page.route(f"{REDIRECT_URI}*", lambda route: route.fulfill(body="back at the app"))
        await page.goto(place.link)
        await page.get_by_role("button", name="Go on to").click()
        await page.get_by_placeholder("login", exact=False).fill("ada")
        await page.get_by_placeholder("password", exact=False).fill("any will do")
        await page.get_by_role("button", name="Sign-in").click()
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_text("ada at the provider").wait_for()
        await page.get_by_role("button", name="Allow").click()
        await page.wait_for_url(f"{REDIRECT_URI}?code=*")
        await page.goto(f"{place.live.url}/account")
        await page.get_by_text("Desk app").first.wait_for()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await page.get_by_role("button", name="Yes, sign me out").click()
        await page.get_by_text("You are signed out").wait_for()

        await page.goto(place.link)
        await page.get_by_text("Cancel").click()
        await page.get_by_role("heading", name="You were not signed in").wait_for()
        await page.get_by_role("button", name="Go back to assistant.example").click()
        await page.wait_for_url(f"{REDIRECT_URI}?error=access_denied*")
