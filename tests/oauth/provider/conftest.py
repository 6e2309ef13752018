"""The provider as the SDK calls it, on a real database; the pages are served beside it, and a script is the user."""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mcp.server.auth.provider import (
    AuthorizationParams,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

from server.library import open_provider
from server.oauth.provider import OAuthProvider
from server.settings import load_settings
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
