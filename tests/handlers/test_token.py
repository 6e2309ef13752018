"""POST /token with a code: what it yields, what it is bound to, and what a replay does."""

import asyncio
import re
from typing import Any

import pytest

from tests.browser import Answer, App, Page, basic
from tests.conftest import Start
from tests.support import Live

METHODS = ["none", "client_secret_post", "client_secret_basic"]


async def approved(live: Live, app: App, **parameters: str) -> tuple[str, Page]:
    page = await live.browser().open_page(app, **parameters)
    return (await page.approve()).returned["code"], page


def refused(answer: Answer, error: str = "invalid_grant", status: int = 400) -> bool:
    assert (answer.status, answer.json["error"]) == (status, error), answer.text
    assert set(answer.json) == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"
    return True


@pytest.mark.parametrize("method", METHODS)
async def test_a_code_yields_tokens_for_a_client_of_every_method(live: Live, method: str) -> None:
    app = await live.register(token_endpoint_auth_method=method)
    code, page = await approved(live, app, scope="read write")
    answer = await live.exchange(app, code, page.verifier, redirect_uri=app.redirect_uri, resource=f"{live.url}/mcp")
    assert answer.status == 200
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    tokens: dict[str, Any] = answer.json
    assert re.fullmatch("att_at_[0-9A-Za-z]{49}", tokens.pop("access_token"))
    assert re.fullmatch("att_rt_[0-9A-Za-z]{49}", tokens.pop("refresh_token"))
    assert tokens == {"token_type": "Bearer", "expires_in": 3600, "scope": "read write"}


async def test_only_digests_of_codes_and_tokens_are_stored(live: Live) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    tokens = (await live.exchange(app, code, page.verifier)).json
    live.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = b"".join(file.read_bytes() for file in live.database.parent.glob("server.db*"))
    for secret in (code, tokens["access_token"], tokens["refresh_token"], page.verifier):
        assert secret.encode() not in stored
        assert secret[:16].encode() not in stored


@pytest.mark.parametrize("scope", ["", "read", " read", "read  read"])
async def test_what_was_granted_is_always_returned(live: Live, scope: str) -> None:
    assert (await live.log_in(await live.register(), scope=scope))["scope"] == "read"


async def test_the_whole_list_of_scopes_may_be_asked_for(live: Live) -> None:
    document = (await live.send("GET", "/.well-known/oauth-authorization-server")).json
    tokens = await live.log_in(await live.register(), scope=" ".join(document["scopes_supported"]))
    assert tokens["scope"] == "read write payment account"


@pytest.mark.parametrize("scope", ["read", "read offline_access"])
@pytest.mark.parametrize(
    ("grants", "refreshable"),
    [(..., True), (["authorization_code", "refresh_token"], True), (["authorization_code"], False)],
)
async def test_who_registered_the_refresh_grant_or_no_list_gets_a_refresh_token(
    live: Live, scope: str, grants: Any, *, refreshable: bool
) -> None:
    tokens = await live.log_in(await live.register(grant_types=grants), scope=scope)
    assert ("refresh_token" in tokens) is refreshable


