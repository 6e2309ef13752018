"""Reading the rules of a server's tools, also of one whose tools change."""

from pathlib import Path
from typing import Any

import pytest

from server.transport.catalogue import ToolRules, read_rules
from tests.transport import plugged
from tests.transport.rig import serve

LOWLEVEL = "tests.transport.plugged:lowlevel"


@pytest.mark.parametrize(
    ("meta", "rules"),
    [
        (None, ToolRules()),
        ({}, ToolRules()),
        ({"scopes": ["b", "a", "b"]}, ToolRules(("b", "a"))),
        ({"noauth": True, "scopes": ["a"]}, ToolRules(("a",), noauth=True)),
        ({"noauth": "yes"}, ToolRules()),
    ],
)
def test_rules_are_read_off_the_metadata(meta: Any, rules: ToolRules) -> None:
    assert read_rules({"name": "t", "_meta": meta, "inputSchema": {"type": "object"}}) == rules


@pytest.mark.parametrize("scopes", ["read", {"read": 1}, [1], None])
def test_scopes_that_are_no_list_of_names_are_not_guessed_about(scopes: Any) -> None:
    with pytest.raises(TypeError, match="'t'"):
        read_rules({"name": "t", "_meta": {"scopes": scopes}})


async def test_every_page_is_read_once_and_then_remembered(tmp_path: Path) -> None:
    async with serve(tmp_path, LOWLEVEL) as site:
        token = await site.token("read")
        assert (await site.call("modern", "second", token=token)).status == 403
        assert plugged.happened.count("listed") == 2
        for _ in range(3):
            assert (await site.call("legacy", "second", token=token)).status == 403
            assert (await site.call("modern", "first", token=token)).status == 200
        assert plugged.happened.count("listed") == 2


async def test_a_new_tool_is_found_and_a_listing_that_passes_by_is_learnt_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(tmp_path, LOWLEVEL) as site:
        token = await site.token("read")
        assert (await site.call("modern", "first", token=token)).status == 200
        monkeypatch.setitem(plugged.PAGES, "late", {"scopes": ["account"]})
        assert (await site.call("modern", "late", token=token)).status == 403
        monkeypatch.setitem(plugged.PAGES, "first", {"scopes": ["account"]})
        await site.legacy("tools/list", token=token, version="2025-03-26")
        assert (await site.call("modern", "first", token=token)).status == 403


async def test_a_tool_whose_rules_cannot_be_read_is_not_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugged.PAGES, "first", {"scopes": "read"})
    async with serve(tmp_path, LOWLEVEL) as site:
        answer = await site.call("modern", "second", token=await site.token("payment"))
        assert (answer.status, answer.json["error"]["code"]) == (500, -32603)


async def test_a_server_that_lists_no_tools_needs_a_token_and_no_scope(tmp_path: Path) -> None:
    async with serve(tmp_path, "tests.transport.plugged:unlisted") as site:
        assert (await site.call("modern", "any")).status == 401
        assert (await site.call("modern", "any", token=await site.token())).status == 200
