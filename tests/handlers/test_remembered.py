"""Consent that is remembered: when nobody is asked, who is asked again, and what is shown then."""

import json
import os
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from server import keys
from server.identity import Waiting
from server.oauth.context import Context
from server.oauth.model import AuthorizationRequest, User, Visitor
from server.oauth.remembered import forget_application
from tests.browser import Answer, App, Browser, Page
from tests.conftest import Start
from tests.support import REDIRECT_URI, Live

DAY = 86_400
HOSTILE = "<script>alert(1)</script>@example.com"
SHOWN_ALWAYS = [
    "http://localhost:8787/callback",
    "http://127.0.0.1/callback",
    "https://localhost/callback",
    "https://127.0.0.1/callback",
    "https://[::1]/callback",
    "https://0x7f.1/callback",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "com.example.app:/callback",
]


class ByCookie:
    """Signs in whoever the cookie names, and keeps what it was asked.

    ``prompt=login`` wants the cookie ``anew`` too; with the cookie ``unproven`` nothing was proved, as in demo mode.
    """

    everyone = None

    def __init__(self) -> None:
        self.asked: list[AuthorizationRequest] = []

    async def visitor(self, http: web.Request, asked: AuthorizationRequest) -> Visitor | None:
        self.asked.append(asked)
        name = http.cookies.get("person")
        if not name or (asked.prompt == "login" and "anew" not in http.cookies):
            return None
        return Visitor(User(f"u-{name}", "https://login.example", name, name.title()), "unproven" not in http.cookies)

    async def challenge(self, _http: web.Request, _waiting: Waiting | None) -> web.Response:
        return web.Response(status=403, text="You are not signed in")


@pytest.fixture
def identity() -> ByCookie:
    return ByCookie()


@pytest.fixture
async def live(start: Start, identity: ByCookie) -> AsyncIterator[Live]:
    async with start(identity=identity) as running:
        yield running


def browser_of(live: Live, name: str = "ada") -> Browser:
    """Give a browser in which somebody is signed in."""
    return Browser(live.send, {"person": name} if name else {})


async def follow(browser: Browser, app: App, **parameters: str) -> tuple[Answer, str]:
    """Send an authorization request and open what it leads to; gives that answer and the verifier."""
    answer, verifier = await browser.authorize(app, **parameters)
    assert answer.location.startswith("/oauth/authorize/page?"), answer.location
    return await browser.send("GET", answer.location), verifier


async def is_asked(browser: Browser, app: App, **parameters: str) -> bool:
    """Tell whether the page is shown; if not, a code must have come back."""
    answer, _ = await follow(browser, app, **parameters)
    if answer.status == 200:
        return True
    assert answer.status == 302
    assert answer.returned["code"].startswith("att_ac_")
    return False


async def allow(browser: Browser, app: App, ticked: list[str] | None = None, **parameters: str) -> Page:
    """Go through the page and allow."""
    page = await browser.open_page(app, **parameters)
    assert "code" in (await page.approve(ticked)).returned
    return page


async def granted(live: Live, app: App, code: str, verifier: str) -> str:
    answer = await live.exchange(app, code, verifier)
    assert answer.status == 200, answer.text
    return str(answer.json["scope"])


def kept(page: Page) -> list[str]:
    """Give the scopes that the page says were allowed before."""
    [*_, listed] = page.shown.text.partition('<section class="kept">')
    return re.findall(r"<code>([^<]+)</code>", listed.partition("</section>")[0])


