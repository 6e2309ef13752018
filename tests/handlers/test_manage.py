"""GET, PUT and DELETE /register/{client_id}: a client manages its own registration (RFC 7592)."""

from typing import Any

import pytest

from server.oauth import tokens
from tests.browser import Answer, App
from tests.support import REDIRECT_URI, Live

OTHER_URI = "https://assistant.example/another"
SERVERS_OWN = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
UNKNOWN = tokens.make(tokens.REGISTRATION, lambda size: b"?" * size)


def token_of(app: App) -> str:
    return str(app.registration["registration_access_token"])


async def manage(live: Live, method: str, app: App, token: str | None = None, **options: Any) -> Answer:
    headers = {"Authorization": f"Bearer {token or token_of(app)}"}
    return await live.send(method, f"/register/{app.client_id}", headers=headers, **options)


def own(app: App, **changes: Any) -> dict[str, Any]:
    """Give what a client sends to update itself: what it was told, without what is the server's, and its changes."""
    kept = {name: value for name, value in app.registration.items() if name not in SERVERS_OWN}
    return {name: value for name, value in {**kept, **changes}.items() if value is not ...}


async def test_the_address_and_the_token_come_with_the_registration(live: Live) -> None:
    app = await live.register()
    assert app.registration["registration_client_uri"] == f"{live.url}/register/{app.client_id}"
    assert tokens.is_well_formed(tokens.REGISTRATION, token_of(app))
    (digest,) = live.sql("SELECT registration_digest FROM clients")[0]
    assert digest == tokens.digest(token_of(app))


async def test_a_client_reads_what_it_registered(live: Live) -> None:
    app = await live.register(client_name="Example", scope="read", client_uri="https://a.example")
    answer = await manage(live, "GET", app)
    assert (answer.status, answer.json) == (200, app.registration)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_secret_is_not_read_back_since_nobody_has_it(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    answer = await manage(live, "GET", app)
    assert answer.json == {k: v for k, v in app.registration.items() if not k.startswith("client_secret")}


async def test_an_update_replaces_everything(live: Live) -> None:
    app = await live.register(client_name="Before", client_uri="https://a.example", scope="read")
    live.clock.advance(60)
    asked = own(app, client_name="After", client_uri=..., scope=None, redirect_uris=[OTHER_URI])
    answer = await manage(live, "PUT", app, json=asked)
    assert answer.status == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    expected = {**app.registration, "client_name": "After", "redirect_uris": [OTHER_URI]}
    assert answer.json == {k: v for k, v in expected.items() if k not in {"client_uri", "scope"}}
    assert (await manage(live, "GET", app)).json == answer.json
    assert live.sql("SELECT last_used_at - created_at FROM clients") == [(60,)]


async def test_after_an_update_only_the_new_redirect_uri_works_and_tokens_go_on(live: Live) -> None:
    app = await live.register()
    held = await live.log_in(app)
    assert (await manage(live, "PUT", app, json=own(app, redirect_uris=[OTHER_URI]))).status == 200
    answer, _ = await live.browser().authorize(app)
    assert answer.status == 400
    answer, _ = await live.browser().authorize(app, redirect_uri=OTHER_URI)
    assert answer.status == 302
    assert await live.is_active(app, held["access_token"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ...}, "invalid_redirect_uri"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"{REDIRECT_URI}/{number}" for number in range(11)]}, "invalid_redirect_uri"),
        ({"client_name": 7}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"client_id": ...}, "invalid_client_metadata"),
        ({"client_id": "att_cl_another"}, "invalid_client_metadata"),
        ({"client_secret": "chosen by the client"}, "invalid_client_metadata"),
        *(({name: "sent back"}, "invalid_client_metadata") for name in SERVERS_OWN),
    ],
)
async def test_an_update_that_cannot_be_had_changes_nothing(live: Live, changes: dict[str, Any], error: str) -> None:
    app = await live.register(client_name="Before")
    answer = await manage(live, "PUT", app, json=own(app, **{"client_name": "After", **changes}))
    assert (answer.status, answer.json["error"]) == (400, error), answer.text
    assert (await manage(live, "GET", app)).json == app.registration


