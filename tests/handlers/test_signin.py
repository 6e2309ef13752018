"""Signing in to accounts in the database: the page, its form, the session, and what an authorization asks of them."""

import re
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from server.identity import passwords
from server.identity.sessions import IDLE, LIFETIME, TOUCH
from tests.browser import Page
from tests.conftest import Start
from tests.people import PASSWORD, Person, add_person, field, somebody
from tests.support import REDIRECT_URI, START, Live

HOUR = 3_600


@pytest.fixture
async def live(start: Start) -> AsyncIterator[Live]:
    async with start(oauth_provider="local") as running:
        yield running


async def is_in(person: Person) -> bool:
    """Tell whether the account page is shown."""
    return (await person.account()).status == 200


async def test_an_earlier_form_asks_for_username_and_password_and_then_the_same_request_goes_on(live: Live) -> None:
    app, ada = await live.register(), somebody(live)
    shown, verifier = await ada.begin(app, scope="read account")
    assert (shown.status, live.sql("SELECT count(*) FROM authorization_requests")) == (200, [(1,)])
    answer = await ada.fill_in(shown)
    assert answer.location == f"/oauth/authorize/page?request={field(shown, 'request')}"
    page = Page(ada.browser, await ada.browser.send("GET", answer.location), answer.location, verifier)
    assert "<bdi>Ada</bdi>" in page.shown.text
    tokens = (await live.exchange(app, (await page.approve()).returned["code"], verifier)).json
    assert tokens["scope"] == "read account"
    assert live.sql("SELECT user_id FROM grants") == [("att_us_ada",)]


async def test_who_is_signed_in_is_not_asked_to_sign_in_again(live: Live) -> None:
    app, ada = await live.register(), somebody(live)
    await ada.sign_in()
    page = await ada.browser.open_page(app)
    assert "code" in (await page.approve()).returned


@pytest.mark.parametrize("typed", ["ADA", " ada ", "\uff21da"])
async def test_capitals_and_other_ways_to_write_a_username_do_not_matter(live: Live, typed: str) -> None:
    ada = somebody(live)
    ada.name = typed
    await ada.sign_in()


@pytest.mark.parametrize(
    ("name", "password", "status"),
    [
        ("ada", PASSWORD.upper(), 403),
        ("ada", PASSWORD + " ", 403),
        ("nobody", PASSWORD, 403),
        ("ada", "", 400),
        ("", PASSWORD, 400),
        ("a\0da", "\0", 403),
        ("x" * 5_000, "y" * 50_000, 403),
    ],
)
async def test_anything_else_signs_nobody_in_and_shows_the_form_again(
    live: Live, name: str, password: str, status: int
) -> None:
    app, ada = await live.register(), somebody(live)
    shown, _ = await ada.begin(app)
    refused = await ada.fill_in(shown, username=name, password=password)
    assert (refused.status, "Location" in refused.headers) == (status, False)
    assert live.sql("SELECT count(*) FROM sessions") == [(0,)]
    assert (await ada.fill_in(refused)).status == 303, "the request must still wait"


async def test_the_answer_is_the_same_whatever_was_wrong(live: Live) -> None:
    ada, _ = somebody(live), add_person(live, "lin", password_hash=None)
    shown = await ada.browser.send("GET", "/signin")
    add_person(live, "eve")
    live.sql("UPDATE users SET disabled_at = 1 WHERE user_id = 'att_us_eve'")
    tried = [("ada", "wrong password"), ("lin", PASSWORD), ("eve", PASSWORD), ("nobody", PASSWORD)]
    answers = [await ada.fill_in(shown, username=name, password=password) for name, password in tried]
    assert len({re.sub(r'data-options="[^"]*"', "", answer.text) for answer in answers}) == 1
    assert {answer.status for answer in answers} == {403}


async def test_the_session_is_kept_as_a_digest_and_its_cookie_from_scripts(live: Live) -> None:
    ada = somebody(live)
    answer = await ada.sign_in()
    value = ada.browser.cookies["att_session"]
    [cookie] = [line for line in answer.headers.getall("Set-Cookie") if line.startswith("att_session=")]
    attributes = {part.strip() for part in cookie.split(";")[1:]}
    assert attributes == {"HttpOnly", "SameSite=Lax", "Path=/"}
    rows = live.sql("SELECT * FROM sessions")
    assert len(value) == 64
    assert value not in str(rows)
    assert rows[0][1:] == ("att_us_ada", "password", START, START, START + LIFETIME, "127.0.0.1", None)


