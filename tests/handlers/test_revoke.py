"""POST /revoke and /introspect: each client's own tokens and nobody else's (RFC 7009, RFC 7662)."""

import pytest

from server.oauth.issue import ROUNDING
from tests.browser import basic
from tests.support import START, Live

METHODS = ["none", "client_secret_post", "client_secret_basic"]
INACTIVE = {"active": False}


@pytest.mark.parametrize("method", METHODS)
async def test_an_active_token_is_described_to_its_client(live: Live, method: str) -> None:
    app = await live.register(token_endpoint_auth_method=method)
    tokens = await live.log_in(app, scope="read account")
    common = {
        "active": True,
        "scope": "read account",
        "client_id": app.client_id,
        "iat": START,
        "sub": "demo",
        "aud": f"{live.url}/mcp",
        "iss": live.url,
    }
    access = {**common, "username": "demo", "token_type": "Bearer", "exp": START + 3_600 + ROUNDING}
    assert await live.introspect(app, tokens["access_token"]) == access
    assert await live.introspect(app, tokens["refresh_token"]) == {**common, "exp": START + 86_400}


async def test_answers_are_not_to_be_stored(live: Live) -> None:
    app = await live.register()
    for path in ("/introspect", "/revoke"):
        assert (await live.post(path, app, token="x")).headers["Cache-Control"] == "no-store"


async def test_a_token_that_is_anothers_or_not_active_is_exactly_inactive(live: Live) -> None:
    app, other = await live.register(), await live.register()
    tokens = await live.log_in(app)
    for token in (tokens["access_token"], tokens["refresh_token"], "x", "att_at_" + "0" * 49, "\x00", "é"):
        assert await live.introspect(other, token) == INACTIVE
    live.clock.advance(3_600 + ROUNDING)
    assert await live.introspect(app, tokens["access_token"]) == INACTIVE
    assert (await live.introspect(app, tokens["refresh_token"]))["active"] is True
    live.clock.advance(86_400)
    assert await live.introspect(app, tokens["refresh_token"]) == INACTIVE


async def test_a_code_is_no_token(live: Live) -> None:
    app = await live.register()
    code = (await (await live.browser().open_page(app)).approve()).returned["code"]
    assert await live.introspect(app, code) == INACTIVE


async def test_a_hint_may_be_wrong_or_unknown(live: Live) -> None:
    app = await live.register()
    tokens = await live.log_in(app)
    for hint in ("refresh_token", "unknown"):
        answer = await live.post("/introspect", app, token=tokens["access_token"], token_type_hint=hint)
        assert answer.json["active"] is True
        answer = await live.post("/revoke", app, token=tokens["access_token"], token_type_hint=hint)
        assert answer.status == 200
        tokens = await live.log_in(app)


@pytest.mark.parametrize("method", METHODS)
async def test_revoking_a_refresh_token_ends_the_family(live: Live, method: str) -> None:
    app = await live.register(token_endpoint_auth_method=method)
    first = await live.log_in(app)
    second = (await live.refresh(app, first["refresh_token"])).json
    other_family = await live.log_in(app)
    answer = await live.post("/revoke", app, token=second["refresh_token"])
    assert (answer.status, answer.text) == (200, "{}")
    for token in (first["access_token"], second["access_token"], second["refresh_token"]):
        assert not await live.is_active(app, token)
    assert (await live.refresh(app, second["refresh_token"])).json["error"] == "invalid_grant"
    assert await live.is_active(app, other_family["access_token"])


async def test_revoking_a_refresh_token_that_was_used_ends_the_family_too(live: Live) -> None:
    app = await live.register()
    first = await live.log_in(app)
    second = (await live.refresh(app, first["refresh_token"])).json
    await live.post("/revoke", app, token=first["refresh_token"])
    assert not await live.is_active(app, second["access_token"])


async def test_revoking_an_access_token_ends_that_token_only(live: Live) -> None:
    app = await live.register()
    first = await live.log_in(app)
    second = (await live.refresh(app, first["refresh_token"])).json
    assert (await live.post("/revoke", app, token=first["access_token"])).status == 200
    assert not await live.is_active(app, first["access_token"])
    assert await live.is_active(app, second["access_token"])
    assert (await live.refresh(app, second["refresh_token"])).status == 200


async def test_anything_else_is_200_and_does_nothing(live: Live) -> None:
    app, thief = await live.register(), await live.register()
    tokens = await live.log_in(app)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert (await live.post("/revoke", thief, token=token)).status == 200
        assert await live.is_active(app, token)
    for token in ("x", "att_rt_" + "0" * 49, "\x00", "é" * 100):
        assert (await live.post("/revoke", app, token=token)).status == 200
    await live.post("/revoke", app, token=tokens["access_token"])
    assert (await live.post("/revoke", app, token=tokens["access_token"])).status == 200


@pytest.mark.parametrize("path", ["/revoke", "/introspect"])
async def test_both_need_the_clients_registered_method_and_a_token(live: Live, path: str) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    tokens = await live.log_in(app)
    form = {"token": tokens["access_token"]}
    secret = app.registration["client_secret"]
    for fields, headers in (
        (form, {}),
        ({**form, "client_id": app.client_id}, {}),
        ({**form, "client_id": app.client_id, "client_secret": secret}, {}),
        (form, basic(app.client_id, "wrong")),
        (form, {"Authorization": f"Bearer {tokens['access_token']}"}),
    ):
        answer = await live.send("POST", path, data=fields, headers=headers)
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert await live.is_active(app, tokens["access_token"])
    answer = await live.post(path, app)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
