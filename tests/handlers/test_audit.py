"""The audit log over HTTP: what is noted of each thing that happens, and that no secret ever is."""

from typing import Any, NoReturn

import pytest
from aiohttp import web

from server.identity import Waiting
from server.oauth.model import AuthorizationRequest, User, Visitor
from tests.browser import basic
from tests.conftest import Start
from tests.site import OTHER, RSA, proof, publish
from tests.support import REDIRECT_URI, START, Live

HERE = "127.0.0.1"
FAILED = "client_authentication_failed"
TOKEN = "registration_access_token"


def noted(live: Live) -> list[tuple[str, str | None, str | None, str | None, str | None]]:
    """Give kind, client, user, grant and detail of each event."""
    assert set(live.sql("SELECT DISTINCT address FROM audit_log")) <= {(HERE,)}
    return live.sql("SELECT event, client_id, user_id, grant_id, detail FROM audit_log ORDER BY id")


async def test_a_registration_is_noted_with_its_time(live: Live) -> None:
    live.clock.advance(7)
    app = await live.register(client_name="Example")
    assert noted(live) == [("client_registered", app.client_id, None, None, "Example")]
    assert live.sql("SELECT time FROM audit_log") == [(START + 7,)]


async def test_a_refused_registration_is_not_one(live: Live) -> None:
    await live.send("POST", "/register", json={"redirect_uris": ["javascript:alert(1)"]})
    assert noted(live) == []


async def test_a_decision_is_noted(live: Live) -> None:
    app = await live.register()
    page = await live.browser().open_page(app, scope="read account")
    await page.approve(["read"])
    await page.approve(["read"])
    await (await live.browser().open_page(app, scope="read account")).deny()
    await (await live.browser().open_page(app)).approve([])
    assert noted(live)[1:] == [
        ("consent_given", app.client_id, "demo", None, "read"),
        ("consent_denied", app.client_id, "demo", None, "read account"),
        ("consent_denied", app.client_id, "demo", None, "read"),
    ]


class Ada:
    """Signs Ada in, always."""

    everyone = None

    async def visitor(self, _http: web.Request, _asked: AuthorizationRequest) -> Visitor:
        return Visitor(User("ada", "https://login.example", "ada"), signed_in=True)

    async def challenge(self, _http: web.Request, _waiting: Waiting | None) -> NoReturn:
        raise AssertionError("Ada is signed in")


async def test_a_decision_that_was_remembered_is_noted_as_one(start: Start) -> None:
    async with start(identity=Ada()) as live:
        app, browser = await live.register(), live.browser()
        await (await browser.open_page(app, scope="read account")).approve()
        answer, _ = await browser.authorize(app, scope="read")
        assert "code" in (await browser.send("GET", answer.location)).returned
    assert noted(live)[1:] == [
        ("consent_given", app.client_id, "ada", None, "read account"),
        ("consent_remembered", app.client_id, "ada", None, "read"),
    ]


async def test_a_client_that_manages_its_registration_is_noted(live: Live) -> None:
    app = await live.register(client_name="Before")
    path, headers = f"/register/{app.client_id}", {"Authorization": f"Bearer {app.registration[TOKEN]}"}
    told = {"client_id": app.client_id, "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    for method, body, status in (
        ("GET", None, 200),
        ("PUT", {**told, "client_name": "After"}, 200),
        ("DELETE", None, 204),
    ):
        assert (await live.send(method, path, headers=headers, json=body)).status == status
    assert noted(live)[1:] == [
        ("client_updated", app.client_id, None, None, "After"),
        ("client_deleted", app.client_id, None, None, "After"),
    ]


