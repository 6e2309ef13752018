"""The bundled server behind the SDK's own in-memory client, in both protocol eras."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp.client import Client
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel import Server
from mcp_types import CallToolResult, TextContent
from mcp_types import Tool as Listed

import server.tools
from server import shipped
from server.catalogue.editions import ship
from server.services import Services
from server.settings import load_settings
from server.storage.database import Database, open_database
from server.toolkit.server import make_server
from server.toolkit.tool import Tool

Build = Callable[[Services], Server[Any]]
Connect = Callable[[], Client]
Call = Callable[..., Awaitable[CallToolResult]]
Text = Callable[[CallToolResult], str]
SignIn = Callable[[str | None], AbstractContextManager[None]]
Shell = Callable[..., list[tuple[Any, ...]]]


@dataclass
class World:
    """What a test may turn: the time."""

    now: int = 1_795_000_000

    def set_time(self, text: str) -> None:
        self.now = int(datetime.fromisoformat(text).timestamp())


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the catalogue that ships, to be copied: what a second start finds."""
    path = tmp_path_factory.mktemp("stocked") / "server.db"

    async def stock() -> None:
        async with open_database(path, 0) as database:
            await ship(database, shipped.directory("data"), 0)

    asyncio.run(stock())
    return path


@pytest.fixture
async def store(stocked: Path, tmp_path: Path, world: World) -> AsyncIterator[Database]:
    path = tmp_path / "server.db"
    shutil.copyfile(stocked, path)
    async with open_database(path, world.now) as database:
        yield database


def alone(tool: Callable[[Services], Tool[Any]]) -> Build:
    """Serve one tool, which needs no catalogue."""
    return lambda services: make_server("test", "1", "", [tool(services)])


@pytest.fixture
def build() -> Build:
    """What is served: all of it, unless a test says `alone`."""
    return server.tools.build


@pytest.fixture(params=["legacy", "auto"])
def connect(request: pytest.FixtureRequest, world: World, store: Database, build: Build) -> Connect:
    services = Services(
        store=store, clock=lambda: world.now, settings=load_settings(_env_file=None), entropy=os.urandom
    )
    served = build(services)
    return lambda: Client(served, mode=request.param)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Look into the database as an operator would."""

    def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(tmp_path / "server.db", timeout=10)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    return run


@pytest.fixture
async def listing(connect: Connect) -> list[Listed]:
    async with connect() as client:
        return (await client.list_tools()).tools


@pytest.fixture
def call(connect: Connect) -> Call:
    """Call a tool, and hold every answer against the schema that the tool itself declares."""

    async def call_tool(name: str, **arguments: object) -> CallToolResult:
        async with connect() as client:
            schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
            result = await client.call_tool(name, arguments)
        assert text_of(result)
        if not result.is_error:
            schema = schemas[name]
            assert schema is not None
            Draft202012Validator(schema).validate(result.structured_content)
        return result

    return call_tool


@pytest.fixture
def text() -> Text:
    return text_of


@pytest.fixture
def sign_in() -> SignIn:
    return signed_in


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def data(result: CallToolResult) -> dict[str, Any]:
    """Give what a tool answered, once it is seen to be no error."""
    assert not result.is_error, result.content
    return dict(result.structured_content or {})


@contextmanager
def signed_in(subject: str | None) -> Iterator[None]:
    """Be the caller whose token has this subject, as the transport arranges it for a request."""
    token = AccessToken(token="opaque", client_id="client", scopes=["account"], subject=subject)
    before = auth_context_var.set(AuthenticatedUser(token))
    try:
        yield
    finally:
        auth_context_var.reset(before)
