"""Access tokens, revocation, and what holds of the provider as a whole."""

import os
import sqlite3
from contextlib import closing

import pytest
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizeError,
    IdentityAssertionParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
)

from server.oauth.provider import OAuthProvider
from server.oauth.store import StoreUnavailable
from server.settings import load_settings
from server.storage.database import open_database
from tests.oauth.provider.conftest import SERVER, log_in, open_grants, refresh, register, request
from tests.support import Live


def test_it_is_a_provider_to_the_type_checker(provider: OAuthProvider) -> None:
    typed: OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken] = provider
    assert typed is provider


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
