"""The provider as the SDK calls it, on a real database; the pages are served beside it, and a script is the user."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import pytest
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import ClientAuthenticator
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    IdentityAssertionParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    RegistrationError,
    TokenError,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl
from starlette.requests import Request

from server.library import open_provider
from server.oauth.provider import OAuthProvider
from server.oauth.store import StoreUnavailable
from server.settings import load_settings
from server.storage.database import open_database
from tests.browser import Page, challenge
from tests.support import REDIRECT_URI, Live

SERVER = "https://tools.example"


@pytest.fixture
async def provider(live: Live) -> AsyncIterator[OAuthProvider]:
    """Give a provider for a server elsewhere, on the database of the pages."""
    settings = load_settings(server_url=SERVER, database_url=f"sqlite:///{live.database}")
    async with open_provider(settings, pages=live.url + "/", clock=live.clock) as opened:
        yield opened


async def register(provider: OAuthProvider, **metadata: Any) -> OAuthClientInformationFull:
    asked = {"client_id": "asked", "redirect_uris": [REDIRECT_URI], "client_name": "App", **metadata}
    client = OAuthClientInformationFull.model_validate(asked)
    await provider.register_client(client)
    return client


def request(**fields: Any) -> AuthorizationParams:
    asked = {
        "state": "some-state",
        "scopes": ["read", "write"],
        "code_challenge": challenge(os.urandom(32).hex()),
        "redirect_uri": REDIRECT_URI,
        "redirect_uri_provided_explicitly": True,
        "resource": f"{SERVER}/mcp",
        **fields,
    }
    return AuthorizationParams.model_validate(asked)


async def open_page(live: Live, url: str) -> Page:
    browser = live.browser()
    led = await browser.send("GET", url)
    return Page(browser, await browser.send("GET", led.location), led.location, "")


async def approved(provider: OAuthProvider, live: Live, client: OAuthClientInformationFull, **fields: Any) -> str:
    """Give the code that comes of a request which its user allows."""
    page = await open_page(live, await provider.authorize(client, request(**fields)))
    return (await page.approve()).returned["code"]


async def log_in(provider: OAuthProvider, live: Live, client: OAuthClientInformationFull) -> OAuthToken:
    code = await provider.load_authorization_code(client, await approved(provider, live, client))
    assert code is not None
    return await provider.exchange_authorization_code(client, code)


async def refresh(
    provider: OAuthProvider, client: OAuthClientInformationFull, token: str | None, scopes: list[str] | None = None
) -> OAuthToken:
    held = await provider.load_refresh_token(client, token or "")
    assert held is not None
    return await provider.exchange_refresh_token(client, held, held.scopes if scopes is None else scopes)


def open_grants(live: Live) -> int:
    return int(live.sql("SELECT count(*) FROM grants WHERE revoked_at IS NULL")[0][0])


def test_it_is_a_provider_to_the_type_checker(provider: OAuthProvider) -> None:
    typed: OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken] = provider
    assert typed is provider


async def test_registration_writes_back_what_holds(provider: OAuthProvider, live: Live) -> None:
    client = await register(
        provider,
        redirect_uris=["ftp://assistant.example/", REDIRECT_URI],
        token_endpoint_auth_method="client_secret_post",
        client_secret="plain",
        client_secret_expires_at=0,
        scope="read unheard-of",
    )
    assert client.client_id.startswith("att_cl_")
    assert client.redirect_uris == [AnyUrl(REDIRECT_URI)]
    assert client.token_endpoint_auth_method == "none"
    assert (client.client_secret, client.client_secret_expires_at) == (None, None)
    assert client.scope == "read"
    assert live.sql("SELECT client_name, secret_digest FROM clients") == [("App", None)]


async def test_registration_leaves_no_token_behind_that_nobody_holds(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    assert live.sql("SELECT client_id, registration_digest FROM clients") == [(client.client_id, None)]
    assert live.sql("SELECT event, client_id, address, detail FROM audit_log") == [
        ("client_registered", client.client_id, None, "App")
    ]


async def test_client_whose_id_is_a_url_is_unknown_even_where_it_is_stored(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    for url in ("https://assistant.example/client.json", "http://localhost/client.json"):
        live.sql("UPDATE clients SET client_id = ?", url)
        assert await provider.get_client(url) is None
        with pytest.raises(AuthorizeError):
            await provider.authorize(client.model_copy(update={"client_id": url}), request())
    assert live.sql("SELECT count(*) FROM authorization_requests") == [(0,)]


async def test_registered_client_is_found_with_all_that_it_said(provider: OAuthProvider) -> None:
    asked = await register(provider, client_uri="https://assistant.example/about", contacts=["a@assistant.example"])
    found = await provider.get_client(asked.client_id)
    assert found is not None
    assert found.model_dump() == asked.model_dump()
    assert await provider.get_client("att_cl_unknown") is None


async def test_secret_is_never_given_and_its_method_stays(provider: OAuthProvider, live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_post")
    found = await provider.get_client(app.client_id)
    assert found is not None
    assert (found.token_endpoint_auth_method, found.client_secret) == ("client_secret_post", None)


async def test_client_whose_urls_the_sdk_cannot_parse_is_still_found(provider: OAuthProvider, live: Live) -> None:
    odd = "https://xn--/callback"
    app = await live.register(redirect_uris=[REDIRECT_URI, odd], client_uri="https://xn--/")
    assert odd in app.registration["redirect_uris"]
    found = await provider.get_client(app.client_id)
    assert found is not None
    assert (found.redirect_uris, found.client_uri) == ([AnyUrl(REDIRECT_URI)], None)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"redirect_uris": ["ftp://assistant.example/"]}, "invalid_redirect_uri"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
    ],
)
async def test_registration_that_cannot_be_had_is_refused(
    provider: OAuthProvider, metadata: dict[str, Any], code: str
) -> None:
    with pytest.raises(RegistrationError) as refused:
        await register(provider, **metadata)
    assert refused.value.error == code


async def test_nobody_registers_where_registration_is_off(live: Live) -> None:
    settings = load_settings(server_url=SERVER, database_url=f"sqlite:///{live.database}", oauth_dcr="off")
    async with open_provider(settings, pages=live.url) as provider:
        with pytest.raises(RegistrationError):
            await register(provider)
    assert live.sql("SELECT count(*) FROM clients") == [(0,)]


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


async def test_access_token_says_who_holds_it_for_as_long_as_it_lives(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    issued = await log_in(provider, live, client)
    assert issued.expires_in == 3_600
    access = await provider.load_access_token(issued.access_token)
    assert access is not None
    assert (access.client_id, access.subject, access.scopes) == (client.client_id, "demo", ["read", "write"])
    assert live.sql("SELECT audience, expires_at FROM access_tokens") == [(access.resource, access.expires_at)]
    assert access.resource == f"{SERVER}/mcp"
    assert access.claims == {"iss": SERVER, "name": "demo", "email": None}
    live.clock.now = access.expires_at or 0
    assert await provider.load_access_token(issued.access_token) is None
    assert await provider.load_access_token("garbage") is None


async def test_access_token_for_another_resource_is_unknown(provider: OAuthProvider, live: Live) -> None:
    elsewhere = await live.log_in(await live.register())
    assert await provider.load_access_token(elsewhere["access_token"]) is None


async def test_revoked_access_token_ends_alone(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    issued = await log_in(provider, live, client)
    access = await provider.load_access_token(issued.access_token)
    assert access is not None
    await provider.revoke_token(access)
    assert await provider.load_access_token(issued.access_token) is None
    assert await provider.load_access_token((await refresh(provider, client, issued.refresh_token)).access_token)
    await provider.revoke_token(access)


async def test_revoked_refresh_token_ends_its_family(provider: OAuthProvider, live: Live) -> None:
    client = await register(provider)
    issued = await log_in(provider, live, client)
    held = await provider.load_refresh_token(client, issued.refresh_token or "")
    assert held is not None
    await provider.revoke_token(held)
    assert await provider.load_access_token(issued.access_token) is None
    assert open_grants(live) == 0
    live.sql("DELETE FROM clients")
    await provider.revoke_token(held)


async def test_stats_are_those_of_the_endpoint(provider: OAuthProvider, live: Live) -> None:
    await log_in(provider, live, await register(provider))
    shown = (await live.send("GET", "/oauth/stats")).json
    assert await provider.get_stats() == {**shown, "issuer_url": SERVER}
    assert (shown["clients"], shown["access_tokens"], shown["refresh_tokens"]) == (1, 1, 1)


async def test_identity_assertions_stay_unsupported(provider: OAuthProvider) -> None:
    with pytest.raises(TokenError) as refused:
        await provider.exchange_identity_assertion(await register(provider), IdentityAssertionParams(assertion="a.b.c"))
    assert refused.value.error == "unsupported_grant_type"


async def test_locked_database_costs_no_token(live: Live) -> None:
    settings = load_settings(server_url=SERVER, database_url=f"sqlite:///{live.database}")
    async with open_database(live.database, live.clock(), patience=0.2) as store:
        provider = OAuthProvider(store, settings, pages=live.url, clock=live.clock, entropy=os.urandom)
        client = await register(provider)
        issued = await log_in(provider, live, client)
        with closing(sqlite3.connect(live.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await refresh(provider, client, issued.refresh_token)
            with pytest.raises(AuthorizeError) as refused:
                await provider.authorize(client, request())
        assert refused.value.error == "temporarily_unavailable"
        assert (await refresh(provider, client, issued.refresh_token)).refresh_token
