"""Client authentication: by the registered method and no other (RFC 6749 section 2.3)."""

import pytest

from server.oauth import authentication, clients
from server.oauth.authentication import Credentials
from server.oauth.context import Context
from server.oauth.errors import InvalidClient

METHODS = ["none", "client_secret_post", "client_secret_basic"]
PLACES = ["nowhere", "body", "header", "both"]
WORKS = {("none", "nowhere"), ("client_secret_post", "body"), ("client_secret_basic", "header")}


async def registered(method: str, ctx: Context) -> tuple[str, str]:
    metadata = {"redirect_uris": ["https://a.example/"], "token_endpoint_auth_method": method}
    answer = await clients.register(metadata, ctx)
    return str(answer["client_id"]), str(answer.get("client_secret", "made-up"))


def brought(place: str, client_id: str, secret: str) -> Credentials:
    return Credentials(
        basic=(client_id, secret) if place in {"header", "both"} else None,
        client_id=client_id,
        client_secret=secret if place in {"body", "both"} else None,
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", PLACES)
async def test_only_the_registered_method_authenticates(ctx: Context, method: str, place: str) -> None:
    client_id, secret = await registered(method, ctx)
    if (method, place) in WORKS:
        assert (await authentication.authenticate(brought(place, client_id, secret), None, ctx))[
            0
        ].client_id == client_id
    else:
        with pytest.raises(InvalidClient, match=f"registered for {method}"):
            await authentication.authenticate(brought(place, client_id, secret), None, ctx)


@pytest.mark.parametrize(("method", "place"), sorted(WORKS - {("none", "nowhere")}))
async def test_a_wrong_secret_does_not(ctx: Context, method: str, place: str) -> None:
    client_id, secret = await registered(method, ctx)
    _, anothers = await registered(method, ctx)
    for wrong in (secret[:-1], secret + "x", secret.upper(), anothers):
        with pytest.raises(InvalidClient, match="secret is wrong"):
            await authentication.authenticate(brought(place, client_id, wrong), None, ctx)


async def test_an_empty_secret_in_the_header_is_wrong(ctx: Context) -> None:
    client_id, _ = await registered("client_secret_basic", ctx)
    with pytest.raises(InvalidClient, match="secret is wrong"):
        await authentication.authenticate(Credentials(basic=(client_id, "")), None, ctx)


async def test_a_public_client_that_sends_an_empty_header_is_refused(ctx: Context) -> None:
    client_id, _ = await registered("none", ctx)
    with pytest.raises(InvalidClient):
        await authentication.authenticate(Credentials(basic=(client_id, "")), None, ctx)


async def test_a_client_that_was_kept_without_a_secret_cannot_use_one(ctx: Context) -> None:
    client_id, _ = await registered("none", ctx)
    kept = await ctx.store.get_client(client_id)
    assert kept is not None
    assert kept.secret_digest is None


@pytest.mark.parametrize("credentials", [Credentials(), Credentials(client_secret="x"), Credentials(basic=("", "x"))])
async def test_a_request_that_names_no_client_is_refused(ctx: Context, credentials: Credentials) -> None:
    with pytest.raises(InvalidClient, match="names no client"):
        await authentication.authenticate(credentials, None, ctx)


async def test_an_unknown_client_is_told_to_register_again(ctx: Context) -> None:
    with pytest.raises(InvalidClient, match="register it again"):
        await authentication.authenticate(Credentials(client_id="att_cl_gone"), None, ctx)


async def test_header_and_body_must_name_the_same_client(ctx: Context) -> None:
    client_id, secret = await registered("client_secret_basic", ctx)
    other, _ = await registered("none", ctx)
    good = Credentials(basic=(client_id, secret), client_id=client_id)
    assert (await authentication.authenticate(good, None, ctx))[0].client_id == client_id
    with pytest.raises(InvalidClient, match="different clients"):
        await authentication.authenticate(Credentials(basic=(client_id, secret), client_id=other), None, ctx)
