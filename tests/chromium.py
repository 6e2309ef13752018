"""Real Chromium, started alike by every test that wants it."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

AXE = Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js"
"""What judges whether a page is accessible."""

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def lacks(what: str) -> None:
    """Skip for want of a tool; CI has them all, so there it is a failure."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is missing; tests/provision.sh gets it")


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """Start a browser, with these flags beside the usual ones."""
    path = shutil.which("chromium")
    if not path:
        lacks("chromium")
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=path, args=[*_FLAGS, *flags]) as browser,
    ):
        yield browser
