"""Threats to signing in and to what one does signed in; the names are those of the threats."""

import logging
import os
import re
from collections.abc import AsyncIterator

import pytest

from server.identity import local
from server.oauth import tokens
from tests.browser import Answer
from tests.conftest import Start
from tests.people import PASSWORD, Person, add_person, field, link, somebody
from tests.support import REDIRECT_URI, Live

ANY_SESSION = "0123456789abcdef" * 4
NEW = "another one, quite unrelated"
FORMS = ["/signout", "/signout/everywhere", "/account/revoke", "/account/password"]


@pytest.fixture
async def live(start: Start) -> AsyncIterator[Live]:
    async with start(oauth_provider="local") as running:
        yield running


def sessions(live: Live) -> list[tuple[str, str]]:
    """Give whose sessions there are, and their digests."""
    return live.sql("SELECT user_id, session_digest FROM sessions ORDER BY user_id")


async def test_session_fixation_a_planted_session_id_is_not_the_one_that_is_signed_in(live: Live) -> None:
    ada = somebody(live)
    ada.browser.cookies["att_session"] = ANY_SESSION
    await ada.sign_in()
    assert ada.browser.cookies["att_session"] != ANY_SESSION
    assert [digest for _, digest in sessions(live)] == [tokens.digest(ada.browser.cookies["att_session"])]
    thief = Person(live.browser())
    thief.browser.cookies["att_session"] = ANY_SESSION
    assert (await thief.account()).status == 302


async def test_session_fixation_a_session_of_the_attackers_own_ends_when_another_signs_in_over_it(live: Live) -> None:
    eve, ada = somebody(live, "eve"), somebody(live)
    await eve.sign_in()
    ada.browser.cookies["att_session"] = eve.browser.cookies["att_session"]
    await ada.sign_in()
    assert [user for user, _ in sessions(live)] == ["att_us_ada"]
    assert (await eve.account()).status == 302


async def test_session_fixation_every_sign_in_has_an_id_of_its_own(live: Live) -> None:
    ada = somebody(live)
    seen = set()
    for _ in range(3):
        await ada.sign_in()
        seen.add(ada.browser.cookies["att_session"])
    assert (len(seen), len(sessions(live))) == (3, 1)


async def test_session_fixation_a_known_browser_id_signs_nobody_in(live: Live) -> None:
    ada = somebody(live)
    await ada.sign_in()
    thief = live.browser()
    thief.cookies["att_browser"] = ada.browser.cookies["att_browser"]
    assert (await thief.send("GET", "/account")).status == 302


@pytest.mark.parametrize("csrf", ["", "of another browser", "twice"])
async def test_sign_in_csrf_nobody_is_signed_in_by_a_form_from_elsewhere(live: Live, csrf: str) -> None:
    eve, ada = somebody(live, "eve"), somebody(live)
    evils, mine = [await person.browser.send("GET", "/signin") for person in (eve, ada)]
    sent = {"": [], "of another browser": [field(evils, "csrf")], "twice": [field(evils, "csrf"), field(mine, "csrf")]}
    form = [("username", "eve"), ("password", PASSWORD), *(("csrf", value) for value in sent[csrf])]
    answer = await ada.browser.send("POST", "/signin", data=form)
    assert answer.status in {400, 403}
    assert (sessions(live), "att_session" in ada.browser.cookies) == ([], False)


async def test_sign_in_csrf_without_the_browsers_cookie_the_right_field_is_worth_nothing(live: Live) -> None:
    ada = somebody(live)
    shown = await ada.browser.send("GET", "/signin")
    ada.browser.cookies.clear()
    assert ((await ada.fill_in(shown)).status, sessions(live)) == (403, [])


async def test_sign_in_csrf_a_link_signs_nobody_in(live: Live) -> None:
    ada = somebody(live)
    csrf = field(await ada.browser.send("GET", "/signin"), "csrf")
    await ada.browser.send("GET", f"/signin?username=ada&password={PASSWORD.replace(' ', '+')}&csrf={csrf}")
    assert sessions(live) == []


async def test_swapped_handle_nobody_signs_in_for_a_request_of_another_browser(live: Live) -> None:
    eve, ada = somebody(live, "eve"), somebody(live)
    app = await live.register()
    evils, _ = await eve.begin(app)
    mine = await ada.browser.send("GET", "/signin")
    answer = await ada.fill_in(mine, request=field(evils, "request"))
    assert (answer.status, sessions(live)) == (400, [])


async def test_swapped_user_a_consent_is_for_whom_the_page_named_and_nobody_else(live: Live) -> None:
    ada = somebody(live)
    page = await ada.consent(await live.register())
    add_person(live, "lin")
    await Person(ada.browser, "lin").sign_in()
    fields = {"request": page.handle, "seen": field(page.shown, "seen"), "decision": "approve", "scope": "read"}
    answer = await ada.browser.send("POST", "/oauth/authorize/approve", data=fields)
    assert answer.location == page.address
    again = await ada.browser.send("GET", answer.location)
    assert "<bdi>Lin</bdi>" in again.text
    assert live.sql("SELECT count(*) FROM authorization_codes") == [(0,)]
    fields["seen"] = field(again, "seen")
    answer = await ada.browser.send("POST", "/oauth/authorize/approve", data=fields)
    assert answer.location.startswith(REDIRECT_URI)
    assert live.sql("SELECT user_id FROM authorization_codes") == [("att_us_lin",)]