async def test_on_https_both_cookies_belong_to_this_host_alone(start: Start) -> None:
    async with start(oauth_provider="local", server_url="https://mcp.example.com") as live:
        ada = somebody(live)
        await ada.sign_in()
        assert set(ada.browser.cookies) == {"__Host-att_browser", "__Host-att_session"}
        answer = await ada.post("/signout")
        lines = answer.headers.getall("Set-Cookie")
        assert any("Secure" in line and "Max-Age=0" in line for line in lines)


async def test_a_session_ends_a_day_after_its_last_use(live: Live) -> None:
    ada = somebody(live)
    await ada.sign_in()
    for _ in range(3):
        live.clock.advance(IDLE - 1)
        assert await is_in(ada)
    live.clock.advance(IDLE)
    assert not await is_in(ada)


async def test_a_session_ends_after_seven_days_however_much_it_is_used(live: Live) -> None:
    ada = somebody(live)
    await ada.sign_in()
    for _ in range(LIFETIME // (IDLE // 2) - 1):
        live.clock.advance(IDLE // 2)
        assert await is_in(ada)
    live.clock.advance(IDLE // 2 - 1)
    assert await is_in(ada)
    live.clock.advance(1)
    assert not await is_in(ada)


async def test_use_is_written_down_every_five_minutes_and_not_each_time(live: Live) -> None:
    ada = somebody(live)
    await ada.sign_in()
    for seconds, noted in ((TOUCH - 1, START), (1, START + TOUCH), (TOUCH - 1, START + TOUCH)):
        live.clock.advance(seconds)
        await ada.account()
        assert live.sql("SELECT last_used_at FROM sessions") == [(noted,)]


async def test_signing_out_ends_this_browsers_session_alone(live: Live) -> None:
    here = somebody(live)
    there = Person(live.browser())
    for person in (here, there):
        await person.sign_in()
    answer = await here.post("/signout")
    assert (answer.status, answer.location) == (303, "/signin?notice=signed-out")
    assert "You are signed out" in (await here.browser.send("GET", answer.location)).text
    assert (await is_in(here), await is_in(there)) == (False, True)


async def test_signing_out_everywhere_ends_every_session_of_the_user_and_no_other(live: Live) -> None:
    here, lin = somebody(live), somebody(live, "lin")
    there = Person(live.browser())
    for person in (here, there, lin):
        await person.sign_in()
    assert (await here.post("/signout/everywhere")).status == 303
    assert [await is_in(person) for person in (here, there, lin)] == [False, False, True]


async def test_a_cookie_that_is_kept_after_signing_out_is_worth_nothing(live: Live) -> None:
    ada = somebody(live)
    await ada.sign_in()
    kept = dict(ada.browser.cookies)
    await ada.post("/signout")
    ada.browser.cookies = kept
    assert not await is_in(ada)


async def test_prompt_login_asks_again_once_and_then_goes_on(live: Live) -> None:
    app, ada = await live.register(), somebody(live)
    await ada.sign_in()
    shown, _ = await ada.begin(app, prompt="login")
    assert "Go on as" not in shown.text
    page = await ada.consent(app, prompt="login")
    assert "code" in (await page.approve()).returned


async def test_prompt_select_account_offers_who_is_signed_in_and_others(live: Live) -> None:
    app, ada = await live.register(), somebody(live)
    add_person(live, "lin")
    await ada.sign_in()
    shown, verifier = await ada.begin(app, prompt="select_account")
    assert "Go on as <bdi>Ada</bdi>" in shown.text
    fields = {"csrf": field(shown, "csrf"), "request": field(shown, "request"), "as": "before"}
    answer = await ada.browser.send("POST", "/signin", data=fields)
    page = Page(ada.browser, await ada.browser.send("GET", answer.location), answer.location, verifier)
    assert "<bdi>Ada</bdi>" in page.shown.text
    lin = Person(ada.browser, "lin")
    assert "<bdi>Lin</bdi>" in (await lin.consent(app, prompt="select_account")).shown.text


@pytest.mark.parametrize("parameters", [{"prompt": "login"}, {"prompt": "login select_account"}, {"max_age": "0"}])
async def test_going_on_as_before_is_no_sign_in_where_one_is_asked_for(live: Live, parameters: dict[str, str]) -> None:
    app, ada = await live.register(), somebody(live)
    await ada.sign_in()
    shown, _ = await ada.begin(app, **parameters)
    fields = {"csrf": field(shown, "csrf"), "request": field(shown, "request"), "as": "before"}
    assert (await ada.browser.send("POST", "/signin", data=fields)).status == 403
    handle = field(shown, "request")
    again = await ada.browser.send("GET", f"/oauth/authorize/page?request={handle}")
    assert 'name="password"' in again.text


async def test_max_age_asks_whoever_signed_in_too_long_ago(live: Live) -> None:
    app, ada = await live.register(), somebody(live)
    await ada.sign_in()
    live.clock.advance(HOUR)
    assert 'name="decision" value="approve"' in (await ada.begin(app, max_age=str(HOUR + 1)))[0].text
    assert 'name="password"' in (await ada.begin(app, max_age=str(HOUR)))[0].text
    page = await ada.consent(app, max_age="1")
    live.clock.advance(60)
    assert "code" in (await page.approve()).returned, "they signed in for this very request"
    refused, _ = await ada.browser.authorize(app, max_age="-1")
    assert refused.returned["error"] == "invalid_request"


async def test_login_hint_fills_in_the_username_as_mere_text(live: Live) -> None:
    app, ada = await live.register(), somebody(live)
    shown, _ = await ada.begin(app, login_hint='ada"><script>alert(1)</script>')
    assert 'value="ada&#34;&gt;&lt;script&gt;' in shown.text
    assert "<script>alert" not in shown.text


async def test_prompt_none_with_a_session_and_a_remembered_consent_answers_without_a_page(live: Live) -> None:
    app, ada = await live.register(), somebody(live)
    answer, _ = await ada.browser.authorize(app, prompt="none")
    assert answer.returned["error"] == "login_required"
    await ada.sign_in()
    answer, _ = await ada.browser.authorize(app, prompt="none")
    assert answer.returned["error"] == "consent_required"
    await (await ada.browser.open_page(app)).approve()
    answer, verifier = await ada.begin(app, prompt="none")
    assert answer.location.startswith(REDIRECT_URI)
    assert (await live.exchange(app, answer.returned["code"], verifier)).status == 200


async def test_prompt_none_shows_no_form_to_whoever_signed_out_meanwhile(live: Live) -> None:
    app, ada = await live.register(), somebody(live)
    await ada.sign_in()
    await (await ada.browser.open_page(app)).approve()
    waiting, _ = await ada.browser.authorize(app, prompt="none")
    await ada.post("/signout")
    answer = await ada.browser.send("GET", waiting.location)
    assert answer.returned["error"] == "login_required"


async def test_who_may_not_sign_in_is_told_so_and_nothing_is_issued(start: Start) -> None:
    async with start(oauth_provider="local", oauth_allowed_users="lin@example.com, @Example.org") as live:
        app = await live.register()
        for name, email, allowed in (
            ("ada", "ada@example.com", False),
            ("lin", "LIN@example.com", True),
            ("eve", "eve@example.org", True),
            ("kim", "kim@sub.example.org", False),
            ("bob", "bob@example.org.evil.example", False),
            ("pat", None, False),
            ("sam", "@example.org", False),
        ):
            add_person(live, name, email=email)
            person = Person(live.browser(), name)
            shown, _ = await person.begin(app)
            answer = await person.fill_in(shown)
            assert (answer.status, name) == (303 if allowed else 403, name)
            assert ("You may not use this server" in answer.text) is not allowed
            assert ("att_session" in person.browser.cookies) is allowed
        assert live.sql("SELECT count(*) FROM authorization_codes") == [(0,)]


async def test_who_may_not_sign_in_can_use_another_account_or_go_back_to_the_application(start: Start) -> None:
    async with start(oauth_provider="local", oauth_allowed_users="lin@example.com") as live:
        app, ada = await live.register(), somebody(live)
        add_person(live, "lin")
        shown, _ = await ada.begin(app)
        refused = await ada.fill_in(shown)
        [again] = re.findall(r'<a href="(/signin[^"]*)">Sign in with another account', refused.text)
        other = await Person(ada.browser, "lin").fill_in(await ada.browser.send("GET", again))
        assert other.status == 303
        fields = {"request": field(refused, "request"), "decision": "deny"}
        back = await ada.browser.send("POST", "/oauth/authorize/approve", data=fields)
        assert back.returned["error"] == "access_denied"


async def test_who_is_shut_out_later_is_signed_in_no_longer(start: Start) -> None:
    async with start(oauth_provider="local") as live:
        ada = somebody(live)
        await ada.sign_in()
    async with start(oauth_provider="local", oauth_allowed_users="@example.org") as live:
        ada.browser.send_alone = live.send
        assert not await is_in(ada)


async def test_cancelling_leads_back_to_the_client_without_signing_in(live: Live) -> None:
    app, ada = await live.register(), somebody(live)
    shown, _ = await ada.begin(app)
    fields = {"request": field(shown, "request"), "decision": "deny"}
    answer = await ada.browser.send("POST", "/oauth/authorize/approve", data=fields)
    assert answer.returned["error"] == "access_denied"


async def test_a_sixth_attempt_at_one_account_waits_twenty_seconds_wherever_it_comes_from(start: Start) -> None:
    trusted = {"trusted_proxies": "127.0.0.0/8"}
    async with start(oauth_provider="local", rate_limits=True, **trusted) as live:
        ada = somebody(live)
        shown = await ada.browser.send("GET", "/signin")
        fields = {"csrf": field(shown, "csrf"), "username": "ada", "password": "wrong"}
        statuses = []
        for number in range(6):
            headers = {"X-Forwarded-For": f"192.0.2.{number}"}
            answer = await ada.browser.send("POST", "/signin", data=fields, headers=headers)
            statuses.append(answer.status)
        assert statuses == [403] * 5 + [429]
        assert answer.headers["Retry-After"] == "20"
        assert "Wait 20 seconds" in answer.text
        live.clock.advance(20)
        right = {**fields, "password": PASSWORD}
        headers = {"X-Forwarded-For": "192.0.2.99"}
        assert (await ada.browser.send("POST", "/signin", data=right, headers=headers)).status == 303


async def test_a_sixth_attempt_from_one_address_waits_whatever_the_account(start: Start) -> None:
    async with start(oauth_provider="local", rate_limits=True) as live:
        ada = somebody(live)
        shown = await ada.browser.send("GET", "/signin")
        statuses = [(await ada.fill_in(shown, username=f"user{number}")).status for number in range(6)]
        assert statuses == [403] * 5 + [429]


async def test_signing_in_failing_and_signing_out_are_noted_with_exact_reasons(start: Start) -> None:
    async with start(oauth_provider="local") as live:
        ada = somebody(live)
        shown = await ada.browser.send("GET", "/signin")
        await ada.fill_in(shown, password="a secret typed wrongly")
        await ada.fill_in(shown, username="another secret in the wrong place")
        await ada.sign_in()
        await ada.post("/signout")
    rows = live.sql("SELECT event, user_id, address, detail FROM audit_log ORDER BY event, detail")
    assert rows == [
        ("sign_in_failed", None, "127.0.0.1", "there is no such account"),
        ("sign_in_failed", "att_us_ada", "127.0.0.1", "wrong password"),
        ("signed_in", "att_us_ada", "127.0.0.1", "password"),
        ("signed_out", "att_us_ada", "127.0.0.1", None),
    ]


async def test_a_hash_with_other_parameters_is_renewed_at_the_next_sign_in(live: Live) -> None:
    former = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    add_person(live, password_hash=former)
    ada = Person(live.browser())
    await ada.sign_in()
    [(renewed,)] = live.sql("SELECT hash FROM passwords")
    assert renewed.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    await ada.sign_in()
    assert live.sql("SELECT hash FROM passwords") == [(renewed,)]


async def test_whoever_signs_in_in_a_crowd_is_told_to_wait(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "AT_ONCE", 0)
    monkeypatch.setattr(passwords, "PATIENCE", 0.01)
    async with start(oauth_provider="local") as live:
        ada = somebody(live)
        answer = await ada.fill_in(await ada.browser.send("GET", "/signin"))
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "Too many people are signing in at once." in answer.text
        assert live.sql("SELECT count(*) FROM sessions") == [(0,)]


async def test_the_start_says_so_when_nobody_could_sign_in(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    for provider, warned in (("demo", False), ("local", True)):
        caplog.clear()
        async with start(oauth_provider=provider) as live:
            assert ("there is no account yet" in caplog.text) is warned
            if warned:
                add_person(live)
    caplog.clear()
    async with start(oauth_provider="local"):
        assert "there is no account yet" not in caplog.text


async def test_in_demo_mode_there_is_nowhere_to_sign_in(start: Start) -> None:
    async with start() as live:
        for path in ("/signin", "/invitation"):
            assert (await live.send("GET", path)).status == 404
        assert "Nobody signs in here" in (await live.send("GET", "/account")).text
