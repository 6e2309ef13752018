"""The README's own tools, saved and served as it says."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.server.mcpserver import MCPServer

from tests.support import serve

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def guest_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Save the example of the README as it tells one to, and stand in that folder."""
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    (tmp_path / "guest_book.py").write_text(example[1], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "guest_book", raising=False)
    return tmp_path


async def test_the_example_answers_the_sdks_own_client(guest_book: Path) -> None:
    names: dict[str, Any] = {}
    exec((guest_book / "guest_book.py").read_text(encoding="utf-8"), names)  # noqa: S102 - the README's own example
    server = names["server"]
    assert isinstance(server, MCPServer)
    async with Client(server) as client:
        await client.call_tool("sign_guest_book", {"text": "Hello"})
        book = await client.call_tool("read_guest_book", {})
    assert book.structured_content == {"result": ["somebody: Hello"]}


async def test_the_example_is_served_behind_its_scopes(guest_book: Path) -> None:
    async with serve(guest_book, mcp_server="guest_book:server") as live:
        app = await live.register()
        reader, writer = await live.log_in(app), await live.log_in(app, scope="read write")
        refused = await live.call("sign_guest_book", reader["access_token"], text="Hello")
        signed = await live.call("sign_guest_book", writer["access_token"], text="Hello")
    assert (refused.status, refused.json["error"]) == (403, "insufficient_scope")
    assert signed.json["result"]["structuredContent"] == {"result": "demo: Hello"}
