"""Clients whose id is a URL, over real HTTP: from their document to their tokens, and every way it goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.browser import Answer
from tests.conftest import Start
from tests.oauth.test_documents import CHATGPT
from tests.site import RSA, Site, proof, publish
from tests.support import REDIRECT_URI, START, Live

HOUR, DAY = 3_600, 86_400


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with publish() as published:
        yield published


@pytest.fixture
async def live(start: Start, site: Site) -> AsyncIterator[Live]:
    async with start(oauth_cimd_dev_origins=site.origin) as running:
        yield running


async def page_for(live: Live, client_id: str) -> Answer:
    """Give the answer to an authorization request of that client."""
    query = f"response_type=code&client_id={client_id}&redirect_uri={REDIRECT_URI}"
    return await live.send("GET", f"/authorize?{query}&code_challenge={'x' * 43}&code_challenge_method=S256")


async def test_a_client_is_known_by_its_document_without_registering(live: Live, site: Site) -> None:
    app = site.describe()
    tokens = await live.log_in(app)
    assert await live.is_active(app, tokens["access_token"])
    renewed = await live.refresh(app, tokens["refresh_token"])
    assert renewed.status == 200
    assert (await live.post("/revoke", app, token=renewed.json["refresh_token"])).status == 200
    assert not await live.is_active(app, renewed.json["access_token"])
    assert site.asked == ["/oauth/client.json"]


async def test_the_metadata_says_so_unless_it_is_switched_off(start: Start, site: Site) -> None:
    for on in (True, False):
        async with start(oauth_cimd=on, oauth_cimd_dev_origins=site.origin) as live:
            document = (await live.send("GET", "/.well-known/oauth-authorization-server")).json
            assert document["client_id_metadata_document_supported"] is on


async def test_origins_that_are_fetched_wherever_they_are_are_warned_of(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    for origins, warned in (("", 0), ("http://localhost:9000", 1)):
        caplog.clear()
        async with start(oauth_cimd_dev_origins=origins):
            pass
        warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert len(warnings) == warned
        assert all(line.startswith(f"OAUTH_CIMD_DEV_ORIGINS={origins}: ") for line in warnings)


async def test_switched_off_no_url_client_is_known_or_fetched(start: Start, site: Site) -> None:
    app = site.describe()
    async with start(oauth_cimd_dev_origins=site.origin) as live:
        tokens = await live.log_in(app)
    async with start(oauth_cimd=False, oauth_cimd_dev_origins=site.origin) as live:
        asked = len(site.asked)
        shown = await page_for(live, app.client_id)
        assert (shown.status, len(site.asked)) == (400, asked)
        assert "not known here" in shown.text
        refused = await live.refresh(app, tokens["refresh_token"])
        assert (refused.status, refused.json["error"]) == (401, "invalid_client")


async def test_the_page_names_the_host_that_vouches_and_does_not_call_it_unverified(live: Live, site: Site) -> None:
    described = (await live.browser().open_page(site.describe())).shown.text
    assert site.origin.removeprefix("http://") in described
    assert "It is described by" in described
    assert "Unverified" not in described
    registered = (await live.browser().open_page(await live.register())).shown.text
    assert "It is described by" not in registered
    assert "Unverified" in registered


async def test_a_client_on_this_computer_is_warned_of_though_its_document_is_not(live: Live, site: Site) -> None:
    app = site.describe(redirect_uris=["http://localhost/callback", "http://127.0.0.1/callback"])
    shown = await live.browser().open_page(app, redirect_uri="http://localhost:5000/callback")
    assert "Any program on this computer" in shown.shown.text


@pytest.mark.parametrize("signs", [False, True])
async def test_chatgpts_document_is_good_with_and_without_an_assertion(live: Live, site: Site, *, signs: bool) -> None:
    document = {**CHATGPT, "jwks_uri": site.publish_keys(RSA), "redirect_uris": [REDIRECT_URI]}
    app = site.describe(**{**document, "client_id": site.client_id})
    page = await live.browser().open_page(app)
    code = (await page.approve()).returned["code"]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": page.verifier}
    who = proof(RSA.sign(app.client_id, live.url)) if signs else {"client_id": app.client_id}
    answer = await live.send("POST", "/token", data={**form, **who})
    assert answer.status == 200, answer.text
    assert ("/oauth/jwks.json" in site.asked) is signs


async def test_a_bad_assertion_is_refused_although_none_would_do(live: Live, site: Site) -> None:
    app = site.describe(
        token_endpoint_auth_methods_supported=["none", "private_key_jwt"], jwks_uri=site.publish_keys(RSA)
    )
    tokens = await live.log_in(app)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": app.client_id}
    for bad in (RSA.sign(app.client_id, live.url, exp=START), "x"):
        answer = await live.send("POST", "/token", data={**form, **proof(bad)})
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    for extra in ({"client_secret": "x"}, {**proof(RSA.sign(app.client_id, live.url)), "client_secret": "x"}):
        answer = await live.send("POST", "/token", data={**form, **extra})
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert (await live.send("POST", "/token", data=form)).status == 200


async def test_a_document_that_says_private_key_jwt_alone_makes_the_assertion_required(live: Live, site: Site) -> None:
    app = site.describe(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [RSA.public]})
    page = await live.browser().open_page(app)
    form = {
        "grant_type": "authorization_code",
        "code": (await page.approve()).returned["code"],
        "code_verifier": page.verifier,
        "client_id": app.client_id,
    }
    refused = await live.send("POST", "/token", data=form)
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    assert (await live.send("POST", "/token", data={**form, **proof(RSA.sign(app.client_id, live.url))})).status == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": "https://other.example/client.json"}, "another client"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "shared secret"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
        ({"client_uri": "https://x.example/" + "x" * 6_000}, "5,120 bytes"),
    ],
)
async def test_the_person_is_told_what_is_wrong_with_a_document(
    live: Live, site: Site, changes: dict[str, Any], words: str
) -> None:
    site.describe(**changes)
    shown = await page_for(live, site.client_id)
    assert (shown.status, shown.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert "This app does not say who it is" in shown.text
    assert words in shown.text
    assert live.sql("SELECT count(*) FROM clients") == [(0,)]


@pytest.mark.parametrize(
    "client_id",
    [
        "http://evil.example/client.json",
        "https://evil.example/",
        "https://user@evil.example/client.json",
        "https://evil.example/a/../client.json",
        "https://127.0.0.1/client.json",
        "https://[::1]/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/client.json",
    ],
)
async def test_a_client_id_that_may_not_be_fetched_gets_a_page(live: Live, site: Site, client_id: str) -> None:
    shown = await page_for(live, client_id)
    assert (shown.status, "This app does not say who it is" in shown.text) == (400, True)
    assert site.asked == []


async def test_a_private_address_is_said_to_be_the_reason(live: Live) -> None:
    shown = await page_for(live, "https://127.0.0.1/client.json")
    assert "nothing is fetched from private addresses" in shown.text


async def test_a_client_that_was_never_here_is_not_fetched_for_a_token(live: Live, site: Site) -> None:
    app = site.describe()
    answer = await live.refresh(app, "att_rt_x")
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert site.asked == []


async def test_many_requests_at_once_fetch_a_document_once(live: Live, site: Site) -> None:
    app = site.describe()
    site.pause = 0.2
    answers = await asyncio.gather(*(page_for(live, app.client_id) for _ in range(20)))
    assert [answer.status for answer in answers] == [302] * 20
    assert site.asked == ["/oauth/client.json"]


@pytest.mark.parametrize(
    ("control", "fresh"),
    [(None, 300), ("max-age=0", 300), ("no-store", 300), ("max-age=900", 900), ("max-age=999999", DAY)],
)
async def test_a_document_is_kept_as_long_as_its_server_says_within_limits(
    live: Live, site: Site, control: str | None, fresh: int
) -> None:
    app = site.describe()
    site.headers = {"Cache-Control": control} if control else {}
    for waited, asked in ((0, 1), (fresh - 1, 1), (1, 2), (1, 2)):
        live.clock.advance(waited)
        assert (await page_for(live, app.client_id)).status == 302
        assert len(site.asked) == asked


async def test_a_document_is_kept_across_a_restart(start: Start, site: Site) -> None:
    app = site.describe()
    for _ in range(2):
        async with start(oauth_cimd_dev_origins=site.origin) as live:
            assert (await page_for(live, app.client_id)).status == 302
    assert len(site.asked) == 1


async def test_a_failure_is_not_kept_for_long(live: Live, site: Site) -> None:
    assert (await page_for(live, site.client_id)).status == 400
    app = site.describe()
    assert (await page_for(live, app.client_id)).status == 400
    live.clock.advance(30)
    assert (await page_for(live, app.client_id)).status == 302


async def test_a_changed_document_counts_as_soon_as_it_is_fetched(live: Live, site: Site) -> None:
    app = site.describe()
    await live.log_in(app)
    changed = site.describe(redirect_uris=["https://assistant.example/moved"], client_name="Renamed")
    live.clock.advance(300)
    assert (await page_for(live, app.client_id)).status == 400
    shown = await live.browser().open_page(changed)
    assert "Renamed" in shown.shown.text
    assert live.sql("SELECT client_name, created_at, last_used_at FROM clients") == [("Renamed", START, START)]


async def test_with_its_server_down_a_client_goes_on_for_a_day_and_gets_503_then(live: Live, site: Site) -> None:
    app = site.describe()
    tokens = await live.log_in(app)
    site.down = True
    live.clock.advance(300)
    assert (await page_for(live, app.client_id)).status == 400
    for waited in (0, 12 * HOUR, 12 * HOUR - 1):
        live.clock.advance(waited)
        answer = await live.refresh(app, tokens["refresh_token"])
        assert answer.status == 200, answer.text
        tokens = answer.json
    assert await live.is_active(app, tokens["access_token"])
    live.clock.advance(1)
    form = {"client_id": app.client_id, "token": tokens["access_token"]}
    for path, fields in (
        ("/token", {**form, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}),
        ("/revoke", form),
        ("/introspect", form),
    ):
        answer = await live.send("POST", path, data=fields)
        assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")
        assert answer.headers["Retry-After"]
    site.down = False
    live.clock.advance(30)
    assert (await live.refresh(app, tokens["refresh_token"])).status == 200


async def test_a_document_that_went_bad_is_like_one_that_is_gone(live: Live, site: Site) -> None:
    app = site.describe()
    tokens = await live.log_in(app)
    site.describe(client_id="https://other.example/client.json")
    live.clock.advance(300)
    assert (await page_for(live, app.client_id)).status == 400
    assert (await live.refresh(app, tokens["refresh_token"])).status == 200


async def test_a_client_whose_row_was_deleted_starts_afresh_and_its_grants_stay_over(live: Live, site: Site) -> None:
    app = site.describe()
    tokens = await live.log_in(app)
    waiting = await live.browser().open_page(app)
    code = (await waiting.approve()).returned["code"]
    live.sql("DELETE FROM clients")
    assert (await live.refresh(app, tokens["refresh_token"])).json["error"] == "invalid_client"
    again = await live.log_in(app)
    assert await live.is_active(app, again["access_token"])
    assert not await live.is_active(app, tokens["access_token"])
    assert (await live.refresh(app, tokens["refresh_token"])).json["error"] == "invalid_grant"
    assert (await live.exchange(app, code, waiting.verifier)).json["error"] == "invalid_grant"
