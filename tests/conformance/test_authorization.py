"""The suite's scenarios for an authorization server, against a real server; a script follows the authorize URL.

The suite sends no secret where ``none`` is advertised, so its client is a public one.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser import Page
from tests.conformance.suite import conformance, lines
from tests.flows.child import Child, connected, free_port
from tests.support import Remote


async def approve(live: Remote, url: str) -> None:
    """Open the URL as a browser does, approve, and go where the answer leads."""
    browser = live.browser()
    led = await browser.send("GET", url)
    shown = await browser.send("GET", led.location)
    back = await Page(browser, shown, led.location, "").approve()
    assert (await live.send("GET", back.location)).status == 200


async def test_both_scenarios_pass(tmp_path: Path) -> None:
    port = free_port()
    async with connected(Child(tmp_path)) as live:
        app = await live.register(redirect_uris=[f"http://127.0.0.1:{port}/callback"])
        options = ("--client-id", app.client_id, "--resource", f"{live.url}/mcp", "--port", str(port))
        printed: list[str] = []
        async with conformance("authorization", "--url", live.url, *options) as suite:
            async for line in lines(suite):
                printed.append(line)
                if urlsplit(line).path == "/authorize":
                    await approve(live, line)
            status = await suite.wait()
    output = "\n".join(printed)
    assert status == 0, output
    for scenario in ("authorization-server-metadata-endpoint", "authorization-code-grant"):
        assert re.search(rf"✓ {scenario}: [1-9][0-9]* passed, 0 failed", output), output
