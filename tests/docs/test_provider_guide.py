"""The guide's server, saved and started as it says, beside the pages; the SDK's own client uses it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.flows.child import Child, connected
from tests.flows.rig import CALLBACK, Rig
from tests.support import Remote

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "use-the-provider.md"


@dataclass
class Both:
    """The guide's server, and the pages beside it."""

    server: Child
    live: Remote

    async def post(self, path: str, **options: Any) -> tuple[int, Any]:
        """Send the guide's server a request of one's own."""
        async with self.live.http.post(self.server.url + path, **options) as response:
            return response.status, await response.json(content_type=None)

    async def status_of(self, token: str) -> int:
        """See whether a token is taken."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
        return (await self.post("/mcp", json={}, headers=headers))[0]


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    """Start both, each where the guide says, with other ports."""
    text = GUIDE.read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example is not None
    assert "PORT=8001 OAUTH_ISSUER_URL=http://localhost:8000 att-mcp-server" in text
    server = Child(tmp_path, command=("my_server.py",), ready="/.well-known/oauth-authorization-server")
    pages = Child(tmp_path, environment={"OAUTH_ISSUER_URL": server.url})
    assert "http://localhost:8001" in example[1]
    (tmp_path / "my_server.py").write_text(example[1].replace("http://localhost:8001", pages.url), encoding="utf-8")
    async with connected(pages) as live, connected(server):
        yield Both(server, live)


async def call(client: Client) -> str:
    called: Any = await client.call_tool("greet", {})
    return str(called.content[0].text)


async def test_client_registers_is_allowed_calls_refreshes_and_goes_on_after_a_restart(both: Both) -> None:
    live, rig = both.live, Rig(both.live, both.server.url)
    endpoint = f"{both.server.url}/mcp"
    async with rig.http() as http, Client(streamable_http_client(endpoint, http_client=http)) as client:
        assert await call(client) == "Hello, demo"
        await expire(rig)
        assert await call(client) == "Hello, demo"
    assert rig.requests.count("POST /token refresh_token") == 1
    await both.server.kill()
    await both.server.start(live.http)
    async with rig.http() as http, Client(streamable_http_client(endpoint, http_client=http)) as client:
        assert await call(client) == "Hello, demo"
    assert (rig.person.visits, rig.requests.count("POST /register")) == (1, 1)
    latest = rig.keeper.issued[-1]
    assert await both.status_of(latest.access_token) != 401
    revocation = {"client_id": client_id(rig), "client_secret": "", "token": latest.refresh_token}
    assert (await both.post("/revoke", data=revocation))[0] == 200
    assert await both.status_of(latest.access_token) == 401
    assert live.sql("SELECT count(*), count(revoked_at) FROM grants") == [(1, 1)]


async def expire(rig: Rig) -> None:
    """Let the access token run out, for the client and for the server."""
    assert rig.provider is not None
    rig.provider.context.token_expiry_time = 1.0
    rig.live.sql("UPDATE access_tokens SET expires_at = 1")


def client_id(rig: Rig) -> str:
    assert rig.keeper.client is not None
    return rig.keeper.client.client_id


async def test_sdks_endpoints_answer_with_what_holds_here(both: Both) -> None:
    asked = {"redirect_uris": [CALLBACK, "ftp://assistant.example/"], "client_name": "Wants a secret"}
    status, registered = await both.post("/register", json=asked)
    assert (status, registered["redirect_uris"]) == (201, [CALLBACK])
    assert registered["client_id"].startswith("att_cl_")
    assert registered["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in registered
    assert (await both.post("/register", json={"redirect_uris": ["ftp://assistant.example/"]}))[1]["error"] == (
        "invalid_redirect_uri"
    )
    await check_redirect_uris_and_scopes(both.server.url, both.live.http, registered["client_id"])
    secretive = await both.live.register(token_endpoint_auth_method="client_secret_post")
    proof, _ = secretive.proof()
    status, refused = await both.post("/token", data={**proof, "grant_type": "refresh_token", "refresh_token": "x"})
    assert (status, refused["error"]) == (401, "invalid_client")


async def check_redirect_uris_and_scopes(url: str, http: aiohttp.ClientSession, client: str) -> None:
    """A loopback port may differ; a scope that cannot be granted goes back to the client."""
    for redirect_uri, scope, leads_to in (
        (CALLBACK.replace("33418", "4711"), "read write", "/oauth/authorize/begin?request="),
        (CALLBACK, "everything", f"{CALLBACK}?error=invalid_scope"),
    ):
        asked = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": redirect_uri,
            "scope": scope,
            "code_challenge": "c" * 43,
            "code_challenge_method": "S256",
        }
        async with http.get(f"{url}/authorize", params=asked, allow_redirects=False) as answer:
            assert answer.status == 302
            assert leads_to in answer.headers["Location"]
