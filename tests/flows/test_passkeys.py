"""Passkeys in real Chromium, with the authenticator that it brings for tests: added, used, refused, removed."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Page,
    ViewportSize,
    expect,
)

from tests.browser import challenge
from tests.chromium import AXE, chromium, lacks
from tests.flows.child import Child, connected, free_port
from tests.flows.test_chromium import VERIFIER
from tests.people import PASSWORD, add_person
from tests.support import REDIRECT_URI, Remote

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = (ViewportSize(width=320, height=640), ViewportSize(width=1280, height=800))


@dataclass
class Desk:
    """Somebody at a computer whose browser has an authenticator of its own."""

    live: Remote
    browser: Browser
    context: BrowserContext
    page: Page
    devtools: CDPSession
    authenticator: str = ""
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        """Note what the browser holds against a page; a refusal is what some of them are there to show."""
        if message.type == "error" and "403 (Forbidden)" not in message.text:
            self.complaints.append(message.text)

    async def plug_in(self) -> None:
        """Give the browser an authenticator that finds its owner by itself, and verifies them."""
        await self.devtools.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = await self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.authenticator = added["authenticatorId"]

    async def verify(self, *, owner: bool) -> None:
        """Let the authenticator find that it is its owner who is there, or somebody else."""
        verified = {"authenticatorId": self.authenticator, "isUserVerified": owner}
        await self.devtools.send("WebAuthn.setUserVerified", verified)

    async def sign_in_by_password(self) -> None:
        await self.page.goto(f"{self.live.url}/signin")
        await self.page.get_by_label("Username").fill("ada")
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()
        await self.page.wait_for_url("**/account")

    async def add(self, name: str) -> None:
        await self.page.get_by_label("Name of the new passkey").fill(name)
        await self.page.get_by_role("button", name="Add a passkey").click()

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name).click()

    async def sign_out(self) -> None:
        await self.page.goto(f"{self.live.url}/account")
        await self.page.get_by_role("button", name="Sign out", exact=True).click()
        await self.page.wait_for_url("**/signin?*")

    async def has_no_fault(self, path: str) -> None:
        """Let axe look at a page as this browser sees it, in light and dark, narrow and wide."""
        cookies = await self.context.storage_state()
        async with await self.browser.new_context(bypass_csp=True, storage_state=cookies) as context:
            page = await context.new_page()
            await page.goto(f"{self.live.url}{path}")
            await page.add_script_tag(path=AXE)
            for look in ("light", "dark"):
                for size in SIZES:
                    await page.emulate_media(color_scheme="dark" if look == "dark" else "light")
                    await page.set_viewport_size(size)
                    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
                    found = await page.evaluate("rules => axe.run({runOnly: rules})", RULES)
                    assert [one["help"] for one in found["violations"] + found["incomplete"]] == []
                    if pictures := os.environ.get("PICTURES"):
                        name = f"{path.strip('/').partition('?')[0]}-{look}-{size['width']}.png"
                        await page.screenshot(path=Path(pictures) / name, full_page=True)


@asynccontextmanager
async def seated(folder: Path) -> AsyncIterator[Desk]:
    """Start everything and end it."""
    if not AXE.exists():
        lacks("axe-core")
    port = free_port()
    url = f"http://localhost:{port}"  # passkeys belong to a name, and to no number
    child = Child(folder, port, {"OAUTH_PROVIDER": "local", "SERVER_URL": url})
    async with (
        chromium() as browser,
        connected(child) as live,
        await browser.new_context() as context,
    ):
        live.url = url
        add_person(live)
        page = await context.new_page()
        desk = Desk(live, browser, context, page, await context.new_cdp_session(page))
        page.on("console", desk.hear)
        page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        await desk.plug_in()
        yield desk


async def test_a_passkey_from_its_making_to_its_removal(tmp_path: Path) -> None:
    async with seated(tmp_path) as desk:
        page, live = desk.page, desk.live
        await desk.sign_in_by_password()
        await desk.add("My laptop")
        await expect(page.get_by_role("status")).to_contain_text("The passkey is added")
        await desk.add("Once more")
        await expect(page.get_by_role("alert")).to_have_text("This device already has a passkey for your account.")
        await expect(page.get_by_text("To add a passkey, use a browser that knows them")).to_be_hidden()
        await desk.has_no_fault("/account")

        await desk.sign_out()
        await desk.has_no_fault("/signin")
        await desk.press("Sign in with a passkey")
        await page.wait_for_url("**/account")
        await expect(page.get_by_role("main")).to_contain_text("by passkey")
        assert live.sql("SELECT name, sign_count > 0 FROM passkeys") == [("My laptop", 1)]

        await desk.sign_out()
        await desk.verify(owner=False)
        await desk.press("Sign in with a passkey")
        await expect(page.get_by_role("alert")).to_have_text("No passkey was chosen, or it took too long. Try again.")
        await desk.verify(owner=True)

        await desk.press("Sign in with a passkey")
        await page.wait_for_url("**/account")
        await desk.press("Remove the passkey My laptop")
        await expect(page.get_by_role("status")).to_contain_text("The passkey is removed here")
        await desk.sign_out()
        await desk.press("Sign in with a passkey")
        await expect(page.get_by_role("alert").first).to_contain_text("does not sign anybody in here")
        assert desk.complaints == []


async def test_an_application_is_allowed_by_passkey_alone(tmp_path: Path) -> None:
    async with seated(tmp_path) as desk:
        page, live = desk.page, desk.live
        await desk.sign_in_by_password()
        await desk.add("My laptop")
        await expect(page.get_by_role("status")).to_contain_text("The passkey is added")
        await desk.sign_out()
        app = await live.register(client_name="Desk app")
        asked = {"response_type": "code", "client_id": app.client_id, "redirect_uri": REDIRECT_URI, "state": "s"}
        proof = {"code_challenge": challenge(VERIFIER), "code_challenge_method": "S256"}
        await page.route(f"{REDIRECT_URI}**", lambda route: route.fulfill(body="back"))
        await page.goto(f"{live.url}/authorize?{urlencode({**asked, **proof})}")
        await desk.press("Sign in with a passkey")
        await expect(page.get_by_role("button", name="Allow")).to_be_visible()
        await desk.press("Allow")
        await page.wait_for_url(f"{REDIRECT_URI}?code=*")
        assert live.sql("SELECT user_id FROM authorization_codes") == [("att_us_ada",)]


async def test_without_script_the_pages_offer_what_works(tmp_path: Path) -> None:
    async with (
        seated(tmp_path) as desk,
        await desk.browser.new_context(java_script_enabled=False) as context,
    ):
        desk.page = page = await context.new_page()
        await desk.sign_in_by_password()
        await expect(page.get_by_text("To add a passkey, use a browser that knows them")).to_be_visible()
        await expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()
        await desk.sign_out()
        await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