@pytest.mark.parametrize("path", ["/mcp", "", "/", "/mcp/"])
async def test_every_form_of_the_resource_gives_the_same_audience(live: Live, path: str) -> None:
    app = await live.register()
    code, page = await approved(live, app, resource=live.url + path)
    tokens = (
        await live.exchange(app, code, page.verifier, resource=live.url.upper().replace("HTTP", "http") + path)
    ).json
    assert (await live.introspect(app, tokens["access_token"]))["aud"] == f"{live.url}/mcp"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"code": "att_ac_x"}, "invalid_grant"),
        ({"redirect_uri": "https://assistant.example/other"}, "invalid_grant"),
        ({"resource": "https://evil.example"}, "invalid_target"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_all_checks_pass_before_the_code_is_used(live: Live, changed: dict[str, str], error: str) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    good = {"grant_type": "authorization_code", "code": code, "code_verifier": page.verifier}
    assert refused(await live.post("/token", app, **{**good, **changed}), error)
    assert (await live.post("/token", app, **good)).status == 200


async def test_the_redirect_uri_must_be_the_very_one_that_was_used(live: Live) -> None:
    app = await live.register(redirect_uris=["http://localhost:1/callback"])
    code, page = await approved(live, app, redirect_uri="http://localhost:2/callback")
    for other in ("http://localhost:1/callback", "http://localhost:3/callback"):
        assert refused(await live.exchange(app, code, page.verifier, redirect_uri=other))
    assert (await live.exchange(app, code, page.verifier, redirect_uri="http://localhost:2/callback")).status == 200


async def test_a_code_is_good_for_its_client_only(live: Live) -> None:
    app, thief = await live.register(), await live.register()
    code, page = await approved(live, app)
    assert refused(await live.exchange(thief, code, page.verifier))
    tokens = (await live.exchange(app, code, page.verifier)).json
    assert refused(await live.exchange(thief, code, page.verifier))
    assert await live.is_active(app, tokens["access_token"])


async def test_a_code_is_good_for_its_resource_only(live: Live) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    for audience, status in (("https://former.example/mcp", 400), (f"{live.url}/mcp", 200)):
        live.sql("UPDATE authorization_codes SET audience = ?", audience)
        assert (await live.exchange(app, code, page.verifier)).status == status


@pytest.mark.parametrize(("waited", "status"), [(599, 200), (600, 400)])
async def test_a_code_expires(live: Live, waited: int, status: int) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    live.clock.advance(waited)
    assert (await live.exchange(app, code, page.verifier)).status == status


async def test_a_replayed_code_revokes_its_tokens(live: Live) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    first = (await live.exchange(app, code, page.verifier)).json
    second = (await live.refresh(app, first["refresh_token"])).json
    assert refused(await live.exchange(app, code, page.verifier))
    for token in (first["access_token"], second["access_token"], second["refresh_token"]):
        assert not await live.is_active(app, token)
    assert refused(await live.refresh(app, second["refresh_token"]))


async def test_a_replay_after_the_code_expired_revokes_too(live: Live) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    tokens = (await live.exchange(app, code, page.verifier)).json
    live.clock.advance(700)
    assert refused(await live.exchange(app, code, page.verifier))
    assert not await live.is_active(app, tokens["access_token"])


async def test_parallel_exchanges_of_one_code_have_one_winner_and_revoke_its_tokens(live: Live) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    answers = await asyncio.gather(*(live.exchange(app, code, page.verifier) for _ in range(8)))
    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1
    assert all(refused(answer) for answer in answers if answer.status != 200)
    assert live.sql("SELECT count(*) FROM grants") == [(1,)]
    assert not await live.is_active(app, won[0].json["access_token"])


@pytest.mark.parametrize("table", ["users", "authorization_codes"])
async def test_a_code_whose_row_or_user_was_deleted_is_over(live: Live, table: str) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    live.sql(f"DELETE FROM {table}")  # noqa: S608 - the table's name is the test's own
    assert refused(await live.exchange(app, code, page.verifier))


async def test_a_client_must_be_known_and_prove_itself(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    code, page = await approved(live, app)
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": page.verifier}
    wrong = [
        (form, {}),
        ({**form, "client_id": app.client_id}, {}),
        ({**form, "client_id": app.client_id, "client_secret": app.registration["client_secret"]}, {}),
        ({**form, "client_id": "unknown"}, {}),
        (form, basic(app.client_id, "wrong")),
        (form, basic("unknown", "wrong")),
    ]
    for fields, headers in wrong:
        answer = await live.send("POST", "/token", data=fields, headers=headers)
        assert refused(answer, "invalid_client", 401)
        assert ("WWW-Authenticate" in answer.headers) is bool(headers)
        assert not headers or answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert (await live.exchange(app, code, page.verifier)).status == 200


async def test_a_public_client_with_a_secret_is_refused(live: Live) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    assert refused(await live.exchange(app, code, page.verifier, client_secret="made-up"), "invalid_client", 401)


async def test_basic_credentials_are_form_urlencoded_within(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    encoded = "".join(f"%{ord(character):02x}" for character in app.client_id)
    headers = basic(encoded, app.registration["client_secret"])
    answer = await live.send(
        "POST", "/token", data={"grant_type": "refresh_token", "refresh_token": "x"}, headers=headers
    )
    assert refused(answer)


@pytest.mark.parametrize("name", ["grant_type", "code", "code_verifier", "client_id", "redirect_uri", "unknown"])
async def test_a_repeated_parameter_is_refused(live: Live, name: str) -> None:
    app = await live.register()
    fields = [("client_id", app.client_id), ("grant_type", "authorization_code"), (name, "x"), (name, "x")]
    answer = await live.send("POST", "/token", data=fields)
    assert refused(answer, "invalid_request")
    assert name in answer.json["error_description"]


async def test_resource_alone_may_be_repeated(live: Live) -> None:
    app = await live.register()
    code, page = await approved(live, app)
    fields = {"client_id": app.client_id, "grant_type": "authorization_code", "code": code}
    both = [("resource", live.url), ("resource", f"{live.url}/mcp"), ("code_verifier", page.verifier)]
    assert (await live.send("POST", "/token", data=[*fields.items(), *both])).status == 200


async def test_a_client_registered_without_refresh_cannot_use_that_grant(live: Live) -> None:
    app = await live.register(grant_types=["authorization_code"])
    assert refused(await live.refresh(app, "x"), "unauthorized_client")


@pytest.mark.parametrize(("max_age", "expires_in"), [(0, 3600), (1_000, 1_000), (5_000, 3600)])
async def test_a_token_ends_with_its_grant_at_the_latest(start: Start, max_age: int, expires_in: int) -> None:
    async with start(oauth_grant_max_age=max_age) as live:
        assert (await live.log_in(await live.register()))["expires_in"] == expires_in
