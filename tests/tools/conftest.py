"""The bundled server behind the SDK's own in-memory client, in both protocol eras."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from mcp.client import Client
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp_types import CallToolResult, TextContent, Tool

from server import shipped
from server.catalogue.editions import ship
from server.services import Services
from server.settings import load_settings
from server.storage.database import Database, open_database
from server.tools import build

Call = Callable[..., Awaitable[CallToolResult]]


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


@pytest.fixture(params=["legacy", "auto"])
def connect(request: pytest.FixtureRequest, world: World, store: Database) -> Callable[[], Client]:
    services = Services(
        store=store, clock=lambda: world.now, settings=load_settings(_env_file=None), entropy=os.urandom
    )
    server = build(services)
    return lambda: Client(server, mode=request.param)


@pytest.fixture
async def listing(connect: Callable[[], Client]) -> list[Tool]:
    async with connect() as client:
        return (await client.list_tools()).tools


@pytest.fixture
def call(connect: Callable[[], Client]) -> Call:
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
def text() -> Callable[[CallToolResult], str]:
    return text_of


@pytest.fixture
def sign_in() -> Callable[..., object]:
    return signed_in


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@contextmanager
def signed_in(subject: str | None) -> Iterator[None]:
    """Be the caller whose token has this subject, as the transport arranges it for a request."""
    token = AccessToken(token="opaque", client_id="client", scopes=["account"], subject=subject)
    before = auth_context_var.set(AuthenticatedUser(token))
    try:
        yield
    finally:
        auth_context_var.reset(before)
