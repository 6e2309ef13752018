"""The SDK's own client, from first contact to a second refresh, in both eras; only the browser is a script."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.flows.child import Child, connected
from tests.flows.rig import Rig

ERAS = pytest.mark.parametrize(("mode", "revision"), [("2026-07-28", "2026-07-28"), ("legacy", "2025-11-25")])


@ERAS
async def test_client_gets_from_first_contact_to_a_second_refresh(tmp_path: Path, mode: str, revision: str) -> None:
    async with connected(Child(tmp_path)) as live:
        rig = Rig(live)
        async with (
            rig.http() as http,
            Client(streamable_http_client(f"{live.url}/mcp", http_client=http), mode=mode) as client,
        ):
            assert client.protocol_version == revision
            await rig.use(client)
            await rig.use_after_expiry(client)
            await rig.use_after_expiry(client)
        assert rig.requests[:5] == [
            "POST /mcp",
            "GET /.well-known/oauth-protected-resource/mcp",
            "GET /.well-known/oauth-authorization-server",
            "POST /register",
            "POST /token authorization_code",
        ]
        assert rig.requests.count("POST /token refresh_token") == 2
        assert rig.requests.count("POST /token authorization_code") == rig.person.visits == 1
        assert len({issued.refresh_token for issued in rig.keeper.issued}) == len(rig.keeper.issued) == 3
        assert live.sql("SELECT count(*) FROM grants WHERE revoked_at IS NULL") == [(1,)]


@ERAS
async def test_client_goes_on_after_a_restart_of_the_server_without_a_new_sign_in(
    tmp_path: Path, mode: str, revision: str
) -> None:
    child = Child(tmp_path)
    async with connected(child) as live:
        rig = Rig(live)
        async with (
            rig.http() as http,
            Client(streamable_http_client(f"{live.url}/mcp", http_client=http), mode=mode) as client,
        ):
            await rig.use(client)
            await child.kill()
            await child.start(live.http)
            await rig.use(client)
            await rig.use_after_expiry(client)
            assert client.protocol_version == revision
        assert rig.person.visits == 1
        assert rig.requests.count("POST /register") == 1


async def test_client_with_stored_tokens_starts_again_without_a_sign_in(tmp_path: Path) -> None:
    child = Child(tmp_path)
    async with connected(child) as live:
        rig = Rig(live)
        for _ in range(2):
            async with (
                rig.http() as http,
                Client(streamable_http_client(f"{live.url}/mcp", http_client=http)) as client,
            ):
                await rig.use(client)
            assert await child.stop() == 0
            await child.start(live.http)
        assert rig.person.visits == 1
        assert urlsplit(str(rig.keeper.client and rig.keeper.client.issuer)).netloc == f"127.0.0.1:{child.port}"
