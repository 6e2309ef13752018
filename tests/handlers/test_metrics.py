"""GET /metrics: what it counts, whom it tells, and what it never holds."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server import keys
from tests.conftest import Start
from tests.support import Live

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana-dashboard.json"
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
SLOW = """
import anyio
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("slow")

@server.tool()
async def wait(ctx: Context) -> str:
    await ctx.report_progress(1, 2)
    await anyio.sleep(1)
    return "done"
"""


class Figures(dict[tuple[str, ...], float]):
    """Values by name and, in the order of their names, the values of the labels."""

    def total(self, name: str) -> float:
        return sum(value for key, value in self.items() if key[0] == name)


async def scrape(live: Live, **options: Any) -> Figures:
    answer = await live.send("GET", "/metrics", **options)
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    return Figures(
        ((sample.name, *(sample.labels[label] for label in sorted(sample.labels))), sample.value)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    )


async def test_requests_are_counted_by_method_route_and_status(live: Live) -> None:
    app = await live.register()
    for path in ("/no/such/path", "/another", f"/register/{app.client_id}"):
        await live.send("GET", path)
    for _ in range(3):
        await live.send("GET", "/health")
    found = await scrape(live)
    assert found["att_mcp_requests_total", "POST", "/register", "201"] == 1
    assert found["att_mcp_requests_total", "GET", "none", "404"] == 2
    assert found["att_mcp_requests_total", "GET", "/register/{client_id}", "401"] == 1
    assert found["att_mcp_requests_total", "GET", "/health", "200"] == 3
    assert found["att_mcp_request_seconds_count", "/health"] == 3
    assert found["att_mcp_request_seconds_bucket", "+Inf", "/health"] == 3
    assert 0 < found["att_mcp_request_seconds_sum", "/health"] < 30
    assert (await scrape(live))["att_mcp_requests_total", "GET", "/metrics", "200"] == 1


async def test_tokens_are_counted_by_grant_and_refusals_by_reason(live: Live) -> None:
    app = await live.register()
    page = await live.browser().open_page(app)
    code = (await page.approve()).returned["code"]
    issued = (await live.exchange(app, code, page.verifier)).json
    renewed = (await live.refresh(app, issued["refresh_token"])).json
    live.clock.advance(3_000)
    await live.refresh(app, issued["refresh_token"])
    await live.refresh(app, renewed["refresh_token"] + "x")
    await live.exchange(app, code, page.verifier)
    late = await live.browser().open_page(app)
    expired = (await late.approve()).returned["code"]
    live.clock.advance(601)
    await live.exchange(app, expired, late.verifier)
    await live.post("/token", app, grant_type="weather")
    found = await scrape(live)
    for grant in ("authorization_code", "refresh_token"):
        assert found["att_mcp_tokens_issued_total", grant] == 1
    for reason in ("reused", "replayed", "expired", "unsupported_grant_type"):
        assert found["att_mcp_tokens_refused_total", reason] == 1, reason
    assert found.total("att_mcp_tokens_refused_total") == 5


async def test_a_refusal_for_want_of_the_database_is_counted_and_its_figures_are_left_out(live: Live) -> None:
    app = await live.register()
    assert (await scrape(live))["att_mcp_database_up",] == 1
    live.database.chmod(0)
    try:
        await live.refresh(app, "att_rt_none")
        assert (await live.exchange(app, "att_ac_none", "v" * 43)).status in {400, 503}
        found = await scrape(live)
    finally:
        live.database.chmod(0o600)
    assert found["att_mcp_database_up",] == 0
    assert found.total("att_mcp_live") == 0
    assert found["att_mcp_tokens_refused_total", "database"] >= 1


async def test_what_is_live_and_how_large_it_is(live: Live) -> None:
    await live.log_in(await live.register())
    await live.register()
    found = await scrape(live)
    assert [found["att_mcp_live", kind] for kind in ("clients", "access_tokens", "refresh_tokens")] == [2, 1, 1]
    assert found["att_mcp_database_bytes",] == live.database.stat().st_size
    assert found["att_mcp_database_wal_bytes",] > 0
    assert found["att_mcp_database_free_bytes",] > 0
    assert [found["att_mcp_live", kind] for kind in ("sign_in_sessions", "mcp_sessions")] == [0, 0]
    assert found["process_resident_memory_bytes",] > 0


async def until_purged(live: Live) -> None:
    """Wait for the first purge, and for the loop's lag to be measured."""
    meter = live.application[keys.METER]
    async with asyncio.timeout(20):
        while not (meter.purges["done"] and sum(meter.lag.buckets)):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.05)


