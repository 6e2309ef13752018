"""POST /token by client credentials: a token without a user, for clients that the operator created (RFC 6749 4.4)."""

import re
from typing import Any

import pytest

from server.oauth.issue import ROUNDING
from tests.browser import App
from tests.conftest import Start
from tests.site import RSA, proof
from tests.support import REDIRECT_URI, START, Live

DISCOVERY = "/.well-known/oauth-authorization-server"


async def issued(live: Live, app: App, **fields: str) -> dict[str, Any]:
    answer = await live.post("/token", app, grant_type="client_credentials", **fields)
    assert answer.status == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    tokens: dict[str, Any] = answer.json
    return tokens


async def refused(live: Live, app: App, error: str, **fields: str) -> None:
    answer = await live.post("/token", app, grant_type="client_credentials", **fields)
    assert (answer.status, answer.json["error"]) == (400, error), answer.text


async def call(live: Live, token: str, tool: str) -> Any:
    answer = await live.call(tool, token)
    return answer.json["result"] if answer.status == 200 else answer.status


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_machine_gets_a_token_for_itself_and_no_refresh_token(live: Live, method: str) -> None:
    app = await live.create("read", method=method)
    tokens = await issued(live, app, resource=f"{live.url}/mcp")
    assert re.fullmatch("att_at_[0-9A-Za-z]{49}", tokens.pop("access_token"))
    assert tokens == {"token_type": "Bearer", "expires_in": 3600, "scope": "read"}
    assert live.sql("SELECT user_id, expires_at, client_id FROM grants") == [
        (None, START + 3600 + ROUNDING, app.client_id)
    ]
    assert live.sql("SELECT count(*) FROM refresh_tokens") == live.sql("SELECT count(*) FROM users") == [(0,)]
    assert live.sql("SELECT last_used_at FROM clients") == [(START,)]


async def test_a_machine_with_keys_signs_for_its_tokens(live: Live) -> None:
    app = await live.create("read", method="private_key_jwt", key_set={"jwks": {"keys": [RSA.public]}})
    form = {"grant_type": "client_credentials", **proof(RSA.sign(app.client_id, live.url))}
    answer = await live.send("POST", "/token", data=form)
    assert answer.status == 200, answer.text
    assert answer.json["scope"] == "read"
    unsigned = {"grant_type": "client_credentials", "client_id": app.client_id}
    for again in (form, unsigned):
        assert (await live.send("POST", "/token", data=again)).status == 401


@pytest.mark.parametrize(
    ("allowed", "asked", "granted"),
    [
        ((), "", "read"),
        ((), "read", "read"),
        (("read", "account"), "", "read"),
        (("read", "account"), "account", "account"),
        (("read", "account"), "account read offline_access", "account read"),
        (("account", "write"), "", "account write"),
    ],
)
async def test_it_gets_what_it_asks_for_of_what_it_may_have(
    live: Live, allowed: tuple[str, ...], asked: str, granted: str
) -> None:
    assert (await issued(live, await live.create(*allowed), scope=asked))["scope"] == granted


@pytest.mark.parametrize(("allowed", "asked"), [((), "write"), (("read",), "read write"), (("read",), "admin")])
async def test_more_than_it_may_have_is_refused(live: Live, allowed: tuple[str, ...], asked: str) -> None:
    await refused(live, await live.create(*allowed), "invalid_scope", scope=asked)
    assert live.sql("SELECT count(*) FROM grants") == [(0,)]


async def test_what_its_scopes_imply_may_be_asked_for_and_nothing_wider(start: Start) -> None:
    async with start(oauth_scope_implies="write>read") as live:
        app = await live.create("write")
        assert (await issued(live, app, scope="read"))["scope"] == "read"
        assert (await issued(live, app))["scope"] == "write"
        await refused(live, app, "invalid_scope", scope="payment")
        await refused(live, await live.create("read"), "invalid_scope", scope="write")


async def test_another_resource_is_refused(live: Live) -> None:
    await refused(live, await live.create(), "invalid_target", resource="https://elsewhere.example/mcp")


async def test_a_wrong_secret_is_refused(live: Live) -> None:
    app = await live.create()
    wrong = App({**app.registration, "client_secret": "att_cs_wrong"})
    answer = await live.post("/token", wrong, grant_type="client_credentials")
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


