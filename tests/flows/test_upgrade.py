"""An upgrade in the middle of the work, on a socket that is handed from one version to the next: nobody notices."""

import asyncio
import random  # noqa: TID251 - seeded, so that a failure can be looked at again
import shutil
import socket
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.flows.child import ROOT, Child
from tests.flows.ledger import Ledger
from tests.support import Remote

WORKERS = 6
ACCEPT = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
PARAMS = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "visitor", "version": "1"}}


@dataclass
class Talk:
    """A session of the revisions with a handshake, and how often it was answered."""

    live: Remote
    headers: dict[str, str] = field(default_factory=dict)
    answered: int = 0

    async def open(self) -> None:
        issued = await self.live.log_in(await self.live.register())
        self.headers = {**ACCEPT, "Authorization": f"Bearer {issued['access_token']}"}
        begin = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": PARAMS}
        answer = await self.live.send("POST", "/mcp", json=begin, headers=self.headers)
        assert answer.status == 200, answer.text
        self.headers["Mcp-Session-Id"] = answer.headers["Mcp-Session-Id"]

    async def ask(self) -> None:
        """Use the session once."""
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        answer = await self.live.send("POST", "/mcp", json=listing, headers=self.headers)
        assert answer.status == 200, answer.text
        assert "att-plans-list" in answer.text
        self.answered += 1

    async def go_on(self) -> None:
        """Use it again and again."""
        while True:
            await self.ask()


def next_version(folder: Path) -> Path:
    """Make the program as it may be one version later, with another migration."""
    for name in ("server", "migrations", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.db*"))
    (folder / "migrations" / "9999_later.sql").write_text("CREATE TABLE later (name text NOT NULL PRIMARY KEY);")
    return folder


async def test_an_upgrade_under_load_loses_no_request_and_no_session(tmp_path: Path) -> None:
    later = next_version(tmp_path / "later")
    chance = random.Random(1)  # noqa: S311 - no secret
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    with closing(socket.create_server(("127.0.0.1", 0), backlog=512)) as held:
        child = Child(tmp_path / "child", port=held.getsockname()[1], passed=(held,))
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
            ledger = Ledger(child.remote(http))
            talks = [Talk(ledger.live) for _ in range(2)]
            try:
                await child.start(http)
                await asyncio.gather(*(talk.open() for talk in talks))
                load = [asyncio.create_task(ledger.work(random.Random(number))) for number in range(WORKERS)]  # noqa: S311
                load += [asyncio.create_task(talk.go_on()) for talk in talks]
                await asyncio.sleep(0.7)
                assert await child.stop() == 0
                before = ledger.acknowledged, [talk.answered for talk in talks]
                child.environment["PYTHONPATH"] = str(later)
                child.spawn()
                while min(talk.answered - was for talk, was in zip(talks, before[1], strict=True)) < 5:
                    done, _ = await asyncio.wait(load, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
                    assert not done, [task.exception() for task in done]
                for task in load:
                    task.cancel()
                await asyncio.gather(*load, return_exceptions=True)
                assert ledger.acknowledged > before[0] > WORKERS
                assert ledger.live.sql("SELECT count(*) FROM later") == [(0,)]
                await ledger.verify(chance, (0, 0))
                await asyncio.gather(*(talk.ask() for talk in talks))
            finally:
                await child.kill()
    assert " ERROR " not in child.log
    assert "Traceback" not in child.log