async def test_a_client_that_a_document_describes_is_noted_when_it_comes_and_when_it_changes(start: Start) -> None:
    elsewhere = [REDIRECT_URI, "https://elsewhere.example/"]
    documents: list[dict[str, Any]] = [
        {},
        {},
        {"redirect_uris": elsewhere},
        {"redirect_uris": elsewhere, "client_uri": "https://a.example"},
        {"client_name": "Renamed"},
        {"client_name": "Renamed", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [RSA.public]}},
        {"client_name": "Renamed", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [OTHER.public]}},
    ]
    async with publish() as site, start(oauth_cimd_dev_origins=site.origin) as live:
        for document in documents:
            await live.browser().open_page(site.describe(**document))
            live.clock.advance(86_400)
        assert len(site.asked) == len(documents)
    assert noted(live) == [
        (event, site.client_id, None, None, name)
        for event, name in [
            ("client_registered", "Example Assistant"),
            ("client_updated", "Example Assistant"),
            ("client_updated", "Renamed"),
            ("client_updated", "Renamed"),
            ("client_updated", "Renamed"),
        ]
    ]


async def test_the_life_of_a_grant_is_noted(live: Live) -> None:
    app = await live.register()
    tokens = await live.log_in(app, scope="read account")
    ((grant,),) = live.sql("SELECT grant_id FROM grants")
    second = (await live.refresh(app, tokens["refresh_token"], scope="read")).json
    await live.refresh(app, tokens["refresh_token"])
    await live.post("/revoke", app, token=second["access_token"])
    await live.post("/revoke", app, token=second["access_token"])
    await live.post("/revoke", app, token=second["refresh_token"])
    await live.post("/revoke", app, token=second["refresh_token"])
    assert noted(live)[2:] == [
        ("tokens_issued", app.client_id, "demo", grant, "read account"),
        ("tokens_refreshed", app.client_id, "demo", grant, "read"),
        ("tokens_refreshed", app.client_id, "demo", grant, "read account; repeated within the grace"),
        ("access_token_revoked", app.client_id, "demo", grant, "by its client"),
        ("grant_revoked", app.client_id, "demo", grant, "by its client"),
    ]


async def test_reuse_is_noted(live: Live) -> None:
    app = await live.register()
    page = await live.browser().open_page(app)
    code = (await page.approve()).returned["code"]
    await live.exchange(app, code, page.verifier)
    await live.exchange(app, code, page.verifier)
    tokens = await live.log_in(app)
    await live.refresh(app, tokens["refresh_token"])
    live.clock.advance(200)
    await live.refresh(app, tokens["refresh_token"])
    (first,), (second,) = live.sql("SELECT grant_id FROM grants ORDER BY rowid")
    assert [row for row in noted(live) if "reused" in row[0]] == [
        ("code_reused", app.client_id, "demo", first, "its grant was revoked"),
        ("refresh_token_reused", app.client_id, "demo", second, "its grant was revoked"),
    ]
    assert live.sql("SELECT DISTINCT revoked_reason FROM grants ORDER BY 1") == [
        ("authorization code replayed",),
        ("refresh token reused",),
    ]


async def test_a_failed_client_authentication_is_noted(start: Start) -> None:
    unknown = "att_cl_" + "0" * 32
    async with start() as live:
        app = await live.register(token_endpoint_auth_method="client_secret_basic")
        for path in ("/token", "/revoke", "/introspect"):
            await live.send("POST", path, headers=basic(app.client_id, "wrong"), data={"token": "x"})
        await live.send("POST", "/token", data={"client_id": app.client_id})
        await live.send("POST", "/token", data={"client_id": unknown})
        await live.send("POST", "/token", data={"client_id": "https://app.example/client.json"})
        await live.send("POST", "/token", headers={"Authorization": "Basic !"}, data={"client_id": app.client_id})
        await live.send("POST", "/token", data={"grant_type": "refresh_token"})
    failures = [(client, detail) for event, client, _, _, detail in noted(live) if "failed" in event]
    assert failures == [
        *[(app.client_id, "the client secret is wrong")] * 3,
        (app.client_id, "this client is registered for client_secret_basic and must authenticate so"),
        (unknown, "this client is not registered here; register it again"),
        ("https://app.example/client.json", "this client is not registered here; register it again"),
        (app.client_id, "the Authorization header is not well-formed Basic"),
        (None, "the request names no client; send client_id"),
    ]


