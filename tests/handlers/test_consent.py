"""The consent page and its form: what is shown, to whom, for how long, and what a decision does."""

import asyncio

import pytest

from tests.conftest import Start
from tests.support import REDIRECT_URI, Live

HOSTILE = "{{7*7}}<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202emoc.elpmaxe"


async def test_the_page_says_who_asks_for_what_and_where_the_way_leads(live: Live) -> None:
    app = await live.register(client_name="Example Assistant")
    shown = (await live.browser().open_page(app, scope="read account")).shown
    for words in ("Example Assistant", "assistant.example", "Unverified", "nobody signs in", app.client_id):
        assert words in shown.text
    for words in ("Look things up for you", "See your accounts, balances"):
        assert words in shown.text
    assert "Any program on this computer" not in shown.text


async def test_an_app_that_can_only_be_on_this_computer_gets_a_stronger_warning(live: Live) -> None:
    loopback = await live.register(redirect_uris=["http://localhost:1/callback", "http://127.0.0.1/"])
    mixed = await live.register(redirect_uris=["http://localhost:1/callback", REDIRECT_URI])
    shown = [(await live.browser().open_page(app)).shown.text for app in (loopback, mixed)]
    assert ["Any program on this computer" in text for text in shown] == [True, False]


async def test_the_page_cannot_be_framed_cached_or_scripted_and_its_form_may_redirect(live: Live) -> None:
    headers = (await live.browser().open_page(await live.register())).shown.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action" not in policy
    assert "script-src" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


async def test_the_form_has_two_buttons_and_a_ticked_box_for_each_scope(live: Live) -> None:
    page = await live.browser().open_page(await live.register(), scope="write read account offline_access")
    text = page.shown.text
    assert text.count("<form ") == 1
    assert '<form method="post"' in text
    for button in ("approve", "deny"):
        assert text.count(f'name="decision" value="{button}"') == 1
    assert page.scopes == ["write", "read", "account"]
    assert text.count('type="checkbox"') == text.count(" checked>") == 3


async def test_what_an_app_says_of_itself_cannot_write_into_the_page(live: Live) -> None:
    app = await live.register(client_name=HOSTILE, logo_uri="https://evil.example/pixel.png")
    text = (await live.browser().open_page(app)).shown.text
    assert "<script" not in text
    assert "<img" not in text
    assert "\u202e" not in text
    assert "evil.example" not in text
    assert "{{7*7}}" in text


async def test_a_name_of_odd_characters_is_shown_and_breaks_nothing(live: Live) -> None:
    for name in ("\x00\x01", "\u200b", "a" * 5_000, "\U0001f600" * 1_000, "   "):
        page = await live.browser().open_page(await live.register(client_name=name))
        assert page.shown.status == 200


async def test_approval_leads_back_with_code_state_and_issuer(live: Live) -> None:
    answer = await (await live.browser().open_page(await live.register())).approve()
    assert answer.status == 303
    assert answer.location.startswith(REDIRECT_URI + "?code=att_ac_")
    assert answer.returned == {"code": answer.returned["code"], "state": "some-state", "iss": live.url}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_denial_leads_back_with_access_denied_state_and_issuer(live: Live) -> None:
    answer = await (await live.browser().open_page(await live.register())).deny()
    assert answer.status == 303
    assert answer.location.startswith(REDIRECT_URI + "?error=access_denied&error_description=")
    assert (answer.returned["state"], answer.returned["iss"]) == ("some-state", live.url)
    assert live.sql("SELECT count(*) FROM authorization_codes") == [(0,)]


@pytest.mark.parametrize(
    ("ticked", "granted"),
    [(["read"], "read"), (["account", "read"], "read account"), (["account", "payment", "admin"], "account")],
)
async def test_only_scopes_that_were_asked_for_and_kept_are_granted(
    live: Live, ticked: list[str], granted: str
) -> None:
    app = await live.register()
    page = await live.browser().open_page(app, scope="read account")
    code = (await page.approve(ticked)).returned["code"]
    tokens = (await live.exchange(app, code, page.verifier)).json
    assert tokens["scope"] == granted
    assert (await live.introspect(app, tokens["refresh_token"]))["scope"] == granted


@pytest.mark.parametrize("ticked", [[], ["payment"], ["admin"]])
async def test_unticking_everything_is_a_denial(live: Live, ticked: list[str]) -> None:
    page = await live.browser().open_page(await live.register(), scope="read account")
    assert (await page.approve(ticked)).returned["error"] == "access_denied"
    assert (await page.approve()).status == 400


@pytest.mark.parametrize("first", ["approve", "deny"])
@pytest.mark.parametrize("second", ["approve", "deny"])
async def test_a_request_is_decided_once(live: Live, first: str, second: str) -> None:
    page = await live.browser().open_page(await live.register())
    assert (await page.submit(first)).status == 303
    again = await page.submit(second)
    assert (again.status, "Location" in again.headers) == (400, False)
    assert "already answered" in again.text
    assert (await page.browser.send("GET", page.address)).status == 400
    assert live.sql("SELECT count(*) FROM authorization_codes") == [(1 if first == "approve" else 0,)]


async def test_decisions_at_the_same_moment_have_one_winner(live: Live) -> None:
    page = await live.browser().open_page(await live.register())
    answers = await asyncio.gather(*(page.submit(decision) for decision in ["approve", "deny", "approve"] * 3))
    assert sorted(answer.status for answer in answers) == [303] + [400] * 8


