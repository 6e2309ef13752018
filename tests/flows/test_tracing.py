"""Spans of a server that somebody traces, as an exporter gets them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY

from server.app import create_app
from server.handlers.tracing import traced
from server.settings import load_settings
from tests.flows.child import Child, connected
from tests.support import Remote

TRACED = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
out = open("spans", "w")
exporter = ConsoleSpanExporter(out=out, formatter=lambda span: span.to_json(indent=None) + chr(10))
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
from server.cli import main
sys.exit(main(["serve"]))
"""
TRACE, OTHER = "0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "b7ad6b7169203331"
MODERN = "2026-07-28"


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Remote]:
    """Serve without sign-in, with spans going to a file."""
    environment = {"OAUTH_ENABLED": "false", "MCP_SERVER": "tests.transport.plugged:build"}
    async with connected(Child(folder, environment=environment, command=("-c", TRACED))) as live:
        yield live


def spans(folder: Path, about: str) -> list[dict[str, Any]]:
    """Give the spans so far whose name begins so."""
    made = [json.loads(line) for line in (folder / "spans").read_text().splitlines()]
    return [span for span in made if span["name"].startswith(about)]


async def call(live: Remote, tool: str, arguments: dict[str, Any], *, path: str = "/mcp", **more: Any) -> int:
    """Call a tool at 2026-07-28, with ``_meta`` and headers besides."""
    meta: dict[str, Any] = {PROTOCOL_VERSION_META_KEY: MODERN, CLIENT_CAPABILITIES_META_KEY: {}}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}
    meta |= {"traceparent": more["meta"], "tracestate": more.get("state")} if "meta" in more else {}
    headers |= {"traceparent": more["header"]} if "header" in more else {}
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return (await live.send("POST", path, json=body, headers=headers)).status


async def test_a_call_is_a_span_below_the_callers_and_so_is_its_request(tmp_path: Path) -> None:
    async with serving(tmp_path) as live:
        header, meta = f"00-{TRACE}-{PARENT}-01", f"00-{OTHER}-{PARENT}-01"
        assert await call(live, "echo", {"text": "swordfish"}, header=header, meta=meta) == 200
        [request], [tool] = spans(tmp_path, "POST /mcp"), spans(tmp_path, "tools/call")
    assert (request["context"]["trace_id"], request["parent_id"]) == (f"0x{TRACE}", f"0x{PARENT}")
    assert (tool["context"]["trace_id"], tool["parent_id"]) == (f"0x{OTHER}", f"0x{PARENT}")
    assert tool["name"] == "tools/call echo"
    assert tool["attributes"]["gen_ai.tool.name"] == "echo"
    assert request["attributes"]["http.response.status_code"] == 200
    assert "swordfish" not in (tmp_path / "spans").read_text(), "arguments are nobody's business"


async def test_without_a_trace_of_the_callers_a_call_is_below_its_request(tmp_path: Path) -> None:
    async with serving(tmp_path) as live:
        assert await call(live, "plain", {}, path="/mcp?secret=swordfish", meta="not a trace") == 200
        params = {"name": "plain", "arguments": {}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        assert (await live.send("POST", "/mcp", json=body)).status == 200
        requests, tools = spans(tmp_path, "POST /mcp"), spans(tmp_path, "tools/call")
    for request, tool in zip(requests, tools, strict=True):
        assert tool["parent_id"] == request["context"]["span_id"]
        assert request["attributes"]["url.path"] == "/mcp"
    assert "swordfish" not in (tmp_path / "spans").read_text(), "a query may hold a secret"


async def test_a_trace_that_is_none_is_no_failure(tmp_path: Path) -> None:
    async with serving(tmp_path) as live:
        odds: tuple[Any, ...] = (5, None, [], {}, [1], "", "00-0-0-0", True, 1.5)
        for odd in odds:
            assert await call(live, "plain", {}, meta=odd, state=odd) == 200, odd
            good = f"00-{OTHER}-{PARENT}-01"
            assert await call(live, "plain", {}, meta=good, state=odd, header="\xff") == 200, odd


async def test_every_request_is_a_span_named_after_its_route_and_failures_are_marked(tmp_path: Path) -> None:
    async with serving(tmp_path) as live:
        await live.send("GET", "/no/such/page")
        await call(live, "echo", {})
        unknown, [failed] = spans(tmp_path, "GET")[-1], spans(tmp_path, "tools/call")
    assert spans(tmp_path, "GET /health")
    assert (unknown["name"], unknown["attributes"]["http.response.status_code"]) == ("GET", 404)
    assert (failed["status"]["status_code"], failed["attributes"]["error.type"]) == ("ERROR", "tool_error")


def test_where_nothing_traces_nothing_is_put_around_a_request() -> None:
    assert traced not in create_app(load_settings()).middlewares
