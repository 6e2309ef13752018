"""Clients that the provider registers and knows."""

from typing import Any

import pytest
from mcp.server.auth.provider import (
    AuthorizeError,
    RegistrationError,
)
from pydantic import AnyUrl

from server.library import open_provider
from server.oauth.provider import OAuthProvider
from server.settings import load_settings
from tests.oauth.provider.conftest import SERVER, register, request
from tests.support import REDIRECT_URI, Live


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
