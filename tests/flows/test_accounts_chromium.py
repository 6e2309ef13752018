"""Accounts of one's own by real Chromium and a server process: invited, signed in, remembered, taken back."""

import os
import re
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import trustme
from playwright.async_api import Page

from tests.browser import App, challenge
from tests.chromium import chromium
from tests.flows.child import ROOT, Child, connected
from tests.people import PASSWORD
from tests.site import publish
from tests.support import REDIRECT_URI, Remote

VERIFIER = "verifier-" * 6
LOCAL = {"OAUTH_PROVIDER": "local"}


@dataclass
class House:
    """A server with accounts, and a browser for which an assistant on the web is on this machine."""

    child: Child
    live: Remote
    page: Page

    def users(self, *arguments: str, password: str = "") -> str:
        """Run a command of the operator."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "SERVER_URL": self.live.url,
            "DATABASE_URL": f"sqlite:///{self.live.database}",
            "LOG_LEVEL": "WARNING",
            **LOCAL,
        }
        command = [sys.executable, "-m", "server", "users", *arguments]
        done = subprocess.run(
            command, input=password, capture_output=True, text=True, env=environment, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def connect(self, app: App, **parameters: str) -> None:
        """Send the browser to the authorize URL, as an app does."""
        asked = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": app.redirect_uri,
            "state": "a state",
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
            **parameters,
        }
        await self.page.goto(f"{self.live.url}/authorize?{urlencode(asked)}")

    async def sign_in(self, password: str = PASSWORD) -> None:
        """Fill in the form by the names that a person reads, and press its button."""
        await self.page.get_by_label("Username").fill("ada")
        await self.page.get_by_label("Password", exact=True).fill(password)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()

    @property
    def returned(self) -> dict[str, str]:
        """What came back to the app."""
        assert self.page.url.startswith(REDIRECT_URI), self.page.url
        return dict(parse_qsl(urlsplit(self.page.url).query))


@asynccontextmanager
async def opened(folder: Path, *, scripting: bool = True) -> AsyncIterator[House]:
    """Start everything and end it."""
    certificate = trustme.CA().issue_cert("assistant.example")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(tls)
    child = Child(folder, environment=LOCAL)
    async with connected(child) as live, publish(tls) as assistant:
        assistant.pages["/callback"] = "You may close this window."
        there = f"--host-resolver-rules=MAP assistant.example 127.0.0.1:{urlsplit(assistant.origin).port}"
        async with chromium(there) as browser:
            context = await browser.new_context(java_script_enabled=scripting, ignore_https_errors=True)
            yield House(child, live, await context.new_page())


async def test_a_person_without_javascript_signs_in_allows_and_is_not_asked_again(tmp_path: Path) -> None:
    async with opened(tmp_path, scripting=False) as house:
        house.users("add", "ada", "--name", "Ada", "--password-stdin", password=PASSWORD)
        app = await house.live.register(client_name="Assistant")
        await house.connect(app)
        await house.sign_in("wrong password")
        assert await house.page.get_by_role("alert").is_visible()
        await house.sign_in()
        assert await house.page.get_by_text("Ada", exact=True).is_visible()
        await house.page.get_by_role("button", name="Allow").click()
        first = house.returned["code"]
        await house.connect(app)
        assert house.returned["code"] != first, "what was allowed is remembered"
        await house.connect(app, prompt="none")
        answer = await house.live.exchange(app, house.returned["code"], VERIFIER)
        assert answer.status == 200


async def test_an_invited_person_chooses_a_password_and_sees_and_takes_back_what_they_allowed(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        [invitation] = re.findall(r"http\S+", house.users("add", "ada", "--invite"))
        await house.page.goto(invitation)
        await house.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await house.page.get_by_label("Password, again").fill(PASSWORD)
        await house.page.get_by_role("button", name="Set password").click()
        assert await house.page.get_by_role("heading", name="Your account").is_visible()
        app = await house.live.register(client_name="Assistant")
        await house.connect(app)
        await house.page.get_by_role("button", name="Allow").click()
        token = (await house.live.exchange(app, house.returned["code"], VERIFIER)).json["access_token"]
        await house.page.goto(f"{house.live.url}/account")
        await house.page.get_by_role("button", name="Take back what Assistant may do").click()
        assert await house.page.get_by_text("It is taken back").is_visible()
        answer = await house.live.send("GET", "/mcp", headers={"Authorization": f"Bearer {token}"})
        assert answer.status == 401
        await house.connect(app, prompt="none")
        assert house.returned["error"] == "consent_required"


async def test_a_disabled_person_is_out_at_the_next_call_and_the_next_page(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        house.users("add", "ada", "--password-stdin", password=PASSWORD)
        app = await house.live.register()
        await house.connect(app)
        await house.sign_in()
        await house.page.get_by_role("button", name="Allow").click()
        token = (await house.live.exchange(app, house.returned["code"], VERIFIER)).json["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await house.live.send("GET", "/mcp", headers=bearer)).status == 405
        house.users("disable", "ada")
        assert (await house.live.send("GET", "/mcp", headers=bearer)).status == 401
        await house.page.goto(f"{house.live.url}/account")
        assert urlsplit(house.page.url).path == "/signin"
        await house.sign_in()
        assert await house.page.get_by_role("alert").is_visible()
        assert "the account is disabled" in house.child.log


async def test_going_back_after_signing_out_shows_nothing_of_the_account(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        house.users("add", "ada", "--password-stdin", password=PASSWORD)
        await house.page.goto(f"{house.live.url}/account")
        await house.sign_in()
        await house.page.get_by_role("button", name="Sign out", exact=True).click()
        assert await house.page.get_by_text("You are signed out.").is_visible()
        await house.page.go_back()
        assert await house.page.get_by_role("heading", name="Your account").count() == 0