@pytest.mark.parametrize("path", FORMS)
async def test_account_csrf_no_form_from_elsewhere_does_anything(live: Live, path: str) -> None:
    eve, ada = somebody(live, "eve"), somebody(live)
    for person in (eve, ada):
        await person.sign_in()
    await (await ada.browser.open_page(await live.register())).approve()
    before = live.sql("SELECT * FROM consents"), live.sql("SELECT * FROM passwords"), sessions(live)
    evils = field(await eve.account(), "csrf")
    of_the_form = field(await ada.browser.send("GET", "/signin"), "csrf")
    fields = {"all": "yes", "current": PASSWORD, "new": NEW, "again": NEW}
    for csrf in ("", evils, of_the_form):
        answer = await ada.browser.send("POST", path, data={**fields, "csrf": csrf})
        assert answer.status == 403
    assert (await ada.browser.send("GET", path)).status == 405
    assert (live.sql("SELECT * FROM consents"), live.sql("SELECT * FROM passwords"), sessions(live)) == before


async def test_click_jacking_no_page_of_a_person_can_be_framed(live: Live) -> None:
    ada = somebody(live)
    app = await live.register()
    token, (digest, expires_at) = local.new_invitation(os.urandom, live.clock())
    live.sql("INSERT INTO invitations VALUES (?, 'att_us_ada', 0, ?)", digest, expires_at)
    shown, _ = await ada.begin(app)
    seen: list[Answer] = [shown, await ada.fill_in(shown, password="wrong one")]
    await ada.sign_in()
    paths = ("/signin", "/account", link(token), link("nonsense"), "/account/revoke")
    seen += [await ada.browser.send("GET", path) for path in paths]
    seen.append(await ada.browser.send("POST", "/account/revoke", data={}))
    assert [answer.status for answer in seen] == [200, 403, 200, 200, 200, 400, 405, 403]
    for answer in seen:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_open_redirect_signing_in_leads_nowhere_else(live: Live) -> None:
    ada = somebody(live)
    for query in ("next=https://evil.example", "return_to=//evil.example", "notice=//evil.example"):
        shown = await ada.browser.send("GET", f"/signin?{query}")
        assert "evil.example" not in shown.text
        answer = await ada.fill_in(shown, next="https://evil.example", Referer="https://evil.example")
        assert answer.location == "/account"


async def test_enumeration_an_answer_differs_in_nothing_but_its_number(live: Live) -> None:
    ada = somebody(live)
    add_person(live, "lin", password_hash=None)
    shown = await ada.browser.send("GET", "/signin")
    seen = []
    for name in ("ada", "lin", "nobody", "x" * 64):
        answer = await ada.fill_in(shown, username=name, password="wrong one")
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in {"x-request-id", "date"}}
        seen.append((answer.status, headers, re.sub(r'data-options="[^"]*"', "", answer.text)))
    assert seen == [seen[0]] * 4


async def test_enumeration_an_unknown_account_has_the_same_limit(start: Start) -> None:
    async with start(oauth_provider="local", rate_limits=True, trusted_proxies="127.0.0.0/8") as live:
        ada = somebody(live)
        csrf = field(await ada.browser.send("GET", "/signin"), "csrf")
        for name in ("ada", "nobody"):
            fields = {"csrf": csrf, "username": name, "password": "wrong one"}
            statuses = []
            for number in range(6):
                headers = {"X-Forwarded-For": f"192.0.2.{number}" if name == "ada" else f"198.51.100.{number}"}
                statuses.append((await ada.browser.send("POST", "/signin", data=fields, headers=headers)).status)
            assert statuses == [403] * 5 + [429]


async def test_secrets_of_signing_in_are_in_no_log_and_not_in_the_database(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with start(oauth_provider="local", log_level="DEBUG") as live:
        token, (digest, expires_at) = local.new_invitation(os.urandom, live.clock())
        ada = somebody(live)
        live.sql("INSERT INTO invitations VALUES (?, 'att_us_ada', 0, ?)", digest, expires_at)
        await ada.sign_in()
        first = ada.browser.cookies["att_session"]
        shown = await ada.account()
        await ada.post("/account/password", shown, current=PASSWORD, new=NEW, again=NEW)
        await ada.fill_in(await ada.browser.send("GET", "/signin"), password="typed into the wrong field")
        await ada.browser.send("GET", link(token))
        secrets = {
            "password": PASSWORD,
            "new password": NEW,
            "mistyped password": "typed into the wrong field",
            "session": first,
            "second session": ada.browser.cookies["att_session"],
            "browser": ada.browser.cookies["att_browser"],
            "form's field": field(shown, "csrf"),
            "invitation": token,
        }
    kept = b"".join(file.read_bytes() for file in live.database.parent.glob("server.db*"))
    for name, secret in secrets.items():
        assert secret not in caplog.text, name
        assert secret.encode() not in kept, name
