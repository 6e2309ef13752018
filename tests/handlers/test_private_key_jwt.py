"""``private_key_jwt`` over real HTTP, for registered clients, with keys inline and at a URL."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.browser import Answer, App
from tests.conftest import Start
from tests.site import KEYS, OTHER, RSA, Key, Site, proof, publish
from tests.support import Live

HOUR = 3_600


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with publish() as published:
        yield published


@pytest.fixture
async def live(start: Start, site: Site) -> AsyncIterator[Live]:
    async with start(oauth_cimd_dev_origins=site.origin) as running:
        yield running


async def signing(live: Live, **metadata: Any) -> App:
    return await live.register(token_endpoint_auth_method="private_key_jwt", **metadata)


async def introspect(live: Live, app: App, key: Key = RSA, **changes: Any) -> Answer:
    """Ask about a token that cannot exist: what counts is whether the client is let in."""
    assertion = key.sign(app.client_id, live.url, live.clock.now, **changes)
    return await live.send("POST", "/introspect", data={"token": "x", **proof(assertion)})


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_client_that_registered_its_keys_is_told_so_and_goes_the_whole_way(live: Live, algorithm: str) -> None:
    key = KEYS[algorithm]
    app = await signing(live, jwks={"keys": [key.public]}, token_endpoint_auth_signing_alg=algorithm)
    assert app.registration["token_endpoint_auth_method"] == "private_key_jwt"
    assert app.registration["jwks"] == {"keys": [key.public]}
    assert app.registration["token_endpoint_auth_signing_alg"] == algorithm
    assert "client_secret" not in app.registration
    page = await live.browser().open_page(app)
    form = {
        "grant_type": "authorization_code",
        "code": (await page.approve()).returned["code"],
        "code_verifier": page.verifier,
    }
    signed = proof(key.sign(app.client_id, f"{live.url}/token"))
    exchanged = await live.send("POST", "/token", data={**form, **signed, "client_id": app.client_id})
    assert exchanged.status == 200, exchanged.text
    token = {"token": exchanged.json["access_token"]}
    for path in ("/introspect", "/revoke"):
        assert (await live.send("POST", path, data=token)).status == 401
        answer = await live.send("POST", path, data={**token, **proof(key.sign(app.client_id, live.url))})
        assert answer.status == 200
        assert path != "/introspect" or answer.json["active"]


@pytest.mark.parametrize(
    "metadata",
    [{}, {"jwks": {"keys": []}}, {"jwks": {"keys": [{**RSA.public, "d": "AQ"}]}}, {"jwks_uri": "http://a.example/x"}],
)
async def test_a_registration_without_good_keys_is_refused(live: Live, metadata: dict[str, Any]) -> None:
    asked = {"redirect_uris": ["https://a.example/"], "token_endpoint_auth_method": "private_key_jwt", **metadata}
    answer = await live.send("POST", "/register", json=asked)
    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")


async def test_a_used_assertion_is_refused_after_a_restart(start: Start) -> None:
    async with start(server_url="http://localhost:8000") as live:
        app = await signing(live, jwks={"keys": [RSA.public]})
        form = {"token": "x", **proof(RSA.sign(app.client_id, "http://localhost:8000"))}
        assert (await live.send("POST", "/introspect", data=form)).status == 200
    async with start(server_url="http://localhost:8000") as again:
        answer = await again.send("POST", "/introspect", data=form)
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")


async def test_keys_at_a_url_are_fetched_when_they_are_needed_and_kept(live: Live, site: Site) -> None:
    app = await signing(live, jwks_uri=site.publish_keys(RSA))
    assert app.registration["jwks_uri"] == f"{site.origin}/oauth/jwks.json"
    assert site.asked == []
    for waited, asked in ((0, 1), (299, 1), (1, 2)):
        live.clock.advance(waited)
        assert (await introspect(live, app)).status == 200
        assert len(site.asked) == asked


async def test_a_new_key_is_found_at_once_but_the_keys_are_not_fetched_all_the_time(live: Live, site: Site) -> None:
    app = await signing(live, jwks_uri=site.publish_keys(RSA))
    assert (await introspect(live, app)).status == 200
    site.publish_keys(RSA, OTHER)
    for waited, status, asked in ((29, 401, 1), (1, 200, 2), (0, 200, 2)):
        live.clock.advance(waited)
        assert (await introspect(live, app, OTHER)).status == status
        assert len(site.asked) == asked
    for _ in range(3):
        assert (await introspect(live, app, header={"kid": "unknown"})).status == 401
    assert len(site.asked) == 2


async def test_a_forged_signature_under_a_known_kid_fetches_nothing(live: Live, site: Site) -> None:
    app = await signing(live, jwks_uri=site.publish_keys(RSA))
    assert (await introspect(live, app)).status == 200
    live.clock.advance(60)
    assert (await introspect(live, app, OTHER, header={"kid": "rsa"})).status == 401
    assert len(site.asked) == 1


async def test_a_key_that_was_withdrawn_is_good_no_longer(live: Live, site: Site) -> None:
    app = await signing(live, jwks_uri=site.publish_keys(RSA))
    assert (await introspect(live, app)).status == 200
    site.publish_keys(OTHER)
    live.clock.advance(300)
    assert (await introspect(live, app)).status == 401
    assert (await introspect(live, app, OTHER)).status == 200


async def test_with_the_keys_out_of_reach_the_last_good_ones_serve_for_a_day(live: Live, site: Site) -> None:
    app = await signing(live, jwks_uri=site.publish_keys(RSA))
    assert (await introspect(live, app)).status == 200
    site.down = True
    live.clock.advance(300)
    assert (await introspect(live, app)).status == 200
    assert (await introspect(live, app, OTHER)).status == 503
    live.clock.advance(24 * HOUR - 1)
    assert (await introspect(live, app)).status == 200
    live.clock.advance(1)
    answer = await introspect(live, app)
    assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("page", [None, [], {}, {"keys": "x"}, {"keys": [], "padding": "x" * 65_536}])
async def test_keys_that_were_never_good_are_not_the_clients_fault(live: Live, site: Site, page: Any) -> None:
    app = await signing(live, jwks_uri=site.publish_keys(RSA))
    site.pages["/oauth/jwks.json"] = page
    assert (await introspect(live, app)).status == 503


async def test_a_key_set_may_be_larger_than_a_document(live: Live, site: Site) -> None:
    app = await signing(live, jwks_uri=site.publish_keys(RSA))
    site.pages["/oauth/jwks.json"]["padding"] = "x" * 60_000
    assert (await introspect(live, app)).status == 200


async def test_keys_on_a_private_address_are_not_fetched(start: Start, site: Site) -> None:
    async with start() as live:
        app = await signing(live, jwks_uri=site.publish_keys(RSA).replace("http:", "https:"))
        assert (await introspect(live, app)).status == 503
        assert site.asked == []
        assert site.seen == []


async def test_the_log_never_holds_an_assertion(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    app = await signing(live, jwks={"keys": [RSA.public]})
    assertion = RSA.sign(app.client_id, live.url)
    with caplog.at_level("DEBUG"):
        for _ in range(2):
            await live.send("POST", "/introspect", data={"token": "x", **proof(assertion)})
    assert "used before" in caplog.text
    assert assertion.rpartition(".")[2] not in caplog.text
