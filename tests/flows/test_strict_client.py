"""A strict OAuth client library, which knows nothing of this server, from discovery to revocation."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Page
from tests.flows.child import PATIENCE, ROOT, Child, connected
from tests.support import REDIRECT_URI, Remote

NODE = ROOT / "node_modules/.bin/node"
LIBRARY = ROOT / "node_modules/oauth4webapi"
SCRIPT = Path(__file__).with_name("strict_client.mjs")


@pytest.fixture(autouse=True)
def node() -> None:
    """Skip without Node and the library, except on CI, which has both."""
    if not (NODE.exists() and LIBRARY.exists()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no Node with oauth4webapi here: run `make test`, or `npm ci --ignore-scripts`"
        )


@asynccontextmanager
async def strict_client(live: Remote, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the client; it is killed when the block ends."""
    process = await asyncio.create_subprocess_exec(
        NODE,
        SCRIPT,
        f"{live.url}/mcp",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def allow(live: Remote, url: str) -> str:
    """Follow an authorization URL as a browser, press “Allow”, and say where the browser is sent."""
    browser = live.browser()
    led = await browser.send("GET", url)
    shown = await browser.send("GET", led.location)
    return (await Page(browser, shown, led.location, "").approve()).location


async def finish(live: Remote, process: asyncio.subprocess.Process) -> Any:
    """Play the client's user, and give what the client says at its end."""
    assert process.stdin is not None
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    if url:
        back = await allow(live, url)
        assert back.startswith(REDIRECT_URI)
        process.stdin.write(f"{back}\n".encode())
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return json.loads(output)


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"])
async def test_a_strict_client_finds_nothing_wrong_from_discovery_to_revocation(tmp_path: Path, method: str) -> None:
    async with connected(Child(tmp_path)) as live, strict_client(live, method) as process, asyncio.timeout(PATIENCE):
        done = await finish(live, process)
        assert done["method"] == method
        assert live.sql("SELECT client_id FROM clients") == [(done["client_id"],)]
        assert live.sql("SELECT count(*) FROM grants WHERE revoked_at IS NULL") == [(0,)]


async def test_a_strict_client_finds_nothing_wrong_with_who_its_user_is(tmp_path: Path) -> None:
    child = Child(tmp_path, environment={"OAUTH_VALID_SCOPES": "read,account,openid,email,profile"})
    async with connected(child) as live, strict_client(live, "none", "openid") as process, asyncio.timeout(PATIENCE):
        assert (await finish(live, process))["user"] == {"sub": "demo", "name": "demo"}