async def test_a_failed_assertion_is_noted_with_the_client_that_it_names(start: Start) -> None:
    async with start() as live:
        app = await live.register(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [RSA.public]})
        for assertion in (OTHER.sign(app.client_id, live.url), "x"):
            assert (await live.send("POST", "/token", data=proof(assertion))).status == 401
    assert noted(live)[1:] == [
        (FAILED, client_id, None, None, f"the client assertion is not good: {why}")
        for client_id, why in [(app.client_id, "no key of this client has signed it"), (None, "it is no signed token")]
    ]


async def test_a_bad_token_at_registration_is_noted(start: Start) -> None:
    client_id, bad = "att_cl_" + "0" * 32, {"Authorization": "Bearer hunter2"}
    async with start(oauth_dcr="token", oauth_dcr_token="initial") as live:
        for headers in (bad, {}):
            assert (await live.send("POST", "/register", headers=headers, json={})).status == 401
        for method in ("GET", "PUT", "DELETE"):
            assert (await live.send(method, f"/register/{client_id}", headers=bad, json={})).status == 401
        assert (await live.send("GET", "/register/hunter2", headers=bad)).status == 401
    assert noted(live) == [
        *[(FAILED, None, None, None, "the initial access token is missing or wrong")] * 2,
        *[(FAILED, client_id, None, None, "the registration access token is missing or wrong")] * 3,
        (FAILED, None, None, None, "the registration access token is missing or wrong"),
    ]


async def test_a_log_that_is_turned_off_stays_empty(start: Start) -> None:
    async with start(audit_retention_days=0, rate_limits=True) as live:
        app = await live.register()
        tokens = await live.log_in(app)
        await live.post("/revoke", app, token=tokens["refresh_token"])
        for _ in range(70):
            await live.send("POST", "/token", data={"client_id": "nobody"})
    assert noted(live) == []


@pytest.mark.parametrize("method", ["none", "client_secret_post", "client_secret_basic"])
async def test_no_secret_gets_in(start: Start, method: str) -> None:
    async with start() as live:
        app = await live.register(token_endpoint_auth_method=method)
        browser = live.browser()
        page = await browser.open_page(app, state="state-of-the-client")
        code = (await page.approve()).returned["code"]
        tokens = (await live.exchange(app, code, page.verifier)).json
        second = (await live.refresh(app, tokens["refresh_token"])).json
        secrets = {"state-of-the-client", page.handle, page.verifier, code, *browser.cookies.values()}
        secrets |= {answer[name] for answer in (tokens, second) for name in ("access_token", "refresh_token")}
        secrets |= {str(app.registration.get("client_secret", code)), "hunter2"}
        for secret in sorted(secrets):
            # Secrets in each place that is noted: id, secret, token, code, parameters of every endpoint.
            await live.send("POST", "/token", data={"client_id": secret, "client_secret": secret, "code": secret})
            await live.send("POST", "/token", data={"client_id": f"https://a.example/?{secret}"})
            await live.send("POST", "/revoke", headers=basic(secret, secret), data={"token": secret})
            await live.send("POST", "/revoke", headers=basic(app.client_id, secret), data={"token": secret})
            await live.send("GET", f"/authorize?client_id={secret}")
            await live.exchange(app, secret, page.verifier, resource=secret)
        live.clock.advance(200)
        await live.exchange(app, code, page.verifier)
        await live.refresh(app, tokens["refresh_token"])
        await live.post("/revoke", app, token=second["refresh_token"])
    log = str(live.sql("SELECT * FROM v_audit"))
    assert log.count("client_authentication_failed") >= 3 * len(secrets)
    assert not [secret for secret in secrets if secret in log]
    assert not [secret for secret in secrets if secret[7:] and secret[7:] in log]


async def test_a_long_name_is_cut(live: Live) -> None:
    await live.register(client_name="x" * 5_000)
    assert noted(live)[0][4] == "x" * 199 + "…"


async def test_what_a_request_redirects_to_is_not_noted(live: Live) -> None:
    await live.log_in(await live.register())
    assert REDIRECT_URI not in str(noted(live))
