"""``doctor`` on the command line: lines, JSON, and the exit status."""

import asyncio
import json
from pathlib import Path

import pytest

from server.cli import main
from tests.support import Live

pytestmark = pytest.mark.usefixtures("nothing_set")


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["doctor", *arguments])


async def test_a_line_each_and_a_sum(live: Live, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(live.url) == 0
    *lines, total = capsys.readouterr().out.splitlines()
    assert "good    PKCE: S256 is advertised" in lines
    assert total.endswith(" good, 0 bad, 4 unknown")


async def test_json_has_all_of_it(live: Live, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(live.url, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"check": "PKCE", "state": "good", "seen": "S256 is advertised", "advice": "", "clients": []} in found


async def test_what_is_bad_fails_and_says_who_would_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("http://localhost:9") == 1
    printed = capsys.readouterr().out
    assert "BAD     redirects: POST http://localhost:9/mcp: " in printed
    assert "would fail: ChatGPT, Claude, Cursor, VS Code, MCP Inspector" in printed
    assert "what to do: Start the server" in printed


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://", "https://user@example.com", "//x"])
async def test_what_is_no_address_is_wrong_usage(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(url) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


async def test_without_an_address_it_looks_at_this_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run() == 0
    printed = capsys.readouterr().out
    assert "good    settings:" in printed
    assert "unknown database: data/server.db does not exist yet" in printed
    assert not (tmp_path / "data").exists()
