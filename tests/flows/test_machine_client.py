"""The SDK's own client for machines: client credentials from first contact (oauth-client-credentials extension)."""

from typing import Any

import httpx2
import pytest
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

from tests.support import Live


class Keeper:
    """What the client keeps: each token answer."""

    def __init__(self) -> None:
        self.issued: list[OAuthToken] = []

    async def get_tokens(self) -> OAuthToken | None:
        return self.issued[-1] if self.issued else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.issued.append(tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        raise AssertionError(f"{client_info.client_id} was registered")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_a_machine_finds_its_way_and_calls_tools_without_a_user(live: Live, mode: str, method: Any) -> None:
    app, keeper = await live.create("read", "account", method=method), Keeper()
    provider = ClientCredentialsOAuthProvider(
        f"{live.url}/mcp",
        keeper,
        app.client_id,
        str(app.registration["client_secret"]),
        token_endpoint_auth_method=method,
        issuer=live.url,
    )
    async with (
        httpx2.AsyncClient(auth=provider, timeout=30) as http,
        Client(streamable_http_client(f"{live.url}/mcp", http_client=http), mode=mode) as client,
    ):
        plans: Any = await client.call_tool("att-plans-list", {"productType": "prepaid"})
        assert not plans.is_error
    assert [(token.scope, token.refresh_token) for token in keeper.issued] == [("read", None)]
    assert live.sql("SELECT count(*) FROM clients") == [(1,)]
