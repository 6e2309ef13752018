"""A question asked before the server was killed is answered after it has come back."""

from pathlib import Path
from typing import Any

from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY

from tests.browser import Answer
from tests.flows.child import Child, connected
from tests.support import Remote

META = {PROTOCOL_VERSION_META_KEY: "2026-07-28", CLIENT_CAPABILITIES_META_KEY: {}}
HEADERS = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "remember"}
ASKING = {"MCP_SERVER": "tests.transport.asking:build"}


async def remember(live: Remote, token: str, **more: str) -> Answer:
    """Call the tool that keeps a word with its client."""
    params: dict[str, Any] = {"name": "remember", "arguments": {"word": "walrus"}, "_meta": META, **more}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return await live.send("POST", "/mcp", json=body, headers={**HEADERS, "Authorization": f"Bearer {token}"})


async def test_a_state_outlives_the_process_that_made_it(tmp_path: Path) -> None:
    child = Child(tmp_path, environment=ASKING)
    async with connected(child) as live:
        token = (await live.log_in(await live.register()))["access_token"]
        state = (await remember(live, token)).json["result"]["requestState"]
        await child.kill()
        await child.start(live.http)
        answer = await remember(live, token, requestState=state)
        assert answer.json["result"]["content"][0]["text"] == "It was walrus"
        elsewhere = (await live.log_in(await live.register()))["access_token"]
        assert (await remember(live, elsewhere, requestState=state)).status == 400
        assert "requestState rejected on tools/call: principal" in child.log
