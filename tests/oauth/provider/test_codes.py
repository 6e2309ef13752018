"""Authorization requests and their codes."""

import asyncio
from typing import Any

import pytest
from mcp.server.auth.provider import (
    AuthorizeError,
    TokenError,
)
from mcp.shared.auth import OAuthToken
from pydantic import AnyUrl

from server.oauth.provider import OAuthProvider
from tests.oauth.provider.conftest import SERVER, approved, open_grants, open_page, register, request
from tests.support import REDIRECT_URI, Live


async def test_authorization_keeps_the_request_and_approves_nothing(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    url = await provider.authorize(client, request())
    assert url.startswith(f"{live.url}/oauth/authorize/begin?request=")
    kept = live.sql("SELECT client_id, state, scopes, audience, decided_at FROM authorization_requests")
    assert kept == [(client.client_id, "some-state", "read write", f"{SERVER}/mcp", None)]
    page = await open_page(live, url)
    assert page.scopes == ["read", "write"]
    assert live.sql("SELECT count(*) FROM authorization_codes") == [(0,)]


async def test_denial_leads_back_to_the_app_without_a_code(provider: OAuthProvider, live: Live) -> None:
    page = await open_page(live, await provider.authorize(await register(provider), request()))
    returned = (await page.deny()).returned
    assert (returned["error"], returned["state"]) == ("access_denied", "some-state")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"scopes": ["everything"]}, "invalid_scope"),
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_request"),
        ({"redirect_uri_provided_explicitly": False}, "invalid_request"),
    ],
)
async def test_request_that_is_wrong_is_refused_and_not_kept(
    provider: OAuthProvider, live: Live, fields: dict[str, Any], code: str
) -> None:
    client = await register(provider)
    with pytest.raises(AuthorizeError) as refused:
        await provider.authorize(client, request(**fields))
    assert refused.value.error == code
    assert live.sql("SELECT count(*) FROM authorization_requests") == [(0,)]


async def test_request_of_a_deleted_client_is_refused(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    live.sql("DELETE FROM clients")
    with pytest.raises(AuthorizeError) as refused:
        await provider.authorize(client, request())
    assert refused.value.error == "invalid_request"


async def test_code_is_what_was_allowed(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    asked = request()
    page = await open_page(live, await provider.authorize(client, asked))
    value = (await page.approve(["read"])).returned["code"]
    code = await provider.load_authorization_code(client, value)
    assert code is not None
    assert (code.code, code.client_id, code.scopes, code.subject) == (value, client.client_id, ["read"], "demo")
    assert (code.code_challenge, code.resource) == (asked.code_challenge, f"{SERVER}/mcp")
    assert (code.redirect_uri, code.redirect_uri_provided_explicitly) == (AnyUrl(REDIRECT_URI), True)
    assert code.expires_at == live.clock() + 600


async def test_code_is_unknown_to_others_and_after_its_time(provider: OAuthProvider, live: Live) -> None:
    client, other = await register(provider), await register(provider)
    value = await approved(provider, live, client)
    assert await provider.load_authorization_code(other, value) is None
    assert await provider.load_authorization_code(client, value + "x") is None
    live.clock.advance(600)
    assert await provider.load_authorization_code(client, value) is None


async def test_replayed_code_ends_what_came_of_it(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    value = await approved(provider, live, client)
    code = await provider.load_authorization_code(client, value)
    assert code is not None
    issued = await provider.exchange_authorization_code(client, code)
    assert await provider.load_access_token(issued.access_token)
    assert await provider.load_authorization_code(client, value) is None
    assert await provider.load_access_token(issued.access_token) is None
    assert open_grants(live) == 0


async def test_code_loaded_by_many_at_once_is_exchanged_once_and_the_replays_end_it(
    provider: OAuthProvider, live: Live
) -> None:
    client = await register(provider)
    value = await approved(provider, live, client)
    loaded = await asyncio.gather(*(provider.load_authorization_code(client, value) for _ in range(5)))
    outcomes = await asyncio.gather(
        *(provider.exchange_authorization_code(client, code) for code in loaded if code), return_exceptions=True
    )
    won = [outcome for outcome in outcomes if isinstance(outcome, OAuthToken)]
    lost = [outcome.error for outcome in outcomes if isinstance(outcome, TokenError)]
    assert (len(won), lost) == (1, ["invalid_grant"] * 4)
    assert live.sql("SELECT count(*) FROM grants") == [(1,)]
    assert await provider.load_access_token(won[0].access_token) is None


async def test_code_of_a_client_deleted_meanwhile_yields_nothing(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    value = await approved(provider, live, client)
    code = await provider.load_authorization_code(client, value)
    assert code is not None
    live.sql("DELETE FROM clients")
    assert await provider.load_authorization_code(client, value) is None
    with pytest.raises(TokenError) as refused:
        await provider.exchange_authorization_code(client, code)
    assert refused.value.error == "invalid_client"
