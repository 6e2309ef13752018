"""One browser and one server for all widgets."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from server.settings import Settings
from tests.chromium import chromium
from tests.support import serve
from tests.widgets.stage import DESKTOP, Connection, Stage, bundle, connect, staged


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def connection(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Connection]:
    """Give somebody's connector to a server with the data that ships."""
    folder = tmp_path_factory.mktemp("widgets")
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        patch.chdir(folder)
        async with serve(folder) as live:
            yield await connect(live)


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def script() -> str:
    """Give the host's script with the official bridge in it."""
    return await bundle()


@pytest_asyncio.fixture(loop_scope="package")
async def stage(browser: Browser, connection: Connection, script: str) -> AsyncIterator[Stage]:
    """Give a host in a tab of its own."""
    async with staged(browser, connection, script, DESKTOP) as shown:
        yield shown
