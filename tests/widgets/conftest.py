"""One browser and one server for all widgets."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from server.settings import Settings
from tests.support import serve
from tests.widgets.stage import DESKTOP, FLAGS, Connection, Stage, bundle, connect, lacks, staged


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
    chromium = shutil.which("chromium")
    if not chromium:
        lacks("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def script() -> str:
    """Give the host's script with the official bridge in it."""
    return await bundle()


@pytest_asyncio.fixture(loop_scope="package")
async def stage(browser: Browser, connection: Connection, script: str) -> AsyncIterator[Stage]:
    """Give a host in a tab of its own."""
    async with staged(browser, connection, script, DESKTOP) as shown:
        yield shown
