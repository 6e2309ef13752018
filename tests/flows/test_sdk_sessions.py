"""The SDK's own client in a session, signed in, with all that tools may do there; only its browser is a script."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CreateMessageResult,
    ElicitResult,
    ListRootsResult,
    LoggingMessageNotificationParams,
    Root,
    TextContent,
)
from pydantic import FileUrl

from tests.flows.child import Child, connected
from tests.flows.rig import Rig

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

TALKATIVE = {"MCP_SERVER": "tests.transport.talkative:build"}


class Person:
    """Answers what a tool asks, and hears what it says."""

    def __init__(self) -> None:
        self.logged: list[Any] = []
        self.steps: list[float] = []
        self.notified: list[str] = []

    async def elicit(self, context: Any, params: Any) -> ElicitResult:
        assert (params.message, context is None) == ("Who are you?", False)
        return ElicitResult(action="accept", content={"name": "Ada"})

    async def sample(self, context: Any, params: Any) -> CreateMessageResult:
        assert (params.max_tokens, context is None) == (10, False)
        return CreateMessageResult(
            role="assistant", content=TextContent(type="text", text="Something."), model="m", stop_reason="endTurn"
        )

    async def roots(self, context: Any) -> ListRootsResult:
        assert context is not None
        return ListRootsResult(roots=[Root(uri=FileUrl("file:///home/ada"))])

    async def log(self, params: LoggingMessageNotificationParams) -> None:
        self.logged.append(params.data)

    async def progress(self, progress: float, total: float | None, message: str | None) -> None:
        assert (total, message) == (3, None)
        self.steps.append(progress)

    async def hear(self, message: Any) -> None:
        self.notified.append(getattr(message, "method", "?"))

    def client(self, url: str, http: Any) -> Client:
        return Client(
            streamable_http_client(f"{url}/mcp", http_client=http),
            mode="legacy",
            elicitation_callback=self.elicit,
            sampling_callback=self.sample,
            list_roots_callback=self.roots,
            logging_callback=self.log,
            message_handler=self.hear,
        )


async def call(client: Client, tool: str, person: Person | None = None, **arguments: Any) -> str:
    """Call a tool and give its text."""
    called: Any = await client.call_tool(tool, arguments, progress_callback=person.progress if person else None)
    assert not called.is_error, called
    return str(called.content[0].text)


async def test_the_client_is_told_and_asked_all_that_there_is(tmp_path: Path) -> None:
    async with connected(Child(tmp_path, environment=TALKATIVE)) as live:
        rig, person = Rig(live), Person()
        async with rig.http() as http, person.client(live.url, http) as client:
            assert await call(client, "ask") == "accept: Ada"
            assert await call(client, "sample") == "Something."
            assert await call(client, "roots") == "file:///home/ada"
            assert await call(client, "tell", text="look") == "told"
            assert await call(client, "count", person, to=3) == "counted"
            assert await call(client, "listen") == "listening"
            assert await call(client, "broadcast") == "told 1"
            async with asyncio.timeout(10):
                while "notifications/tools/list_changed" not in person.notified:  # noqa: ASYNC110 - the client's own task
                    await asyncio.sleep(0.02)
            assert (person.logged, person.steps) == (["look"], [1, 2, 3])
            assert live.sql("SELECT count(*) FROM mcp_sessions WHERE client_id IS NOT NULL") == [(1,)]
        assert rig.requests[-1] == "DELETE /mcp"
        assert live.sql("SELECT (SELECT count(*) FROM mcp_sessions) + (SELECT count(*) FROM mcp_events)") == [(0,)]


async def test_the_client_comes_back_for_the_rest_when_it_is_sent_away(tmp_path: Path) -> None:
    async with connected(Child(tmp_path, environment=TALKATIVE)) as live:
        rig, person = Rig(live), Person()
        async with rig.http() as http, person.client(live.url, http) as client:
            assert await call(client, "part", seconds=0.3) == "parted"
            assert person.logged == ["gone"]
            assert rig.requests.count("GET /mcp") == 2


async def test_the_client_has_its_answer_though_the_server_is_restarted_while_it_waits(tmp_path: Path) -> None:
    server = Child(tmp_path, environment=TALKATIVE)
    async with connected(server) as live:
        rig, person = Rig(live), Person()
        async with rig.http() as http, person.client(live.url, http) as client:
            assert await call(client, "listen") == "listening"
            calling = asyncio.create_task(call(client, "wait", seconds=1.5))
            async with asyncio.timeout(20):
                while not live.sql("SELECT 1 FROM mcp_events WHERE owed IS NOT NULL"):  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.02)
            assert await server.stop() == 0
            await server.start(live.http)
            assert await asyncio.wait_for(calling, 30) == "waited"


async def test_the_client_goes_on_in_its_session_after_a_restart(tmp_path: Path) -> None:
    server = Child(tmp_path, environment=TALKATIVE)
    async with connected(server) as live:
        rig, person = Rig(live), Person()
        async with rig.http() as http, person.client(live.url, http) as client:
            assert await call(client, "ask") == "accept: Ada"
            before = live.sql("SELECT session_digest FROM mcp_sessions")
            await server.kill()
            await server.start(live.http)
            assert await call(client, "ask") == "accept: Ada"
            assert await call(client, "count", person, to=3) == "counted"
            assert person.steps == [1, 2, 3]
            assert live.sql("SELECT session_digest FROM mcp_sessions") == before
        assert rig.person.visits == 1