async def test_looking_at_the_page_consumes_nothing(live: Live) -> None:
    page = await live.browser().open_page(await live.register())
    assert (await page.browser.send("GET", page.address)).status == 200
    assert (await page.approve()).status == 303


async def test_several_tabs_wait_at_once(live: Live) -> None:
    browser = live.browser()
    apps = [await live.register(client_name=f"App {number}") for number in range(3)]
    pages = [await browser.open_page(app, state=f"tab-{number}") for number, app in enumerate(apps)]
    for number in (1, 0, 2):
        answer = await pages[number].approve()
        assert answer.returned["state"] == f"tab-{number}"
        tokens = await live.exchange(apps[number], answer.returned["code"], pages[number].verifier)
        assert tokens.status == 200


async def test_another_browser_can_neither_see_nor_decide(live: Live) -> None:
    app = await live.register()
    page = await live.browser().open_page(app)
    another = live.browser()
    await another.authorize(app)
    for stranger in (live.browser(), another):
        seen = await stranger.send("GET", page.address)
        decided = await page.submit("approve", browser=stranger)
        assert (seen.status, decided.status) == (400, 400)
        assert page.handle not in seen.text
        assert "another browser" in decided.text
    assert (await page.approve()).status == 303


async def test_a_request_waits_ten_minutes_and_no_longer(live: Live) -> None:
    app = await live.register()
    in_time, too_late = [await live.browser().open_page(app) for _ in range(2)]
    live.clock.advance(599)
    assert (await in_time.approve()).status == 303
    live.clock.advance(1)
    for answer in (await too_late.browser.send("GET", too_late.address), await too_late.approve()):
        assert answer.status == 400
        assert "expired" in answer.text


async def test_a_client_removed_meanwhile_gets_no_code(live: Live) -> None:
    page = await live.browser().open_page(await live.register())
    live.sql("DELETE FROM clients")
    for answer in (await page.browser.send("GET", page.address), await page.approve()):
        assert (answer.status, "Location" in answer.headers) == (400, False)


async def test_a_disabled_user_gets_no_code(live: Live) -> None:
    app = await live.register()
    await live.log_in(app)
    page = await live.browser().open_page(app)
    live.sql("UPDATE users SET disabled_at = 1")
    answer = await page.approve()
    assert (answer.status, "Location" in answer.headers) == (400, False)
    assert "the account was disabled" in answer.text


async def test_nothing_that_decides_is_read_back_from_the_form(live: Live) -> None:
    page = await live.browser().open_page(await live.register())
    fields = {
        "request": page.handle,
        "decision": "approve",
        "scope": "read",
        "redirect_uri": "https://evil.example/",
        "client_id": "other",
        "state": "other",
        "user_id": "root",
    }
    answer = await page.browser.send("POST", "/oauth/authorize/approve", data=fields)
    assert answer.location.startswith(REDIRECT_URI)
    assert answer.returned["state"] == "some-state"


async def test_a_form_posted_without_a_referrer_has_a_null_origin_and_works(live: Live) -> None:
    page = await live.browser().open_page(await live.register())
    fields = {"request": page.handle, "decision": "approve", "scope": "read"}
    answer = await page.browser.send("POST", "/oauth/authorize/approve", data=fields, headers={"Origin": "null"})
    assert answer.status == 303


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [("decision", "approve")],
        [("request", "x")],
        [("request", "{handle}")],
        [("request", "{handle}"), ("decision", "")],
        [("request", "{handle}"), ("decision", "perhaps")],
        [("request", "{handle}"), ("request", "{handle}"), ("decision", "approve")],
        [("request", "{handle}"), ("decision", "approve"), ("decision", "deny")],
    ],
)
async def test_a_form_that_cannot_be_read_decides_nothing(live: Live, fields: list[tuple[str, str]]) -> None:
    page = await live.browser().open_page(await live.register())
    filled = [(name, value.replace("{handle}", page.handle)) for name, value in fields]
    answer = await page.browser.send("POST", "/oauth/authorize/approve", data=filled)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert (await page.approve()).status == 303


@pytest.mark.parametrize(
    "query", ["", "?client_id=test&redirect_uri=https://example.com", "?request=", "?request=x", "?request=a&request=b"]
)
async def test_the_page_opened_by_hand_explains_what_is_wrong(live: Live, query: str) -> None:
    answer = await live.send("GET", f"/oauth/authorize/page{query}")
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "What you can do" in answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


async def test_every_approval_is_by_the_demo_user(start: Start) -> None:
    async with start(oauth_provider="custom") as live:
        app = await live.register()
        tokens = await live.log_in(app)
        described = await live.introspect(app, tokens["access_token"])
        assert (described["sub"], described["username"]) == ("demo", "demo")
        assert live.sql("SELECT user_id, issuer, subject FROM users") == [("demo", "demo", "demo")]


async def test_a_disabled_demo_user_is_said_on_the_page_and_may_allow_again_once_enabled(live: Live) -> None:
    app, browser = await live.register(), live.browser()
    await live.log_in(app)
    live.sql("UPDATE users SET disabled_at = 1 WHERE user_id = 'demo'")
    begun, _ = await browser.authorize(app)
    refused = await browser.send("GET", begun.location)
    assert refused.status == 403
    assert "users enable demo" in refused.text
    assert "<form" not in refused.text
    live.sql("UPDATE users SET disabled_at = NULL")
    assert (await browser.send("GET", begun.location)).status == 200
    await live.log_in(app)
