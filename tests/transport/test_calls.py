"""The line that the log has for each call: who, what, how long and to what end, and none of what was said."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.transport import plugged
from tests.transport.rig import serve
from tests.transport.visit import Visit

LINE = re.compile(r"POST /mcp (\d+) \d+\.\d ms 127\.0\.0\.1 (.*)")
"""Who and what stands behind what each request's line has."""


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give the lines about requests so far, without their durations, and forget them."""
    caplog_lines = [record.getMessage() for record in caplog.records if record.name == "server.access"]
    caplog.clear()
    return [f"{found[1]} {found[2]}" if (found := LINE.fullmatch(line)) else line for line in caplog_lines]


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "server.access")


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_call_has_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture, era: str) -> None:
    async with serve(tmp_path) as site:
        token = await site.token("read", client="app", user="ada")
        who = "client=app user=u-ada"
        await site.call(era, "echo", {"text": "swordfish"}, token=token)
        assert lines(caplog) == [f"200 {who} call=tools/call tool=echo outcome=ok"]
        await site.call(era, "count", {"to": 2}, progress=True, token=token)
        assert lines(caplog) == [f"200 {who} call=tools/call tool=count outcome=ok"]
        await site.call(era, "pay", token=token)
        assert lines(caplog) == [f"403 {who} call=tools/call tool=pay outcome=refused"]
        await site.call(era, "pay", token=token, User_Agent="openai-mcp/1.0.0")
        assert lines(caplog) == [f"200 {who} call=tools/call tool=pay outcome=refused"]
        await site.call(era, "echo", {}, token=token)
        assert lines(caplog) == [f"200 {who} call=tools/call tool=echo outcome=tool_error"]
        speak = site.modern if era == "modern" else site.legacy
        await speak("tools/list", token=token)
        assert lines(caplog) == [f"200 {who} call=tools/list outcome=ok"]
        await speak("no/such", token=token)
        assert lines(caplog) == [f"{404 if era == 'modern' else 200} {who} call=no/such outcome=error:-32601"]
        await speak("tools/call", {"name": "plain", "arguments": 5}, token=token)
        assert lines(caplog)[-1].endswith("outcome=error:-32602")
        assert "swordfish" not in caplog.text


async def test_a_call_whose_headers_are_wrong_is_named_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(tmp_path, oauth_enabled=False) as site:
        await site.modern("tools/list")
        lines(caplog)
        await site.call("modern", "plain", Mcp_Name="pay")
        assert lines(caplog) == ["400 client=- user=- call=tools/call tool=plain outcome=refused"]


async def test_a_call_in_a_session_has_its_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(tmp_path) as site:
        visit = await Visit(site.client, "/mcp", await site.token(client="app")).open()
        lines(caplog)
        assert await visit.text("count", to=2) == "counted"
        assert lines(caplog) == ["200 client=app user=u-ada call=tools/call tool=count outcome=ok"]
        assert await visit.text("echo") != ""
        assert lines(caplog) == ["200 client=app user=u-ada call=tools/call tool=echo outcome=tool_error"]


async def test_a_caller_without_a_token_has_no_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(tmp_path, oauth_enabled=False) as site:
        await site.call("modern", "plain")
        assert lines(caplog) == ["200 client=- user=- call=tools/call tool=plain outcome=ok"]
        await site.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        [line] = lines(caplog)
        assert "call=" not in line, "nothing was asked"


async def test_what_asks_its_client_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(tmp_path, "tests.transport.asking:build", oauth_enabled=False) as site:
        await site.call("modern", "remember", {"word": "swordfish"})
        await site.call("modern", "ask", {"what": ["roots"]})
        asked, unable = lines(caplog)
        assert asked.endswith("tool=remember outcome=input_required")
        assert unable.startswith("400")
        assert unable.endswith("tool=ask outcome=error:-32021")


async def test_each_call_of_a_batch_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def call(name: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {}}}

    async with serve(tmp_path, oauth_enabled=False) as site:
        await site.send([call("plain"), call("echo")])
        [line] = lines(caplog)
        assert "call=tools/call tool=plain outcome=ok call=tools/call tool=echo outcome=tool_error" in line


@pytest.mark.parametrize("oauth_enabled", [True, False])
@pytest.mark.parametrize("era", ["modern", "legacy", "session"])
async def test_a_name_that_no_tool_has_is_not_written_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, era: str, oauth_enabled: bool
) -> None:
    caplog.set_level("INFO")
    async with serve(tmp_path, oauth_enabled=oauth_enabled) as site:
        token = await site.token() if oauth_enabled else None
        for name in ("4111111111111111", "plain"):
            if era == "session":
                visit = await Visit(site.client, "/mcp", token).open()
                await visit.post(visit.call(name))
            else:
                await site.call(era, name, token=token)
        unknown, known = [line for line in lines(caplog) if "call=tools/call" in line]
        assert " tool=? outcome=" in unknown
        assert known.endswith(" tool=plain outcome=ok")
        assert "4111" not in caplog.text


@pytest.mark.parametrize("name", ["x\nPOST /mcp 200", "a b", "\x1b[31m", "é", "x" * 5_000, "", 7, None])
async def test_a_name_can_neither_end_the_line_nor_fill_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: Any
) -> None:
    async with serve(tmp_path, oauth_enabled=False) as site:
        await site.legacy("tools/call", {"name": name, "arguments": {}})
        [line] = lines(caplog)
        assert re.fullmatch(r"200 client=- user=- call=tools/call tool=[!-~]{1,500} outcome=\S+", line)


async def test_a_call_that_is_given_up_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(tmp_path, oauth_enabled=False) as site:
        for version, outcome in (("2026-07-28", "cancelled"), ("2025-11-25", "running")):
            plugged.happened.clear()
            speak = site.modern if outcome == "cancelled" else site.legacy
            calling = asyncio.create_task(speak("tools/call", {"name": "wait", "arguments": {"seconds": 0.5}}))
            async with asyncio.timeout(10):
                while "started" not in plugged.happened:  # noqa: ASYNC110 - a plugged tool's own list
                    await asyncio.sleep(0.01)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            await asyncio.sleep(0.8)
            hung_up, *later = lines(caplog)
            assert hung_up == f"499 client=- user=- call=tools/call tool=wait outcome={outcome}", version
        [ended] = later
        assert re.fullmatch(
            r"Ended after its connection: \d+\.\d ms client=- user=- call=tools/call tool=wait outcome=ok", ended
        )
