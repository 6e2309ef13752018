"""POST /register over HTTP; what may be registered is proved in tests/oauth/test_registration.py."""

import json
from typing import Any

import pytest

from tests.conftest import Start
from tests.support import REDIRECT_URI, START, Live


async def test_a_client_that_was_never_seen_before_is_registered(live: Live) -> None:
    asked = {"client_name": "Example", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    answer = await live.send("POST", "/register", json=asked)
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"].startswith("application/json")
    client_id = answer.json["client_id"]
    assert answer.json == {
        **asked,
        "client_id": client_id,
        "registration_access_token": answer.json["registration_access_token"],
        "registration_client_uri": f"{live.url}/register/{client_id}",
        "client_id_issued_at": START,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }


async def test_the_secret_is_told_once_and_stored_as_a_digest(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method=...)
    secret = app.registration["client_secret"]
    assert (app.registration["token_endpoint_auth_method"], len(secret)) == ("client_secret_basic", 56)
    assert app.registration["client_secret_expires_at"] == 0
    live.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = b"".join(file.read_bytes() for file in live.database.parent.glob("server.db*"))
    assert secret.encode() not in stored


INITIAL = "an-initial.token~1"


async def test_with_the_policy_token_registration_takes_the_initial_access_token(start: Start) -> None:
    async with start(oauth_dcr="token", oauth_dcr_token=INITIAL) as live:
        answer = await live.send(
            "POST", "/register", json={"redirect_uris": [REDIRECT_URI]}, headers={"Authorization": f"Bearer {INITIAL}"}
        )
        assert answer.status == 201
        document = (await live.send("GET", "/.well-known/oauth-authorization-server")).json
        assert document["registration_endpoint"] == f"{live.url}/register"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {INITIAL}x",
        f"Bearer {INITIAL[:-1]}",
        f"Basic {INITIAL}",
        INITIAL,
        "Bearer é",
    ],
)
async def test_with_the_policy_token_anything_else_is_challenged(
    start: Start, caplog: pytest.LogCaptureFixture, authorization: str | None
) -> None:
    caplog.set_level("DEBUG")
    async with start(oauth_dcr="token", oauth_dcr_token=INITIAL) as live:
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = await live.send("POST", "/register", json={"redirect_uris": [REDIRECT_URI]}, headers=headers)
        assert (answer.status, answer.json["error"]) == (401, "invalid_token")
        assert "initial access token" in answer.json["error_description"]
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith(f'Bearer realm="{live.url}"')
        assert ('error="invalid_token"' in challenge) == (authorization is not None)
        assert live.sql("SELECT count(*) FROM clients") == [(0,)]
    assert INITIAL[:-1] not in caplog.text


async def test_with_the_policy_open_an_authorization_header_is_nobodys_business(live: Live) -> None:
    headers = {"Authorization": "Basic garbage"}
    assert (await live.send("POST", "/register", json={"redirect_uris": [REDIRECT_URI]}, headers=headers)).status == 201


@pytest.mark.parametrize(("policy", "warned"), [("open", True), ("off", True), ("token", False)])
async def test_a_token_that_nobody_is_asked_for_is_warned_of(
    start: Start, caplog: pytest.LogCaptureFixture, policy: str, *, warned: bool
) -> None:
    async with start(oauth_dcr=policy, oauth_dcr_token=INITIAL):
        pass
    assert (f"OAUTH_DCR_TOKEN is set, but OAUTH_DCR={policy} asks nobody for it" in caplog.messages) is warned


async def test_with_the_policy_off_nothing_of_registration_is_served(start: Start) -> None:
    async with start() as live:
        app = await live.register()
    async with start(oauth_dcr="off") as live:
        document = (await live.send("GET", "/.well-known/oauth-authorization-server")).json
        assert "registration_endpoint" not in document
        token = {"Authorization": f"Bearer {app.registration['registration_access_token']}"}
        assert (await live.send("POST", "/register", json={"redirect_uris": [REDIRECT_URI]})).status == 404
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            assert (await live.send(method, f"/register/{app.client_id}", headers=token)).status == 404
        assert (await live.log_in(app))["scope"] == "read"


async def test_a_client_cannot_register_itself_for_client_credentials(live: Live) -> None:
    grants = ["authorization_code", "client_credentials"]
    app = await live.register(token_endpoint_auth_method="client_secret_post", grant_types=grants)
    assert app.registration["grant_types"] == ["authorization_code"]
    answer = await live.post("/token", app, grant_type="client_credentials")
    assert (answer.status, answer.json["error"]) == (400, "unauthorized_client")
    only = {"redirect_uris": [REDIRECT_URI], "grant_types": ["client_credentials"]}
    assert (await live.send("POST", "/register", json=only)).json["error"] == "invalid_client_metadata"


async def test_a_registration_outlives_the_process(start: Start) -> None:
    async with start() as live:
        app = await live.register(token_endpoint_auth_method="client_secret_post")
        tokens = await live.log_in(app)
    async with start() as again:
        assert (await again.refresh(app, tokens["refresh_token"])).status == 200


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"{REDIRECT_URI}/{number}" for number in range(11)]}, "invalid_redirect_uri"),
        ({}, "invalid_redirect_uri"),
        ({"redirect_uris": REDIRECT_URI}, "invalid_client_metadata"),
        ({"redirect_uris": [REDIRECT_URI], "grant_types": ["implicit"]}, "invalid_client_metadata"),
    ],
)
async def test_a_refusal_has_the_standards_code(live: Live, metadata: dict[str, Any], error: str) -> None:
    answer = await live.send("POST", "/register", json=metadata)
    assert (answer.status, answer.json["error"]) == (400, error)
    assert set(answer.json) == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in answer.headers


async def test_what_comes_back_is_json_whatever_the_name_is(live: Live) -> None:
    for name in ("é\u4e2d\U0001f600", "\x00", "\u2028", '"\\', "</script>"):
        app = await live.register(client_name=name.strip() + "x")
        assert app.registration["client_name"] == name.strip() + "x"
        assert live.sql("SELECT client_name FROM clients WHERE client_id = ?", app.client_id)


async def test_a_body_of_16_kib_is_taken_and_one_byte_more_is_not(live: Live) -> None:
    body = json.dumps({"redirect_uris": [REDIRECT_URI], "x": ""})
    for size, status in ((16 * 1024, 201), (16 * 1024 + 1, 413)):
        padded = body.replace('"x": ""', f'"x": "{"y" * (size - len(body))}"')
        answer = await live.send("POST", "/register", data=padded, headers={"Content-Type": "application/json"})
        assert (len(padded), answer.status) == (size, status)
