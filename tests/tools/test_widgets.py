"""Which tool shows itself by which widget, and what clients are told of both."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from server.toolkit.widgets import MIME_TYPE, WIDGETS
from tests.support import Live

SHOWN_BY = {
    "att-store-locator": "stores",
    "att-products-carousel": "products",
    "att-device-details": "device",
    "att-services-gallery": "offers",
    "att-plans-list": "plans",
    "att-internet-backup-offer": "offers",
    "att-fiber-coverage-checker": "coverage",
    "att-account-summary": "account",
    "att-for-you": "offers",
    "att-update-preferences": "account",
    "att-make-payment": "account",
}
BY_NAME = {widget.name: widget for widget in WIDGETS}


async def ask(live: Live, method: str, **params: Any) -> Any:
    """Ask without saying that the client knows widgets."""
    return (await live.ask(method, **params)).json["result"]


async def test_each_tool_names_its_widget_whether_or_not_the_client_knows_them(
    start: Callable[..., AbstractAsyncContextManager[Live]],
) -> None:
    async with start(oauth_enabled=False) as live:
        tools = (await ask(live, "tools/list"))["tools"]
    named = {tool["name"]: tool["_meta"] for tool in tools if "ui" in tool["_meta"]}
    assert {name: meta["ui"]["resourceUri"] for name, meta in named.items()} == {
        name: BY_NAME[widget].uri for name, widget in SHOWN_BY.items()
    }
    for meta in named.values():
        assert meta["openai/outputTemplate"] == meta["ui"]["resourceUri"]
        assert 0 < len(meta["openai/toolInvocation/invoking"]) <= 64
        assert 0 < len(meta["openai/toolInvocation/invoked"]) <= 64


async def test_a_widget_is_read_as_one_page_with_what_hosts_need(
    start: Callable[..., AbstractAsyncContextManager[Live]],
) -> None:
    async with start(oauth_enabled=False) as live:
        listed = {one["uri"]: one for one in (await ask(live, "resources/list"))["resources"]}
        for widget in WIDGETS:
            (read,) = (await ask(live, "resources/read", uri=widget.uri))["contents"]
            assert (read["mimeType"], read["text"]) == (MIME_TYPE, widget.document)
            for meta in (listed[widget.uri]["_meta"], read["_meta"]):
                assert meta["ui"]["csp"] == {"connectDomains": [], "resourceDomains": []}
                assert meta["ui"]["prefersBorder"] is True
                assert "domain" not in meta["ui"]
                assert meta["openai/widgetDescription"]
                assert meta["openai/widgetDomain"] == live.url


async def test_widgets_are_open_in_mixed_mode(start: Callable[..., AbstractAsyncContextManager[Live]]) -> None:
    async with start(oauth_mode="mixed") as live:
        (read,) = (await ask(live, "resources/read", uri=WIDGETS[0].uri))["contents"]
    assert read["text"].startswith("<!doctype html>")


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_another_document_has_another_address(name: str) -> None:
    widget = BY_NAME[name]
    again = type(widget)(widget.name, widget.title, widget.description, widget.invoking, widget.invoked)
    assert (again.document, again.uri) == (widget.document, widget.uri)
    changed = type(widget)(widget.name, "Another title", widget.description, widget.invoking, widget.invoked)
    assert changed.uri != widget.uri


def test_every_start_puts_the_same_bytes_together() -> None:
    program = "from server.toolkit.widgets import WIDGETS; print(*(widget.uri for widget in WIDGETS))"
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[2])}
    started = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert started.stdout.split() == [widget.uri for widget in WIDGETS]
