"""Refresh tokens: they rotate, narrow, and end with their family."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import ClientAuthenticator
from mcp.server.auth.provider import (
    TokenError,
)
from mcp.shared.auth import OAuthClientInformationFull
from starlette.requests import Request

from server.library import open_provider
from server.oauth.provider import OAuthProvider
from server.settings import load_settings
from tests.oauth.provider.conftest import SERVER, approved, log_in, open_grants, refresh, register
from tests.support import Live


async def test_refresh_token_rotates_and_repeats_its_successor_within_the_grace(
    provider: OAuthProvider, live: Live
) -> None:
    client = await register(provider)
    issued = await log_in(provider, live, client)
    first = await refresh(provider, client, issued.refresh_token)
    again = await refresh(provider, client, issued.refresh_token)
    assert first.refresh_token == again.refresh_token != issued.refresh_token
    assert first.access_token != again.access_token
    assert first.scope == "read write"


@pytest.mark.parametrize("later", [120, 86_400 * 2])
async def test_refresh_token_reused_after_the_grace_ends_its_family(
    provider: OAuthProvider, live: Live, later: int
) -> None:
    client = await register(provider)
    issued = await log_in(provider, live, client)
    await refresh(provider, client, issued.refresh_token)
    live.clock.advance(later)
    held = await provider.load_refresh_token(client, issued.refresh_token or "")
    assert held is not None
    assert held.expires_at is None  # or else the SDK would not go on to the exchange
    with pytest.raises(TokenError) as refused:
        await provider.exchange_refresh_token(client, held, held.scopes)
    assert refused.value.error == "invalid_grant"
    assert open_grants(live) == 0


async def test_refresh_tokens_used_by_many_at_once_have_one_successor(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    issued = await log_in(provider, live, client)
    answers = await asyncio.gather(*(refresh(provider, client, issued.refresh_token) for _ in range(3)))
    assert len({answer.refresh_token for answer in answers}) == 1
    assert len({answer.access_token for answer in answers}) == 3


async def test_refresh_may_narrow_and_never_widen(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    issued = await log_in(provider, live, client)
    with pytest.raises(TokenError) as refused:
        await refresh(provider, client, issued.refresh_token, ["read", "account"])
    assert refused.value.error == "invalid_scope"
    assert (await refresh(provider, client, issued.refresh_token, ["read"])).scope == "read"


@pytest.fixture
async def nested(live: Live) -> AsyncIterator[OAuthProvider]:
    """Give a provider to which wider scopes hold narrower ones."""
    implies = "payment>write,write>read"
    settings = load_settings(server_url=SERVER, database_url=f"sqlite:///{live.database}", oauth_scope_implies=implies)
    async with open_provider(settings, pages=live.url, clock=live.clock) as opened:
        yield opened


async def sdk_refresh(provider: OAuthProvider, client: OAuthClientInformationFull, token: str, scope: str) -> Any:
    """Refresh at the SDK's own token endpoint, and give its decoded answer."""
    form = {"grant_type": "refresh_token", "client_id": client.client_id, "refresh_token": token, "scope": scope}
    body = urlencode({name: value for name, value in form.items() if value}).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    asked = Request({"type": "http", "method": "POST", "path": "/token", "headers": headers}, receive)
    answer = await TokenHandler(provider, ClientAuthenticator(provider)).handle(asked)
    return json.loads(bytes(answer.body))


async def test_access_token_names_what_its_scopes_imply_in_the_order_of_the_settings(
    nested: OAuthProvider, provider: OAuthProvider, live: Live
) -> None:
    client = await register(nested)
    code = await nested.load_authorization_code(client, await approved(nested, live, client, scopes=["payment"]))
    assert code is not None
    issued = await nested.exchange_authorization_code(client, code)
    assert (code.scopes, issued.scope) == (["payment"], "payment")
    for server, held in ((nested, ["read", "write", "payment"]), (provider, ["payment"])):
        access = await server.load_access_token(issued.access_token)
        assert access is not None
        assert access.scopes == held
    live.sql("UPDATE access_tokens SET scopes = 'gone write'")
    access = await nested.load_access_token(issued.access_token)
    assert access is not None
    assert access.scopes == ["read", "write", "gone"]


async def test_refresh_at_the_sdks_endpoint_narrows_to_an_implied_scope_and_else_grants_the_grants_own(
    nested: OAuthProvider, live: Live
) -> None:
    client = await register(nested)
    code = await nested.load_authorization_code(client, await approved(nested, live, client, scopes=["write"]))
    assert code is not None
    token = (await nested.exchange_authorization_code(client, code)).refresh_token
    for asked, granted in (("read", "read"), ("", "write"), ("write", "write"), ("read write", "write")):
        answer = await sdk_refresh(nested, client, token or "", asked)
        assert answer["scope"] == granted
        token = answer["refresh_token"]
    refused = await sdk_refresh(nested, client, token or "", "payment")
    assert refused["error"] == "invalid_scope"


async def test_refresh_token_is_known_to_its_client_alone(provider: OAuthProvider, live: Live) -> None:
    client, other = await register(provider), await register(provider)
    issued = await log_in(provider, live, client)
    assert issued.refresh_token is not None
    held = await provider.load_refresh_token(client, issued.refresh_token)
    assert held is not None
    assert (held.scopes, held.subject, held.resource) == (["read", "write"], "demo", f"{SERVER}/mcp")
    assert held.expires_at == live.clock() + 86_400
    assert await provider.load_refresh_token(other, issued.refresh_token) is None
    assert await provider.load_refresh_token(client, issued.access_token) is None


async def test_refresh_of_a_disabled_user_is_refused(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    issued = await log_in(provider, live, client)
    live.sql("UPDATE users SET disabled_at = 1")
    with pytest.raises(TokenError) as refused:
        await refresh(provider, client, issued.refresh_token)
    assert refused.value.error == "invalid_grant"
