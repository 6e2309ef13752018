"""The browser's part by real Chromium: from the authorize URL over the consent page back to an app on another port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from aiohttp import web
from playwright.async_api import Page

from tests.browser import App, challenge
from tests.chromium import chromium
from tests.flows.child import Child, connected, free_port
from tests.support import Remote

VERIFIER = "verifier-" * 6
SCRIPTING = pytest.mark.parametrize("scripting", [True, False], ids=["javascript", "no javascript"])


@dataclass
class Desk:
    """A person at a computer: a browser, a server, and an app that listens on a loopback port of its own."""

    live: Remote
    page: Page
    app: App
    callback: str
    returned: list[dict[str, str]] = field(default_factory=list)

    def address(self, state: str = "a state & more") -> str:
        """Write the URL that the app opens; its port is not the one that was registered (RFC 8252 section 7.3)."""
        asked = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": self.callback,
            "state": state,
            "scope": "read account",
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        return f"{self.live.url}/authorize?{urlencode(asked)}"

    async def press(self, button: str, page: Page | None = None) -> dict[str, str]:
        """Press a button of the page and give what came back to the app."""
        page = page or self.page
        await page.get_by_role("button", name=button).click()
        await page.wait_for_url(f"{self.callback}?*")
        return self.returned[-1]


@asynccontextmanager
async def seated(folder: Path, *, scripting: bool) -> AsyncIterator[Desk]:
    """Start everything and end it."""
    callback = f"http://127.0.0.1:{free_port()}/callback"
    async with (
        chromium() as browser,
        connected(Child(folder)) as live,
        await browser.new_context(java_script_enabled=scripting) as context,
    ):
        app = await live.register(client_name="Desk app", redirect_uris=["http://127.0.0.1:1/callback"])
        desk = Desk(live, await context.new_page(), app, callback)
        listener = _listener(desk)
        await listener.setup()
        await web.TCPSite(listener, "127.0.0.1", urlsplit(callback).port).start()
        try:
            yield desk
        finally:
            await listener.cleanup()


def _listener(desk: Desk) -> web.AppRunner:
    async def receive(request: web.Request) -> web.Response:
        desk.returned.append(dict(request.query))
        return web.Response(text="You may close this window.")

    application = web.Application()
    application.router.add_get("/callback", receive)
    return web.AppRunner(application, access_log=None, shutdown_timeout=1)


@SCRIPTING
async def test_approval_comes_back_to_the_app_and_yields_tokens(tmp_path: Path, *, scripting: bool) -> None:
    async with seated(tmp_path, scripting=scripting) as desk:
        await desk.page.goto(desk.address())
        await desk.page.get_by_role("checkbox").nth(1).uncheck()
        returned = await desk.press("Allow")
        assert set(returned) == {"code", "state", "iss"}
        assert (returned["state"], returned["iss"]) == ("a state & more", desk.live.url)
        answer = await desk.live.exchange(desk.app, returned["code"], VERIFIER, redirect_uri=desk.callback)
        assert (answer.status, answer.json["scope"]) == (200, "read")


@SCRIPTING
async def test_denial_comes_back_to_the_app(tmp_path: Path, *, scripting: bool) -> None:
    async with seated(tmp_path, scripting=scripting) as desk:
        await desk.page.goto(desk.address())
        returned = await desk.press("Deny")
        assert set(returned) == {"error", "error_description", "state", "iss"}
        assert (returned["error"], returned["iss"]) == ("access_denied", desk.live.url)


async def test_going_back_after_the_answer_says_that_it_was_given(tmp_path: Path) -> None:
    async with seated(tmp_path, scripting=True) as desk:
        await desk.page.goto(desk.address())
        code = (await desk.press("Allow"))["code"]
        back = await desk.page.go_back()
        assert back is not None
        assert back.status == 400
        assert await desk.page.get_by_role("heading", name="You have already answered").is_visible()
        assert len(desk.returned) == 1
        assert (await desk.live.exchange(desk.app, code, VERIFIER)).status == 200


async def test_two_tabs_wait_at_once_and_each_is_answered_for_itself(tmp_path: Path) -> None:
    async with seated(tmp_path, scripting=True) as desk:
        second = await desk.page.context.new_page()
        await desk.page.goto(desk.address("first"))
        await second.goto(desk.address("second"))
        first_answer = await desk.press("Allow")
        second_answer = await desk.press("Deny", second)
        assert (first_answer["state"], second_answer["state"]) == ("first", "second")
        assert "code" in first_answer
        assert second_answer["error"] == "access_denied"
