"""The authorization endpoint's checks, one by one and in their order."""

import os
from typing import Any

import pytest

from server.oauth import authorize, clients, tokens
from server.oauth.context import Context
from server.oauth.errors import OAuthError, PageError, RedirectError
from server.oauth.model import Client
from server.oauth.parameters import Parameters
from tests.browser import challenge

HTTPS = "https://assistant.example/callback"
LOOPBACK = "http://localhost:8787/callback"
CHALLENGE = challenge("v" * 43)
ASKED = {
    "response_type": "code",
    "redirect_uri": HTTPS,
    "state": "some-state",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
BROWSER = os.urandom(32).hex()

TO_THE_CLIENT: list[tuple[dict[str, str], str]] = [
    ({"response_type": ""}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"response_mode": "form_post"}, "invalid_request"),
    ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "https://a.example/r"}, "request_uri_not_supported"),
    ({"code_challenge": ""}, "invalid_request"),
    ({"code_challenge": "a" * 42}, "invalid_request"),
    ({"code_challenge": "a" * 129}, "invalid_request"),
    ({"code_challenge": "a" * 42 + "="}, "invalid_request"),
    ({"code_challenge_method": ""}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": "s256"}, "invalid_request"),
    ({"scope": "admin"}, "invalid_scope"),
    ({"resource": "https://evil.example/mcp"}, "invalid_target"),
    ({"prompt": "none"}, "login_required"),
    ({"prompt": "none login"}, "invalid_request"),
]
TO_THE_PERSON: list[dict[str, str]] = [
    {"client_id": ""},
    {"client_id": "unknown"},
    {"redirect_uri": ""},
    {"redirect_uri": "https://evil.example/callback"},
    {"redirect_uri": HTTPS + "/"},
    {"redirect_uri": "javascript:alert(1)"},
]


@pytest.fixture
async def client(ctx: Context) -> Client:
    metadata = {"redirect_uris": [HTTPS, LOOPBACK], "token_endpoint_auth_method": "none"}
    found = await ctx.store.get_client(str((await clients.register(metadata, ctx))["client_id"]))
    assert found is not None
    return found


def parameters(client: Client, *more: tuple[str, str], **changed: str) -> Parameters:
    asked = {"client_id": client.client_id, **ASKED, **changed}
    return Parameters([*asked.items(), *more])


async def refusal(params: Parameters, ctx: Context) -> OAuthError:
    with pytest.raises(RedirectError) as caught:
        await authorize.begin(params, BROWSER, ctx)
    assert (caught.value.redirect_uri, caught.value.state) == (HTTPS, "some-state")
    return caught.value.error


async def test_a_good_request_is_kept_under_a_handle_of_which_only_a_digest_is_stored(
    ctx: Context, client: Client
) -> None:
    handle = await authorize.begin(parameters(client, scope="write read"), BROWSER, ctx)
    assert len(bytes.fromhex(handle)) == 32
    kept = await ctx.store.get_authorization_request(tokens.digest(handle))
    assert kept is not None
    assert (kept.client_id, kept.redirect_uri, kept.state) == (client.client_id, HTTPS, "some-state")
    assert (kept.scopes, kept.audience) == (("write", "read"), ctx.settings.resource)
    assert (kept.code_challenge, kept.browser_digest) == (CHALLENGE, tokens.digest(BROWSER))
    assert (kept.created_at, kept.expires_at, kept.decided_at) == (ctx.now, ctx.now + 600, None)


@pytest.mark.parametrize(("changed", "code"), TO_THE_CLIENT)
async def test_what_is_wrong_goes_back_to_the_client(
    ctx: Context, client: Client, changed: dict[str, str], code: str
) -> None:
    error = await refusal(parameters(client, **changed), ctx)
    assert error.code == code
    assert error.description.isascii()
    assert not {'"', "\\"} & set(error.description)