async def test_a_client_that_registered_itself_is_refused_even_with_the_grant_type(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    await refused(live, app, "unauthorized_client")
    live.sql("""UPDATE clients SET grant_types = '["client_credentials"]'""")
    await refused(live, app, "unauthorized_client")


async def test_a_client_without_a_secret_is_refused_whoever_made_it(live: Live) -> None:
    app = await live.create()
    live.sql("UPDATE clients SET token_endpoint_auth_method = 'none'")
    await refused(live, App({**app.registration, "token_endpoint_auth_method": "none"}), "unauthorized_client")


async def test_the_metadata_names_the_grant_while_somebody_may_use_it(live: Live) -> None:
    async def named() -> bool:
        return "client_credentials" in (await live.send("GET", DISCOVERY)).json["grant_types_supported"]

    await live.register(token_endpoint_auth_method="client_secret_basic")
    assert not await named()
    app = await live.create()
    assert await named()
    live.sql("DELETE FROM clients WHERE client_id = ?", app.client_id)
    assert not await named()


async def test_introspection_names_the_client_and_no_user(live: Live) -> None:
    app = await live.create()
    token = (await issued(live, app))["access_token"]
    assert await live.introspect(app, token) == {
        "active": True,
        "scope": "read",
        "client_id": app.client_id,
        "token_type": "Bearer",
        "exp": START + 3600 + ROUNDING,
        "iat": START,
        "sub": app.client_id,
        "aud": f"{live.url}/mcp",
        "iss": live.url,
    }


async def test_the_token_opens_tools_and_those_about_a_user_say_that_there_is_none(live: Live) -> None:
    token = (await issued(live, await live.create("read", "account"), scope="read account"))["access_token"]
    plans = await call(live, token, "att-plans-list")
    assert not plans.get("isError"), plans
    accounts = await call(live, token, "att-account-summary")
    assert accounts["isError"]
    assert "belongs to an application" in accounts["content"][0]["text"]
    assert live.sql("SELECT count(*) FROM accounts") == [(0,)]


@pytest.mark.parametrize(
    "ending",
    [
        "DELETE FROM clients",
        "DELETE FROM grants",
        "DELETE FROM access_tokens",
        "UPDATE grants SET revoked_at = 1",
        "UPDATE grants SET expires_at = 1",
        "UPDATE access_tokens SET revoked_at = 1",
        "UPDATE grants SET user_id = 'nobody'",
    ],
)
async def test_it_is_over_with_its_row_its_grant_or_its_client(live: Live, ending: str) -> None:
    token = (await issued(live, await live.create()))["access_token"]
    assert (await call(live, token, "att-plans-list")) != 401
    live.sql(ending)
    assert (await call(live, token, "att-plans-list")) == 401


async def test_users_have_no_say_in_it(live: Live) -> None:
    token = (await issued(live, await live.create()))["access_token"]
    held = await live.log_in(await live.register())
    live.sql("UPDATE users SET disabled_at = 1")
    assert (await call(live, held["access_token"], "att-plans-list")) == 401
    assert (await call(live, token, "att-plans-list")) != 401
    assert (await live.send("GET", "/oauth/stats")).json["access_tokens"] == 1
    live.sql("DELETE FROM users")
    assert (await call(live, token, "att-plans-list")) != 401


async def test_it_is_revoked_by_its_client_and_ends_in_time(live: Live) -> None:
    app = await live.create()
    first, second = [(await issued(live, app))["access_token"] for _ in range(2)]
    assert (await live.post("/revoke", app, token=first)).status == 200
    assert [await live.is_active(app, token) for token in (first, second)] == [False, True]
    live.clock.advance(3600 + ROUNDING)
    assert not await live.is_active(app, second)


async def test_a_static_client_sends_users_too_and_is_not_called_unverified(live: Live) -> None:
    app = await live.create("read", redirect_uris=(REDIRECT_URI,))
    page = await live.browser().open_page(app, scope="read account")
    assert "Unverified application" not in page.shown.text
    tokens = await live.exchange(app, (await page.approve()).returned["code"], page.verifier)
    assert tokens.json["scope"] == "read account"
    assert (await live.refresh(app, tokens.json["refresh_token"])).status == 200
    assert "Unverified application" in (await live.browser().open_page(await live.register())).shown.text


async def test_a_machine_has_no_way_to_send_users(live: Live) -> None:
    app = await live.create()
    asked = {"response_type": "code", "redirect_uri": REDIRECT_URI}
    answer, _ = await live.browser().authorize(App({**app.registration, "redirect_uris": [REDIRECT_URI]}), **asked)
    assert answer.status == 400
    code = await live.post("/token", app, grant_type="authorization_code", code="x", code_verifier="x" * 43)
    assert code.json["error"] == "unauthorized_client"
