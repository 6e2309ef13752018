"""Threats to the authorization code flow, one test or small group each; the names are those of the threats."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser import Answer, App, challenge
from tests.conftest import Start
from tests.support import REDIRECT_URI, START, Live

FORM = "/oauth/authorize/approve"
OTHER_URI = "https://another.example/callback"

ENDPOINTS = [
    ("GET", "/authorize"),
    ("GET", "/oauth/authorize/page"),
    ("POST", FORM),
    ("GET", "/"),
    ("GET", "/account"),
]


def codes(live: Live) -> int:
    """Count the codes that were ever issued."""
    return int(live.sql("SELECT count(*) FROM authorization_codes")[0][0])


async def test_confused_deputy_one_clients_consent_is_no_other_clients(live: Live) -> None:
    trusted, twin = await live.register(client_name="Example"), await live.register(client_name="Example")
    browser = live.browser()
    await (await browser.open_page(trusted)).approve()
    answer, _ = await browser.authorize(twin)
    assert answer.location.startswith("/oauth/authorize/page?")
    shown = await browser.send("GET", answer.location)
    assert (shown.status, codes(live)) == (200, 1)


async def test_confused_deputy_nothing_but_the_users_own_answer_leads_back_with_a_code(live: Live) -> None:
    app = await live.register()
    browser = live.browser()
    page = await browser.open_page(app)
    for _ in range(3):
        await browser.send("GET", page.address)
    await page.deny()
    assert codes(live) == 0


async def test_consent_csrf_a_form_posted_from_elsewhere_decides_nothing(live: Live) -> None:
    page = await live.browser().open_page(await live.register())
    elsewhere = await page.submit("approve", browser=live.browser())
    assert (elsewhere.status, codes(live)) == (400, 0)
    assert "Location" not in elsewhere.headers
    assert (await page.approve()).status == 303


async def test_consent_csrf_a_link_decides_nothing(live: Live) -> None:
    page = await live.browser().open_page(await live.register())
    query = urlencode({"request": page.handle, "decision": "approve", "scope": "read"})
    assert (await page.browser.send("GET", f"{FORM}?{query}")).status == 405
    assert (await page.browser.send("GET", f"/oauth/authorize/page?{query}")).status == 200
    assert codes(live) == 0


@pytest.mark.parametrize("url", ["http://localhost:8000", "https://mcp.example.com"])
async def test_consent_csrf_the_browsers_cookie_does_not_come_along_from_elsewhere(start: Start, url: str) -> None:
    async with start(server_url=url) as live:
        answer, _ = await live.browser().authorize(await live.register())
    attributes = {part.strip() for part in answer.headers["Set-Cookie"].split(";")[1:]}
    assert attributes >= {"HttpOnly", "SameSite=Lax", "Path=/"}
    assert ("Secure" in attributes) is url.startswith("https")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_click_jacking_no_page_can_be_framed(live: Live, method: str, path: str) -> None:
    answer = await live.send(method, path)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_click_jacking_the_consent_page_cannot_be_framed(live: Live) -> None:
    headers = (await live.browser().open_page(await live.register())).shown.headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


async def test_replayed_handle_yields_one_code_however_often_and_however_fast(live: Live) -> None:
    page = await live.browser().open_page(await live.register())
    answers = await asyncio.gather(*(page.approve() for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [303, 400, 400, 400, 400]
    assert ((await page.deny()).status, (await page.approve()).status, codes(live)) == (400, 400, 1)


async def test_swapped_handle_opens_and_decides_nothing_in_another_browser(live: Live) -> None:
    app = await live.register()
    attackers, victims = await live.browser().open_page(app), await live.browser().open_page(app)
    assert (await victims.browser.send("GET", attackers.address)).status == 400
    assert (await attackers.submit("approve", browser=victims.browser)).status == 400
    assert codes(live) == 0


async def test_swapped_handle_brings_the_code_only_to_its_own_client(live: Live) -> None:
    browser = live.browser()
    first = await browser.open_page(await live.register())
    second = await browser.open_page(await live.register(redirect_uris=[OTHER_URI]))
    fields = {"request": second.handle, "decision": "approve", "scope": "read"}
    forged = {"redirect_uri": REDIRECT_URI, "client_id": "x", "state": "y"}
    answer = await browser.send("POST", FORM, data=fields | forged)
    assert answer.location.startswith(OTHER_URI)
    assert answer.returned["state"] == "some-state"
    assert (await first.approve()).location.startswith(REDIRECT_URI)


@pytest.mark.parametrize(
    "uri",
    [
        OTHER_URI,
        f"{REDIRECT_URI}/",
        f"{REDIRECT_URI}/../other",
        f"{REDIRECT_URI}?next=https://another.example",
        f"{REDIRECT_URI}#fragment",
        "http://assistant.example/callback",
        "https://assistant.example:444/callback",
        "https://assistant.example.another.example/callback",
        "https://assistant.example@another.example/callback",
        "https://another.example\\@assistant.example/callback",
        "https://ASSISTANT.example/callback",
        "https://assistant.example/callbac%6b",
        "//assistant.example/callback",
        "javascript:alert(1)",
    ],
)
async def test_redirect_abuse_only_what_was_registered_is_led_to(live: Live, uri: str) -> None:
    answer, _ = await live.browser().authorize(await live.register(), redirect_uri=uri, response_type="nonsense")
    assert answer.status == 400
    assert "Location" not in answer.headers
    assert live.sql("SELECT count(*) FROM authorization_requests") == [(0,)]


async def test_redirect_abuse_no_form_is_posted_on_to_a_client(live: Live) -> None:
    app = await live.register()
    for answer in (await (await live.browser().open_page(app)).approve(), await post(live, app)):
        assert answer.status == 303


async def post(live: Live, app: App) -> Answer:
    """Post an authorization request that goes back to the client."""
    return await live.send("POST", "/authorize", data={"client_id": app.client_id, "redirect_uri": app.redirect_uri})


@pytest.mark.parametrize("method", ["none", "client_secret_basic"])
@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
    ],
)
async def test_pkce_downgrade_is_refused_to_every_client(live: Live, method: str, changes: dict[str, str]) -> None:
    answer, _ = await live.browser().authorize(await live.register(token_endpoint_auth_method=method), **changes)
    assert answer.returned["error"] == "invalid_request"
    assert live.sql("SELECT count(*) FROM authorization_requests") == [(0,)]


async def test_pkce_downgrade_at_the_exchange_is_refused(live: Live) -> None:
    app = await live.register()
    page = await live.browser().open_page(app)
    code = (await page.approve()).returned["code"]
    for verifier, error in (
        ("", "invalid_request"),
        ("x" * 43, "invalid_grant"),
        (challenge(page.verifier), "invalid_grant"),
    ):
        assert (await live.exchange(app, code, verifier)).json["error"] == error
    assert (await live.exchange(app, code, page.verifier)).status == 200


async def test_code_replay_revokes_what_came_of_the_code(live: Live) -> None:
    app = await live.register()
    page = await live.browser().open_page(app)
    code = (await page.approve()).returned["code"]
    tokens = (await live.exchange(app, code, page.verifier)).json
    assert (await live.exchange(app, code, page.verifier)).json["error"] == "invalid_grant"
    for name in ("access_token", "refresh_token"):
        assert not await live.is_active(app, tokens[name])


async def test_code_replay_by_another_client_gets_nothing(live: Live) -> None:
    app, thief = await live.register(), await live.register()
    page = await live.browser().open_page(app)
    code = (await page.approve()).returned["code"]
    assert (await live.exchange(thief, code, page.verifier)).json["error"] == "invalid_grant"
    assert (await live.exchange(app, code, page.verifier)).status == 200


async def test_refresh_replay_after_the_grace_ends_the_family(start: Start) -> None:
    async with start(oauth_refresh_grace=60) as live:
        app, thief = await live.register(), await live.register()
        stolen = (await live.log_in(app))["refresh_token"]
        assert (await live.refresh(thief, stolen)).json["error"] == "invalid_grant"
        kept: dict[str, Any] = (await live.refresh(app, stolen)).json
        live.clock.advance(60)
        assert (await live.refresh(app, stolen)).json["error"] == "invalid_grant"
        assert not await live.is_active(app, kept["access_token"])
        assert (await live.refresh(app, kept["refresh_token"])).json["error"] == "invalid_grant"
        ended = live.sql("SELECT revoked_at FROM grants")
        assert ended == [(START + 60,)]


async def test_mix_up_every_answer_to_a_client_names_the_issuer(live: Live) -> None:
    app = await live.register()
    metadata = (await live.send("GET", "/.well-known/oauth-authorization-server")).json
    assert metadata["authorization_response_iss_parameter_supported"] is True
    approved = await (await live.browser().open_page(app)).approve()
    denied = await (await live.browser().open_page(app)).deny()
    refused, _ = await live.browser().authorize(app, scope="unknown")
    for answer in (approved, denied, refused):
        assert answer.location.startswith(REDIRECT_URI)
        assert answer.returned["iss"] == metadata["issuer"] == live.url
