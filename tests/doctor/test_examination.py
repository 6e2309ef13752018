"""The examination from outside: of this server, and of the SDK's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server import MCPServer

from server.doctor.findings import Finding
from tests.conftest import Start
from tests.doctor.broken import findings
from tests.support import Live


async def test_this_server_has_nothing_bad(live: Live) -> None:
    found = await findings(live.url)
    assert [finding for finding in found if finding.state == "bad"] == []
    assert sum(finding.state == "good" for finding in found) > 40


async def test_what_was_registered_is_removed_again(live: Live) -> None:
    assert Finding("removal of the registration", "good", "the client was removed again") in await findings(live.url)
    assert live.sql("SELECT count(*) FROM clients") == [(0,)]


async def test_the_endpoints_own_address_will_do_too(live: Live) -> None:
    assert not [finding for finding in await findings(f"{live.url}/mcp") if finding.state == "bad"]


async def test_a_server_that_asks_nobody_to_sign_in_is_no_failure(start: Start) -> None:
    async with start(oauth_enabled=False) as live:
        found = await findings(live.url)
    assert Finding("discovery", "unknown", "the server asks nobody to sign in") in found
    assert not [finding for finding in found if finding.state == "bad"]


async def test_closed_registration_leaves_what_needs_a_client_untold(start: Start) -> None:
    async with start(oauth_dcr="off") as live:
        found = await findings(live.url)
    assert Finding("registration", "unknown", "it is not advertised") in found
    assert Finding("authorization requests", "unknown", "there is no client to send one for") in found


async def test_nothing_that_listens_is_said_once_and_not_at_length() -> None:
    found = await findings("http://localhost:9")
    assert [finding.check for finding in found if finding.state == "bad"] == ["redirects"]
    assert found[-1] == Finding("the endpoint", "unknown", "nothing answers there, so there is nothing more to look at")


@asynccontextmanager
async def sdk_server() -> AsyncIterator[str]:
    """Serve the SDK's own server, open, as its documentation sets it up."""
    import uvicorn  # noqa: PLC0415 - for this test alone

    config = uvicorn.Config(
        MCPServer("sdk").streamable_http_app(), host="127.0.0.1", port=0, log_level="warning", access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - a flag is all that there is to wait for
            await asyncio.sleep(0.01)
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def test_the_sdks_own_server_is_examined() -> None:
    async with sdk_server() as url:
        found = {finding.check: finding for finding in await findings(url)}
    assert found["redirects"].state == "good"
    assert found["unknown sessions"].state == "good"
    assert found["discovery"].state == "unknown"
