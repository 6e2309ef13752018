"""The people around a server: an app that is an OAuth client, a browser, and the consent page as a person sees it."""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from multidict import CIMultiDictProxy


@dataclass(frozen=True)
class Answer:
    """A response that has been read to its end; redirects are never followed."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.text)

    @property
    def location(self) -> str:
        """Where the browser is sent."""
        return self.headers["Location"]

    @property
    def returned(self) -> dict[str, str]:
        """The parameters that come back to the app."""
        return dict(parse_qsl(urlsplit(self.location).query, keep_blank_values=True))


@dataclass(frozen=True)
class App:
    """A registered OAuth client, with the answer to its registration."""

    registration: dict[str, Any]

    @property
    def client_id(self) -> str:
        """Its id."""
        return str(self.registration["client_id"])

    @property
    def redirect_uri(self) -> str:
        """Its first redirect URI."""
        return str(self.registration["redirect_uris"][0])

    def proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Give the form fields and the headers by which it authenticates as registered."""
        secret = str(self.registration.get("client_secret", ""))
        match self.registration["token_endpoint_auth_method"]:
            case "client_secret_basic":
                return {}, basic(self.client_id, secret)
            case "client_secret_post":
                return {"client_id": self.client_id, "client_secret": secret}, {}
            case _:
                return {"client_id": self.client_id}, {}


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Write an ``Authorization: Basic`` header."""
    encoded = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def challenge(verifier: str) -> str:
    """Give the ``S256`` challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


Send = Callable[..., Awaitable[Answer]]
"""Sends one request: method, path and the options of aiohttp's client."""


@dataclass
class Browser:
    """A browser: it keeps its cookies, whatever host they are for, and follows redirects when told to."""

    send_alone: Send
    cookies: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        """Send a request with the cookies, and keep those that come back."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**options.pop("headers", {}), **({"Cookie": cookie} if cookie else {})}
        answer = await self.send_alone(method, path, headers=headers, **options)
        for line in answer.headers.getall("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    async def authorize(self, app: App, **parameters: str) -> tuple[Answer, str]:
        """Send an authorization request; one given as ``""`` is left out. Gives the answer and the verifier."""
        verifier = os.urandom(32).hex()
        asked = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": app.redirect_uri,
            "state": "some-state",
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            **parameters,
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return await self.send("GET", f"/authorize?{query}"), verifier

    async def open_page(self, app: App, **parameters: str) -> "Page":
        """Send an authorization request and open the consent page that it leads to."""
        answer, verifier = await self.authorize(app, **parameters)
        assert answer.location.startswith("/oauth/authorize/page?"), answer.location
        shown = await self.send("GET", answer.location)
        assert shown.status == 200, shown.text
        return Page(self, shown, answer.location, verifier)


@dataclass(frozen=True)
class Page:
    """The consent page as a person sees it, and its form."""

    browser: Browser
    shown: Answer
    address: str
    verifier: str

    @property
    def handle(self) -> str:
        """The hidden field that names the request."""
        return str(re.findall(r'name="request" value="([^"]+)"', self.shown.text)[0])

    @property
    def scopes(self) -> list[str]:
        """The scopes that have a checkbox."""
        return [html.unescape(value) for value in re.findall(r'name="scope" value="([^"]+)"', self.shown.text)]

    async def submit(self, decision: str, scopes: list[str] | None = None, browser: Browser | None = None) -> Answer:
        """Press a button, by default with every box ticked and in the browser that shows the page."""
        ticked = [("scope", scope) for scope in (self.scopes if scopes is None else scopes)]
        fields = [("request", self.handle), ("decision", decision), *ticked]
        return await (browser or self.browser).send("POST", "/oauth/authorize/approve", data=fields)

    async def approve(self, scopes: list[str] | None = None) -> Answer:
        """Press “Allow”."""
        return await self.submit("approve", scopes)

    async def deny(self) -> Answer:
        """Press “Deny”."""
        return await self.submit("deny")