async def test_purges_and_the_lag_of_the_loop_are_measured(live: Live) -> None:
    await until_purged(live)
    found = await scrape(live)
    assert found["att_mcp_purges_total", "done"] == 1
    assert found["att_mcp_purges_total", "failed"] == 0
    assert found["att_mcp_purged_timestamp_seconds",] == live.clock.now
    assert found["att_mcp_purged_rows_total", "clients"] == 0
    assert found["att_mcp_loop_lag_seconds_count",] >= 1


async def test_open_streams_are_counted_and_not_timed(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_metrics.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    params = {"name": "wait", "arguments": {}, "_meta": {"progressToken": "p"}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    async with start(oauth_enabled=False, mcp_server="slow_metrics:server") as live:
        asked = asyncio.create_task(live.send("POST", "/mcp", json=call, headers=HEADERS))
        await asyncio.sleep(0.6)
        assert (await scrape(live))["att_mcp_streams",] == 1
        assert "done" in (await asked).text
        found = await scrape(live)
    assert found["att_mcp_streams",] == 0
    assert found["att_mcp_requests_total", "POST", "/mcp", "200"] == 1
    assert ("att_mcp_request_seconds_count", "/mcp") not in found


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "Via"])
async def test_what_was_passed_on_by_a_proxy_is_not_answered(live: Live, header: str) -> None:
    answer = await live.send("GET", "/metrics", headers={header: "127.0.0.1"})
    assert answer.status == 404
    assert "att_mcp" not in answer.text


async def test_the_public_name_and_other_networks_are_not_answered(start: Start) -> None:
    async with start(server_url="https://mcp.example.com") as live:
        assert (await live.send("GET", "/metrics", headers={"Host": "mcp.example.com"})).status == 404
        await scrape(live)
    async with start(metrics_networks="192.0.2.0/24") as live:
        assert (await live.send("GET", "/metrics")).status == 404


async def test_neither_a_secret_nor_a_name_from_outside_is_in_it(live: Live) -> None:
    app = await live.register(client_name="Uschi's Assistant", token_endpoint_auth_method="client_secret_post")
    issued = await live.log_in(app)
    await live.send("GET", f"/{issued['access_token']}?secret=hush")
    await live.send("GET", "/mcp", headers={"Authorization": f"Bearer {issued['access_token']}"})
    await live.post("/token", app, grant_type="hush")
    text = (await live.send("GET", "/metrics")).text
    for hidden in ("hush", "Uschi", app.client_id, "att_at_", "att_rt_", "att_cs_", "127.0.0.1"):
        assert hidden not in text
    assert text.count("\n") < 1_000


async def test_the_dashboard_asks_for_figures_that_there_are(live: Live) -> None:
    await until_purged(live)
    await live.refresh(await live.register(), "none")
    await live.log_in(await live.register())
    text = (await live.send("GET", "/metrics")).text
    there = set(re.findall(r"^([a-z_]+)[{ ]", text, re.MULTILINE))
    dashboard = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    named = {name for expr in asked for name in re.findall(r"\b(?:att_mcp|process)_[a-z_]+", expr)}
    assert len(asked) >= 10
    assert named - there == set()