async def test_who_allowed_it_before_is_led_straight_back(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read account")
    for scope in ("read account", "account", "read", ""):
        answer, verifier = await follow(browser, app, scope=scope)
        assert answer.status == 302
        assert answer.location.startswith(REDIRECT_URI + "?code=")
        assert (answer.returned["state"], answer.returned["iss"]) == ("some-state", live.url)
        assert answer.headers["Cache-Control"] == "no-store"
        assert await granted(live, app, answer.returned["code"], verifier) == (scope or "read")


async def test_consent_is_remembered_for_thirty_days_from_when_it_was_given(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    live.clock.advance(30 * DAY - 1)
    assert not await is_asked(browser, app)
    live.clock.advance(1)
    assert await is_asked(browser, app), "a request that nobody was asked about must not prolong it"


async def test_allowing_again_begins_thirty_days_anew(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    live.clock.advance(20 * DAY)
    await allow(browser, app, prompt="consent")
    live.clock.advance(20 * DAY)
    assert not await is_asked(browser, app)


async def test_it_is_remembered_for_one_user_one_client_and_one_redirect_uri(live: Live) -> None:
    both = [REDIRECT_URI, "https://elsewhere.example/callback"]
    app, other = [await live.register(redirect_uris=both) for _ in range(2)]
    browser = browser_of(live)
    await allow(browser, app)
    assert not await is_asked(browser, app)
    assert await is_asked(browser_of(live, "bob"), app)
    assert await is_asked(browser, other)
    assert await is_asked(browser, app, redirect_uri=both[1])


async def test_it_is_remembered_in_every_browser_and_after_a_restart(start: Start) -> None:
    async with start(identity=ByCookie(), server_url="http://localhost:1") as live:
        app = await live.register()
        await allow(browser_of(live), app)
    async with start(identity=ByCookie(), server_url="http://localhost:1") as live:
        assert not await is_asked(browser_of(live), app)


async def test_in_demo_mode_nothing_is_remembered(start: Start) -> None:
    async with start() as live:
        app, browser = await live.register(), live.browser()
        for _ in range(2):
            await allow(browser, app, scope="read write")
        page = await browser.open_page(app, scope="read write account")
        assert (page.scopes, kept(page)) == (["read", "write", "account"], [])
        assert live.sql("SELECT count(*) FROM consents") == [(0,)]
        for prompt in ("login", "select_account", "consent"):
            assert await is_asked(browser, app, prompt=prompt)
        answer, _ = await browser.authorize(app, prompt="none")
        assert answer.returned["error"] == "login_required"


async def test_what_is_remembered_counts_for_nothing_where_nobody_proves_who_they_are(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    assert not await is_asked(browser, app)
    browser.cookies["unproven"] = "1"
    assert await is_asked(browser, app)
    answer, _ = await browser.authorize(app, prompt="none")
    assert answer.returned["error"] == "login_required"


@pytest.mark.parametrize("redirect_uri", SHOWN_ALWAYS)
async def test_where_any_program_could_be_behind_it_the_page_is_always_shown(live: Live, redirect_uri: str) -> None:
    app, browser = await live.register(redirect_uris=[redirect_uri]), browser_of(live)
    await allow(browser, app, scope="read write")
    again = await browser.open_page(app, scope="read write")
    assert (again.scopes, kept(again)) == (["read", "write"], [])
    answer, _ = await browser.authorize(app, scope="read", prompt="none")
    assert answer.location.startswith(redirect_uri)
    assert answer.returned["error"] == "consent_required"


async def test_what_is_new_is_told_apart_on_a_loopback_port_that_has_changed_too(live: Live) -> None:
    app, browser = await live.register(redirect_uris=["http://localhost:1/callback"]), browser_of(live)
    await allow(browser, app, redirect_uri="http://localhost:50123/callback", scope="read")
    page = await browser.open_page(app, redirect_uri="http://localhost:50124/callback", scope="read write")
    assert (page.scopes, kept(page)) == (["write"], ["read"])


CHANGES: list[tuple[str, Any]] = [
    ("redirect_uris", [REDIRECT_URI, "https://elsewhere.example/"]),
    ("metadata", {"jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A"}]}}),
    ("metadata", {"jwks_uri": "https://assistant.example/keys"}),
    ("token_endpoint_auth_method", "none"),
    ("secret_digest", "0" * 64),
]


@pytest.mark.parametrize(("column", "value"), CHANGES)
async def test_a_changed_redirect_uri_or_key_asks_again(live: Live, column: str, value: object) -> None:
    app, browser = await live.register(token_endpoint_auth_method="client_secret_basic"), browser_of(live)
    await allow(browser, app)
    stored = value if isinstance(value, str) else json.dumps(value)
    live.sql(f"UPDATE clients SET {column} = ?", stored)  # noqa: S608 - the columns are those above
    assert await is_asked(browser, app)
    answer, _ = await browser.authorize(app, prompt="none")
    assert answer.returned["error"] == "consent_required"
    await allow(browser, app)
    assert not await is_asked(browser, app)


async def test_another_name_or_another_order_asks_nobody(live: Live) -> None:
    both = [REDIRECT_URI, "https://elsewhere.example/"]
    app, browser = await live.register(redirect_uris=both), browser_of(live)
    await allow(browser, app)
    live.sql("UPDATE clients SET client_name = 'New', redirect_uris = ?", json.dumps(both[::-1]))
    assert not await is_asked(browser, app)


async def test_a_redirect_uri_that_was_removed_meanwhile_gets_no_code(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    page = await browser.open_page(app)
    live.sql("UPDATE clients SET redirect_uris = ?", json.dumps(["https://elsewhere.example/"]))
    for answer in (await browser.send("GET", page.address), await page.approve()):
        assert (answer.status, "Location" in answer.headers) == (400, False)


async def test_ending_a_grant_leaves_the_consent(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    page = await browser.open_page(app)
    tokens = (await live.exchange(app, (await page.approve()).returned["code"], page.verifier)).json
    await live.post("/revoke", app, token=tokens["refresh_token"])
    assert not await live.is_active(app, tokens["access_token"])
    assert not await is_asked(browser, app)


async def test_revoking_an_application_ends_the_consent_and_all_its_grants(live: Live) -> None:
    app, other = await live.register(), await live.register()
    held: list[tuple[Browser, App, str]] = []
    for client, name in ((app, "ada"), (app, "ada"), (app, "bob"), (other, "ada")):
        browser = browser_of(live, name)
        answer, verifier = await follow(browser, client)
        if answer.status == 200:
            page = await browser.open_page(client)
            answer, verifier = await page.approve(), page.verifier
        tokens = (await live.exchange(client, answer.returned["code"], verifier)).json
        held.append((browser, client, tokens["access_token"]))
    unused, verifier = await follow(held[0][0], app)
    application = live.application
    ctx = Context(application[keys.STORE], application[keys.SETTINGS], os.urandom, live.clock())
    assert await forget_application("u-ada", app.client_id, "revoked by its user", ctx) == 2
    assert await forget_application("u-ada", app.client_id, "revoked by its user", ctx) == 0
    assert [await live.is_active(client, token) for _, client, token in held] == [False, False, True, True]
    assert [await is_asked(browser, client) for browser, client, _ in held] == [True, True, False, False]
    assert (await live.exchange(app, unused.returned["code"], verifier)).json["error"] == "invalid_grant"
    reasons = live.sql("SELECT DISTINCT revoked_reason FROM grants WHERE revoked_at IS NOT NULL")
    assert reasons == [("revoked by its user",)]


@pytest.mark.parametrize("table", ["users", "clients"])
async def test_what_was_deleted_and_comes_back_is_asked_about_again(live: Live, table: str) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    live.sql(f"CREATE TABLE aside AS SELECT * FROM {table}")  # noqa: S608 - the names are those above
    live.sql(f"DELETE FROM {table}")  # noqa: S608
    live.clock.advance(1)
    live.sql("UPDATE aside SET created_at = created_at + 1")
    live.sql(f"INSERT INTO {table} SELECT * FROM aside")  # noqa: S608
    assert await is_asked(browser, app)


async def test_a_user_who_was_deleted_starts_afresh_when_they_allow_something_again(live: Live) -> None:
    app, other, browser = await live.register(), await live.register(), browser_of(live)
    await allow(browser, app)
    live.sql("DELETE FROM users")
    assert await is_asked(browser, app)
    await allow(browser, other)
    assert await is_asked(browser, app)
    assert live.sql("SELECT client_id FROM consents") == [(other.client_id,)]


async def test_a_disabled_user_gets_no_code(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    live.sql("UPDATE users SET disabled_at = 1")
    page = await browser.open_page(app)
    assert (await page.approve()).status == 400
    answer, _ = await browser.authorize(app, prompt="none")
    assert answer.returned["error"] == "consent_required"


async def test_an_operator_forgets_a_consent_by_deleting_its_row(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read write")
    live.sql("DELETE FROM consents WHERE scope = 'write'")
    assert not await is_asked(browser, app, scope="read")
    assert await is_asked(browser, app, scope="write")


async def test_a_wider_scope_asks_for_what_is_new_and_keeps_what_was_granted(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read account")
    page = await browser.open_page(app, scope="read account write payment")
    assert (page.scopes, kept(page)) == (["write", "payment"], ["read", "account"])
    assert page.shown.text.count('type="checkbox"') == 2
    answer = await page.approve()
    assert await granted(live, app, answer.returned["code"], page.verifier) == "read account write payment"
    assert not await is_asked(browser, app, scope="read account write payment")


async def test_what_is_new_may_be_left_out_and_is_asked_for_again(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read")
    page = await browser.open_page(app, scope="read write payment")
    answer = await page.approve(["write"])
    assert await granted(live, app, answer.returned["code"], page.verifier) == "read write"
    page = await browser.open_page(app, scope="read write payment")
    assert (page.scopes, kept(page)) == (["payment"], ["read", "write"])
    answer = await page.approve([])
    assert await granted(live, app, answer.returned["code"], page.verifier) == "read write"


async def test_denying_what_is_new_keeps_what_was_granted(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read")
    assert (await (await browser.open_page(app, scope="read write")).deny()).returned["error"] == "access_denied"
    assert not await is_asked(browser, app, scope="read")
    assert await is_asked(browser, app, scope="read write")


async def test_what_a_request_does_not_ask_for_is_not_granted(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read account")
    page = await browser.open_page(app, scope="write")
    assert (page.scopes, kept(page)) == (["write"], [])
    answer = await page.approve(["write", "read"])
    assert await granted(live, app, answer.returned["code"], page.verifier) == "write"
    assert not await is_asked(browser, app, scope="read write account")


async def test_each_scope_is_remembered_for_its_own_thirty_days(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read")
    live.clock.advance(20 * DAY)
    await allow(browser, app, scope="write")
    live.clock.advance(10 * DAY)
    page = await browser.open_page(app, scope="read write")
    assert (page.scopes, kept(page)) == (["read"], ["write"])


async def test_prompt_consent_asks_for_everything_again(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read write")
    for scope in (["read", "write"], ["read", "write", "payment"]):
        page = await browser.open_page(app, scope=" ".join(scope), prompt="consent")
        assert (page.scopes, kept(page)) == (scope, [])
    answer = await page.approve(["read"])
    assert await granted(live, app, answer.returned["code"], page.verifier) == "read"
    assert not await is_asked(browser, app, scope="read")
    assert await is_asked(browser, app, scope="write"), "what was cleared is remembered no longer"


@pytest.mark.parametrize("ticked", [None, []])
async def test_what_was_denied_when_all_was_asked_for_is_remembered_no_longer(
    live: Live, ticked: list[str] | None
) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read write")
    page = await browser.open_page(app, scope="write", prompt="consent")
    answer = await page.deny() if ticked is None else await page.approve(ticked)
    assert answer.returned["error"] == "access_denied"
    assert not await is_asked(browser, app, scope="read")
    assert await is_asked(browser, app, scope="write")


async def test_prompt_none_without_anybody_signed_in_is_login_required(live: Live) -> None:
    app = await live.register()
    await allow(browser_of(live), app)
    answer, _ = await browser_of(live, "").authorize(app, prompt="none")
    assert (answer.status, answer.returned["error"]) == (302, "login_required")
    assert (answer.returned["state"], answer.returned["iss"]) == ("some-state", live.url)


async def test_prompt_none_without_a_consent_that_covers_it_is_consent_required(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    for scope, allowed in (("read", "write"), ("read write", "")):
        answer, _ = await browser.authorize(app, scope=scope, prompt="none")
        assert answer.location.startswith(REDIRECT_URI + "?")
        assert answer.returned.pop("error_description")
        assert answer.returned["error"] == "consent_required"
        assert (answer.returned["state"], answer.returned["iss"]) == ("some-state", live.url)
        if allowed:
            await allow(browser, app, scope=allowed)


async def test_prompt_none_with_a_consent_that_covers_it_yields_a_code(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="read write")
    answer, verifier = await follow(browser, app, scope="write", prompt="none")
    assert answer.status == 302
    assert await granted(live, app, answer.returned["code"], verifier) == "write"


async def test_prompt_none_never_shows_the_page_even_if_the_consent_ends_on_the_way(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    leading, _ = await browser.authorize(app, prompt="none")
    live.sql("DELETE FROM consents")
    answer = await browser.send("GET", leading.location)
    assert (answer.status, answer.returned["error"]) == (302, "consent_required")


async def test_a_client_that_fetches_the_address_itself_first_takes_nothing_away(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    prefetched, _ = await live.browser().authorize(app)
    assert prefetched.status == 302
    codes = []
    leading = [await browser.authorize(app) for _ in range(2)]
    assert live.sql("SELECT count(*) FROM authorization_codes") == [(1,)], "/authorize itself makes no code"
    for answer, verifier in leading:
        codes.append(((await browser.send("GET", answer.location)).returned["code"], verifier))
    assert [await granted(live, app, code, verifier) for code, verifier in codes] == ["read", "read"]


async def test_a_page_that_led_back_is_used_up(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    leading, _ = await browser.authorize(app)
    assert (await browser.send("HEAD", leading.location)).status == 405
    assert (await browser.send("GET", leading.location)).status == 302
    again = await browser.send("GET", leading.location)
    assert (again.status, "already answered" in again.text) == (400, True)


async def test_another_browser_of_the_same_user_gets_no_code(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    leading, _ = await browser.authorize(app)
    answer = await browser_of(live).send("GET", leading.location)
    assert (answer.status, "another browser" in answer.text) == (400, True)


async def test_who_is_not_signed_in_can_neither_see_nor_decide(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    page = await browser.open_page(app)
    del browser.cookies["person"]
    for answer in (await browser.send("GET", page.address), await page.approve()):
        assert (answer.status, "Location" in answer.headers) == (403, False)
        assert "You are not signed in" in answer.text
    assert (await page.deny()).returned["error"] == "access_denied"


async def test_prompt_and_login_hint_reach_the_identity_and_no_page(live: Live, identity: ByCookie) -> None:
    app, browser = await live.register(), browser_of(live)
    page = await browser.open_page(app, prompt="select_account", login_hint=HOSTILE)
    assert "alert(1)" not in page.shown.text
    assert {(asked.prompt, asked.login_hint) for asked in identity.asked} == {("select_account", HOSTILE)}
    await page.approve()
    assert not await is_asked(browser, app, prompt="select_account")


async def test_prompt_login_is_the_identitys_to_meet(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app)
    refused, _ = await follow(browser, app, prompt="login")
    assert refused.status == 403
    browser.cookies["anew"] = "1"
    assert not await is_asked(browser, app, prompt="login")


async def test_the_page_says_who_is_signed_in_and_not_that_nobody_is(live: Live) -> None:
    text = (await browser_of(live).open_page(await live.register())).shown.text
    assert "<bdi>Ada</bdi>" in text
    assert "nobody signs in" not in text


async def test_a_grant_that_ends_needs_a_new_consent_even_if_it_is_younger_than_thirty_days(
    start: Start, identity: ByCookie
) -> None:
    async with start(identity=identity, oauth_grant_max_age=DAY) as live:
        app, browser = await live.register(), browser_of(live)
        await allow(browser, app)
        live.clock.advance(DAY - 1)
        assert not await is_asked(browser, app)
        live.clock.advance(1)
        assert await is_asked(browser, app)


async def test_consent_covers_what_a_scope_implies(start: Start, identity: ByCookie) -> None:
    async with start(identity=identity, oauth_scope_implies="payment>write,write>read") as live:
        app, browser = await live.register(), browser_of(live)
        page = await allow(browser, app, scope="payment")
        for words in ("Also: Look things up for you", "Also: Change your preferences"):
            assert words in page.shown.text
        answer, verifier = await follow(browser, app, scope="read write")
        assert await granted(live, app, answer.returned["code"], verifier) == "read write"
        page = await browser.open_page(app, scope="account read")
        assert (page.scopes, kept(page)) == (["account"], ["read"])


async def test_a_scope_that_was_cleared_is_not_implied_by_one_that_is_remembered(
    start: Start, identity: ByCookie
) -> None:
    async with start(identity=identity, oauth_scope_implies="write>read") as live:
        app, browser = await live.register(), browser_of(live)
        await allow(browser, app, scope="write account")
        await (await browser.open_page(app, scope="read", prompt="consent")).deny()
        assert await is_asked(browser, app, scope="read")
        assert await is_asked(browser, app, scope="write")
        assert not await is_asked(browser, app, scope="account")


async def test_without_a_hierarchy_no_scope_covers_another(live: Live) -> None:
    app, browser = await live.register(), browser_of(live)
    await allow(browser, app, scope="write payment account")
    assert await is_asked(browser, app, scope="read")
