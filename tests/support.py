"""A real server on real HTTP with a real database, and what can be done to it from outside."""

import asyncio
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from argon2 import PasswordHasher
from yarl import URL

from server import keys
from server.app import create_app
from server.identity import Identity
from server.identity.passwords import Passwords
from server.oauth import provision
from server.runner import Runner
from server.settings import load_settings
from tests.browser import Answer, App, Browser

START = 1_800_000_000
"""When a test's clock begins, in Unix seconds."""

REDIRECT_URI = "https://assistant.example/callback"


HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Cheap, so that a test waits for no hash but the one that it is about."""


class Clock:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass
class Remote:
    """A server that listens, and what a test does to it from outside."""

    url: str
    database: Path
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

    def browser(self) -> Browser:
        """Give a fresh browser without cookies."""
        return Browser(self.send)

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

    async def ask(self, method: str, token: str | None = None, /, **params: Any) -> Answer:
        """Ask the MCP endpoint, as clients of 2025-11-25 do who have no session."""
        headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return await self.send("POST", "/mcp", json=message, headers=headers)

    async def call(self, tool: str, token: str | None = None, /, **arguments: Any) -> Answer:
        """Call a tool in the same way."""
        return await self.ask("tools/call", token, name=tool, arguments=arguments)

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
class Live(Remote):
    """A server in the test's own process: its clock is the test's, and its application can be looked into."""

    clock: Clock
    application: web.Application

    async def create(
        self,
        *scopes: str,
        redirect_uris: tuple[str, ...] = (),
        method: str = "client_secret_basic",
        key_set: Mapping[str, object] | None = None,
    ) -> App:
        """Create a client as the operator does, with scopes that it may have for itself."""
        settings, store = self.application[keys.SETTINGS], self.application[keys.STORE]
        client, secret = provision.create(
            "Robot",
            scopes,
            redirect_uris,
            method,
            key_set or {},
            settings=settings,
            entropy=os.urandom,
            now=self.clock(),
        )
        await store.add_client(client)
        proof = {"token_endpoint_auth_method": method, "client_secret": secret}
        return App({"client_id": client.client_id, "redirect_uris": list(redirect_uris), **proof})


@asynccontextmanager
async def serve(folder: Path, *, identity: Identity | None = None, **overrides: Any) -> AsyncIterator[Live]:
    """Serve on a free port of loopback until the block ends.

    Args:
        folder: Where the database file is kept.
        identity: Finds out who is at a browser, if not the provider of the settings.
        overrides: Settings by field name; ``server_url`` is the origin listened on unless it is among them, and
            there are no rate limits, since every test calls from one address and its clock stands still.
    """
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        url = f"http://localhost:{listening.getsockname()[1]}"
        database = folder / "server.db"
        given = {"server_url": url, "database_url": f"sqlite:///{database}", "rate_limits": False, **overrides}
        settings = load_settings(**given)
        clock = Clock()
        application = create_app(settings, clock=clock, identity=identity, passwords=Passwords(os.urandom, HASHER))
        runner = Runner(application)
        try:
            await runner.setup()
            await web.SockSite(runner, listening).start()
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
                yield Live(url, database, http, clock, application)
        finally:
            await runner.cleanup()


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds, for ten seconds at most."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
