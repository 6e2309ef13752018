"""The real thing: the domain's functions on a real database, its clock, and an operator beside it."""

import asyncio
import hashlib
import itertools
import sqlite3
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest

from server.oauth import authentication, authorize, clients, consent, grants, introspection, presented, revocation
from server.oauth.context import Context
from server.oauth.errors import OAuthError
from server.oauth.model import Client, User, Visitor
from server.oauth.parameters import Parameters
from server.settings import Settings, load_settings
from server.storage import connection, sqlite
from server.storage.database import Database, open_database
from server.storage.purge import purge
from tests.browser import challenge
from tests.model.expected import ACCESS, CODE, FAMILY, GRACE, REFRESH

START = 1_800_000_000
VERIFIER = "v" * 43
ASKED = "read write account"
"""The scopes of every authorization request."""

_URI = "https://assistant.example/callback"
_BROWSER = "b" * 64
_TABLES = ("clients", "users", "authorization_requests", "authorization_codes", "grants", "access_tokens")

T = TypeVar("T")


class World:
    """One open database and one event loop, for one story after another; each begins with nothing."""

    def __init__(
        self, store: Database, settings: Settings, operator: sqlite3.Connection, runner: asyncio.Runner
    ) -> None:
        self.store = store
        self._settings = settings
        self._operator = operator
        self._runner = runner
        self.begin()

    def begin(self) -> None:
        """Forget all that was."""
        self.now = START
        self._counter = itertools.count()
        for table in (*_TABLES, "refresh_tokens"):
            self.operate(f"DELETE FROM {table}")  # noqa: S608 - the names are above

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do a piece of work and wait for it."""
        return self._runner.run(work)

    def operate(self, statement: str, *values: object) -> None:
        """Do to the database what an operator does from another process."""
        self._operator.execute(statement, values)

    def _entropy(self, size: int) -> bytes:
        return hashlib.shake_256(str(next(self._counter)).encode()).digest(size)

    @property
    def context(self) -> Context:
        """What a request has at hand."""
        return Context(self.store, self._settings, self._entropy, self.now)

    async def register(self) -> Client:
        """Register a public client."""
        metadata = {"redirect_uris": [_URI], "token_endpoint_auth_method": "none"}
        registered = await clients.register(metadata, self.context)
        client = await self.store.get_client(str(registered["client_id"]))
        assert client is not None
        return client

    async def approve(self, client: Client, user: User, kept: tuple[str, ...]) -> str:
        """Go from the authorization request to the code; raises `PageError` where a person is told to stop."""
        asked = {
            "response_type": "code",
            "client_id": client.client_id,
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
            "scope": ASKED,
        }
        handle = await authorize.begin(Parameters.parse(urlencode(asked)), _BROWSER, self.context)
        request, client = await consent.pending(handle, _BROWSER, self.context)
        return await consent.approve(request, client, kept, Visitor(user, signed_in=False), self.context)

    async def ask(self, client: Client, times: int, fields: dict[str, str]) -> list[Any]:
        """Make a token request, several at once if so wanted; gives the answers or the errors."""
        return list(await asyncio.gather(*(self._ask(client, fields) for _ in range(times))))

    async def _ask(self, client: Client, fields: dict[str, str]) -> Any:
        try:
            params = Parameters.parse(urlencode(fields))
            credentials = authentication.Credentials(client_id=client.client_id)
            known, held = await authentication.authenticate(credentials, grants.presented(params), self.context)
            return await grants.token(params, known, held, self.context)
        except OAuthError as error:
            return error

    async def revoke(self, client: Client, token: str) -> None:
        """Revoke a token as this client."""
        _, held = await presented.look_up(client.client_id, token, self.context)
        await revocation.revoke(held, client, self.context)

    async def worth(self, held: list[tuple[Client, str]]) -> list[dict[str, Any]]:
        """Introspect tokens."""
        look_ups = (presented.look_up(client.client_id, token, self.context) for client, token in held)
        found = await asyncio.gather(*look_ups)
        return [
            introspection.introspect(one, client, self.context)
            for (client, _), (_, one) in zip(held, found, strict=True)
        ]

    async def purge(self) -> None:
        """Remove what is over."""
        await purge(self.store.driver, self.now)


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    """Open a world in this folder. It need not survive a power cut, so nothing waits for the disk."""
    settings = load_settings(
        server_url="http://localhost:8000",
        database_url=f"sqlite:///{folder}/model.db",
        oauth_auth_code_ttl=CODE,
        oauth_access_token_ttl=ACCESS,
        oauth_refresh_token_ttl=REFRESH,
        oauth_refresh_grace=GRACE,
        oauth_grant_max_age=FAMILY,
    )
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "WRITER", tuple(pragma.replace("FULL", "OFF") for pragma in connection.WRITER))
        database = open_database(settings.database_path, START)
        store = runner.run(database.__aenter__())
        try:
            with closing(sqlite3.connect(settings.database_path, isolation_level=None, timeout=10)) as operator:
                operator.execute("PRAGMA synchronous = OFF")
                yield World(store, settings, operator, runner)
        finally:
            runner.run(database.__aexit__(None, None, None))
