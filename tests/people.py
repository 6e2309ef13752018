"""People with accounts of their own, and how they sign in: the pages as they see them."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.browser import Answer, App, Browser, Page
from tests.support import HASHER, START, Live, Remote

PASSWORD = "four unrelated words, honestly"
HASH = HASHER.hash(PASSWORD)


def add_person(
    live: Remote, name: str = "ada", *, email: str | None = "", password_hash: str | None = HASH, issuer: str = "local"
) -> str:
    """Put an account into the database, as an operator could in the shell, and give its user id."""
    user_id = f"att_us_{name}"
    address = f"{name}@example.com" if email == "" else email
    live.sql("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, NULL)", user_id, issuer, name, name.title(), address, START)
    if password_hash is not None:
        live.sql("INSERT INTO passwords VALUES (?, ?, ?)", user_id, password_hash, START)
    return user_id


def field(answer: Answer, name: str) -> str:
    """Give the value of a page's hidden field."""
    return str(re.findall(rf'name="{name}" value="([^"]*)"', answer.text)[0])


@dataclass
class Person:
    """Somebody at a browser."""

    browser: Browser
    name: str = "ada"
    password: str = PASSWORD

    async def fill_in(self, shown: Answer, **changes: str) -> Answer:
        """Fill in the form for signing in that a page shows."""
        assert 'name="password"' in shown.text, shown.text
        waiting = {"request": field(shown, "request")} if 'name="request"' in shown.text else {}
        fields = {"csrf": field(shown, "csrf"), **waiting, "username": self.name, "password": self.password, **changes}
        return await self.browser.send("POST", "/signin", data={k: v for k, v in fields.items() if v})

    async def sign_in(self) -> Answer:
        """Sign in for the person's own account."""
        answer = await self.fill_in(await self.browser.send("GET", "/signin"))
        assert (answer.status, answer.headers.get("Location")) == (303, "/account"), answer.text
        return answer

    async def begin(self, app: App, **parameters: str) -> tuple[Answer, str]:
        """Send an authorization request and open what it leads to; gives that answer and the verifier."""
        answer, verifier = await self.browser.authorize(app, **parameters)
        assert answer.location.startswith("/oauth/authorize/page?"), answer.location
        return await self.browser.send("GET", answer.location), verifier

    async def consent(self, app: App, **parameters: str) -> Page:
        """Go through signing in to the page that asks for consent."""
        shown, verifier = await self.begin(app, **parameters)
        answer = await self.fill_in(shown)
        assert answer.status == 303, answer.text
        return Page(self.browser, await self.browser.send("GET", answer.location), answer.location, verifier)

    async def account(self) -> Answer:
        """Open the account page."""
        return await self.browser.send("GET", "/account")

    async def post(self, path: str, shown: Answer | None = None, /, **fields: str) -> Answer:
        """Post one of the account page's forms."""
        csrf = field(shown or await self.account(), "csrf")
        return await self.browser.send("POST", path, data={"csrf": csrf, **fields})


def link(token: str) -> str:
    """Give the address of an invitation."""
    return "/invitation?" + urlencode({"token": token})


def somebody(live: Live, name: str = "ada") -> Person:
    """Give a person with an account, at a fresh browser."""
    add_person(live, name)
    return Person(live.browser(), name)
