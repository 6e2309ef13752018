"""A real server on real HTTP with a real database, and the people around it: apps, browsers, an operator, a clock."""

import base64
import hashlib
import html
import json
import os
import re
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy
from yarl import URL

from server.app import create_app
from server.settings import load_settings

START = 1_800_000_000
"""When a test's clock begins, in Unix seconds."""

REDIRECT_URI = "https://assistant.example/callback"


class Clock:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.now += seconds


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


@dataclass
class Live:
    """A server that listens, and what a test does to it from outside."""

    url: str
    database: Path
    clock: Clock
    application: web.Application
    http: aiohttp.ClientSession

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        """Send one request; ``path`` goes over the wire as it is written."""
        target = URL(self.url + path if path.startswith("/") else path, encoded=True)
        async with self.http.request(method, target, allow_redirects=False, **options) as response:
            return Answer(response.status, response.headers, await response.text())

    async def register(self, **metadata: Any) -> App:
        """Register an app: public, with one https redirect URI, unless the metadata says otherwise."""
        asked = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none", **metadata}
        answer = await self.send("POST", "/register", json={k: v for k, v in asked.items() if v is not ...})
        assert answer.status == 201, answer.text
        return App(answer.json)

    def browser(self) -> "Browser":
        """Give a fresh browser without cookies."""
        return Browser(self)

    async def post(self, path: str, app: App, **fields: str) -> Answer:
        """Post a form to an endpoint at which the app authenticates."""
        proof, headers = app.proof()
        return await self.send("POST", path, data={**proof, **fields}, headers=headers)

    async def exchange(self, app: App, code: str, verifier: str, **fields: str) -> Answer:
        """Exchange a code."""
        return await self.post(
            "/token", app, grant_type="authorization_code", code=code, code_verifier=verifier, **fields
        )

    async def refresh(self, app: App, refresh_token: str, **fields: str) -> Answer:
        """Present a refresh token."""
        return await self.post("/token", app, grant_type="refresh_token", refresh_token=refresh_token, **fields)

    async def introspect(self, app: App, token: str) -> dict[str, Any]:
        """Ask what a token is worth."""
        answer = await self.post("/introspect", app, token=token)
        assert answer.status == 200, answer.text
        described: dict[str, Any] = answer.json
        return described

    async def is_active(self, app: App, token: str) -> bool:
        """Ask whether a token is live."""
        return bool((await self.introspect(app, token))["active"])

    async def log_in(self, app: App, **parameters: str) -> dict[str, Any]:
        """Go the whole way from the authorization request to the tokens, and give the token answer."""
        page = await self.browser().open_page(app, **parameters)
        answer = await self.exchange(app, (await page.approve()).returned["code"], page.verifier)
        assert answer.status == 200, answer.text
        tokens: dict[str, Any] = answer.json
        return tokens

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Do to the database what an operator does in the ``sqlite3`` shell."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            return connection.execute(statement, values).fetchall()


@dataclass
class Browser:
    """A browser: it keeps its cookies, whatever host they are for, and follows redirects when told to."""

    live: Live
    cookies: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        """Send a request with the cookies, and keep those that come back."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**options.pop("headers", {}), **({"Cookie": cookie} if cookie else {})}
        answer = await self.live.send(method, path, headers=headers, **options)
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


@asynccontextmanager
async def serve(folder: Path, **overrides: Any) -> AsyncIterator[Live]:
    """Serve on a free port of loopback until the block ends.

    Args:
        folder: Where the database file is kept.
        overrides: Settings by field name; ``server_url`` is the origin listened on unless it is among them.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://localhost:{listening.getsockname()[1]}"
    database = folder / "server.db"
    settings = load_settings(**{"server_url": origin, "database_url": f"sqlite:///{database}", **overrides})
    clock = Clock()
    application = create_app(settings, clock=clock)
    runner = web.AppRunner(application, handler_cancellation=True, access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, listening, shutdown_timeout=1).start()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield Live(origin, database, clock, application, http)
    finally:
        await runner.cleanup()