@pytest.mark.parametrize("wrong", TO_THE_PERSON)
@pytest.mark.parametrize("also", [{}, {"response_type": "token"}, {"scope": "admin"}, {"request": "x"}])
async def test_nothing_goes_back_before_client_and_redirect_uri_are_good(
    ctx: Context, client: Client, wrong: dict[str, str], also: dict[str, str]
) -> None:
    with pytest.raises(PageError) as caught:
        await authorize.begin(parameters(client, **wrong, **also), BROWSER, ctx)
    assert caught.value.status == 400


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
async def test_nothing_goes_back_when_client_or_redirect_uri_is_repeated(
    ctx: Context, client: Client, name: str
) -> None:
    with pytest.raises(PageError):
        await authorize.begin(parameters(client, (name, "x")), BROWSER, ctx)


@pytest.mark.parametrize("name", ["scope", "response_type", "code_challenge", "prompt", "unknown"])
async def test_any_other_repeated_parameter_goes_back(ctx: Context, client: Client, name: str) -> None:
    error = await refusal(parameters(client, (name, "x"), (name, "x")), ctx)
    assert (error.code, name in error.description) == ("invalid_request", True)


async def test_a_repeated_state_is_not_sent_back(ctx: Context, client: Client) -> None:
    with pytest.raises(RedirectError) as caught:
        await authorize.begin(parameters(client, ("state", "other")), BROWSER, ctx)
    assert caught.value.state is None


async def test_a_resource_may_be_repeated_if_each_is_this_server(ctx: Context, client: Client) -> None:
    ours = ("resource", ctx.settings.resource)
    assert await authorize.begin(parameters(client, ours, ("resource", ctx.settings.server_url)), BROWSER, ctx)
    error = await refusal(parameters(client, ours, ("resource", "https://evil.example")), ctx)
    assert error.code == "invalid_target"


@pytest.mark.parametrize(
    "changed", [{"response_mode": "query"}, {"prompt": "consent"}, {"prompt": "login"}, {"nonce": "n"}, {"state": ""}]
)
async def test_harmless_parameters_are_taken(ctx: Context, client: Client, changed: dict[str, str]) -> None:
    assert await authorize.begin(parameters(client, **changed), BROWSER, ctx)


async def test_a_loopback_redirect_uri_is_kept_with_the_port_that_was_sent(ctx: Context, client: Client) -> None:
    sent = LOOPBACK.replace("8787", "50123")
    handle = await authorize.begin(parameters(client, redirect_uri=sent), BROWSER, ctx)
    kept = await ctx.store.get_authorization_request(tokens.digest(handle))
    assert kept is not None
    assert kept.redirect_uri == sent


@pytest.mark.parametrize(("uris", "kept"), [([HTTPS], True), ([HTTPS, LOOPBACK], False)])
async def test_the_redirect_uri_may_be_left_out_when_just_one_is_registered(
    ctx: Context, uris: list[str], *, kept: bool
) -> None:
    answer: dict[str, Any] = await clients.register({"redirect_uris": uris, "token_endpoint_auth_method": "none"}, ctx)
    asked = Parameters(list({**ASKED, "client_id": answer["client_id"], "redirect_uri": ""}.items()))
    if kept:
        assert await authorize.begin(asked, BROWSER, ctx)
    else:
        with pytest.raises(PageError, match="redirect_uri"):
            await authorize.begin(asked, BROWSER, ctx)


async def test_what_a_client_registered_does_not_cap_what_it_may_ask_for(ctx: Context) -> None:
    answer: dict[str, Any] = await clients.register({"redirect_uris": [HTTPS], "scope": "read"}, ctx)
    asked = Parameters(list({**ASKED, "client_id": answer["client_id"], "scope": "account write"}.items()))
    kept = await ctx.store.get_authorization_request(tokens.digest(await authorize.begin(asked, BROWSER, ctx)))
    assert kept is not None
    assert kept.scopes == ("account", "write")