async def test_an_update_keeps_client_credentials_out(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_post")
    answer = await manage(live, "PUT", app, json=own(app, grant_types=["authorization_code", "client_credentials"]))
    assert answer.json["grant_types"] == ["authorization_code"]
    assert (await live.post("/token", app, grant_type="client_credentials")).json["error"] == "unauthorized_client"


async def test_a_client_that_shows_its_secret_keeps_it(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    answer = await manage(live, "PUT", app, json=own(app, token_endpoint_auth_method="client_secret_post"))
    assert answer.status == 200, answer.text
    assert (answer.json["client_secret"], answer.json["client_secret_expires_at"]) == (
        app.registration["client_secret"],
        0,
    )
    assert (await live.introspect(App(answer.json), "x")) == {"active": False}
    assert (await live.post("/introspect", app, token="x")).status == 401
    wrong = await manage(live, "PUT", app, json=own(app, client_secret=app.registration["client_secret"] + "x"))
    assert (wrong.status, wrong.json["error"]) == (400, "invalid_client_metadata")


async def test_a_client_that_does_not_show_its_secret_keeps_it_too(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    answer = await manage(live, "PUT", app, json=own(app, client_secret=...))
    assert answer.status == 200
    assert "client_secret" not in answer.json
    assert (await live.introspect(app, "x")) == {"active": False}


async def test_a_public_client_that_changes_to_a_secret_gets_one_and_back_loses_it(live: Live) -> None:
    app = await live.register()
    answer = await manage(live, "PUT", app, json=own(app, token_endpoint_auth_method="client_secret_post"))
    confidential = App(answer.json)
    assert (await live.introspect(confidential, "x")) == {"active": False}
    assert (await live.post("/introspect", app, token="x")).status == 401
    back = await manage(live, "PUT", app, json=own(confidential, token_endpoint_auth_method="none", client_secret=...))
    assert "client_secret" not in back.json
    assert (await live.introspect(app, "x")) == {"active": False}
    assert live.sql("SELECT secret_digest FROM clients") == [(None,)]


async def test_a_deleted_client_is_gone_with_all_that_it_was_granted(live: Live) -> None:
    app, bystander = await live.register(), await live.register()
    held, others = await live.log_in(app), await live.log_in(bystander)
    answer = await manage(live, "DELETE", app)
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await live.refresh(app, held["refresh_token"])).json["error"] == "invalid_client"
    called = await live.send("POST", "/mcp", headers={"Authorization": f"Bearer {held['access_token']}"})
    assert (called.status, called.json["error"]) == (401, "invalid_token")
    assert (await live.browser().authorize(app))[0].status == 400
    for method in ("GET", "PUT", "DELETE"):
        assert (await manage(live, method, app, json=own(app))).status == 401
    assert await live.is_active(bystander, others["access_token"])


async def test_a_wrong_token_and_an_unknown_client_are_told_apart_by_nobody(live: Live) -> None:
    app, another = await live.register(), await live.register()
    machine = await live.create()
    live.sql("UPDATE clients SET registration_digest = NULL WHERE client_id = ?", another.client_id)
    for method in ("GET", "PUT", "DELETE"):
        answers = [
            await manage(live, method, app, token=UNKNOWN, json=own(app)),
            await manage(live, method, app, token=token_of(another), json=own(app)),
            await manage(live, method, another, json=own(app)),
            await manage(live, method, machine, token=token_of(app), json=own(app)),
            await manage(live, method, App({"client_id": "att_cl_unknown"}), token=token_of(app), json=own(app)),
            await manage(live, method, App({"client_id": "%ff%00"}), token=token_of(app), json=own(app)),
            await manage(live, method, App({"client_id": "%C3%A9"}), token="é", json=own(app)),
        ]
        assert {answer.status for answer in answers} == {401}
        assert len({answer.text for answer in answers}) == 1
        assert len({answer.headers["WWW-Authenticate"] for answer in answers}) == 1
        assert answers[0].headers["WWW-Authenticate"].startswith(f'Bearer realm="{live.url}", error="invalid_token"')
    assert live.sql("SELECT count(*) FROM clients") == [(3,)]


async def test_without_a_token_the_challenge_names_no_error(live: Live) -> None:
    app = await live.register()
    answer = await live.send("GET", f"/register/{app.client_id}")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, f'Bearer realm="{live.url}"')
    twice = [("Authorization", f"Bearer {token_of(app)}")] * 2
    assert (await live.send("GET", f"/register/{app.client_id}", headers=twice)).status == 400


async def test_a_client_secret_or_an_access_token_manages_nothing(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    held = await live.log_in(app)
    assert (await manage(live, "GET", app, token=app.registration["client_secret"])).status == 401
    assert (await manage(live, "GET", app, token=held["access_token"])).status == 401
    _, basic = app.proof()
    assert (await live.send("GET", f"/register/{app.client_id}", headers=basic)).status == 401


async def test_browser_clients_may_manage_too(live: Live) -> None:
    app = await live.register()
    headers = {"Origin": "https://inspector.example", "Access-Control-Request-Method": "DELETE"}
    answer = await live.send("OPTIONS", f"/register/{app.client_id}", headers=headers)
    assert answer.status == 204
    assert {"GET", "PUT", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert (await manage(live, "GET", app)).headers["Access-Control-Allow-Origin"] == "*"


async def test_other_methods_are_405(live: Live) -> None:
    app = await live.register()
    for method in ("POST", "PATCH"):
        assert (await manage(live, method, app)).status == 405


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "text/plain", 400),
        (b" " * (16 * 1024 + 1), "application/json", 413),
    ],
)
async def test_a_body_is_read_as_at_registration(live: Live, body: bytes, content_type: str, status: int) -> None:
    app = await live.register()
    headers = {"Authorization": f"Bearer {token_of(app)}", "Content-Type": content_type}
    answer = await live.send("PUT", f"/register/{app.client_id}", data=body, headers=headers)
    assert (answer.status, type(answer.json["error"])) == (status, str)


async def test_the_token_is_neither_logged_nor_stored(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    app = await live.register()
    for method in ("GET", "PUT", "DELETE", "GET"):
        await manage(live, method, app, json=own(app))
    assert f"Updated client: {app.client_id}" in caplog.messages
    assert f"Deleted client: {app.client_id}" in caplog.messages
    assert token_of(app)[:20] not in caplog.text
    live.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = b"".join(file.read_bytes() for file in live.database.parent.glob("server.db*"))
    assert token_of(app).encode() not in stored
