"""The account page: who I am, what I allowed and how to take it back, my password."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.browser import App
from tests.conftest import Start
from tests.people import PASSWORD, Person, add_person, field
from tests.support import START, Live

NEW = "another one, quite unrelated"


@pytest.fixture
async def live(start: Start) -> AsyncIterator[Live]:
    async with start(oauth_provider="local") as running:
        yield running


@pytest.fixture
async def ada(live: Live) -> Person:
    """Give somebody who is signed in."""
    add_person(live)
    person = Person(live.browser())
    await person.sign_in()
    return person


async def connect(live: Live, person: Person, app: App, scope: str = "read") -> dict[str, str]:
    """Allow an application something, and give its tokens."""
    page = await person.browser.open_page(app, scope=scope, prompt="consent")
    code = (await page.approve()).returned["code"]
    tokens: dict[str, str] = (await live.exchange(app, code, page.verifier)).json
    return tokens


async def calls(live: Live, token: str) -> int:
    """Use an access token, and give the status."""
    return (await live.send("GET", "/mcp", headers={"Authorization": f"Bearer {token}"})).status


def names(text: str) -> list[str]:
    """Give the applications that the page lists."""
    return re.findall(r"<h3><bdi>(.*?)</bdi></h3>", text)


async def test_who_is_not_signed_in_is_led_to_where_they_can(live: Live) -> None:
    answer = await live.browser().send("GET", "/account")
    assert (answer.status, answer.location) == (302, "/signin")


async def test_it_says_who_i_am_and_how_i_signed_in(ada: Person) -> None:
    text = (await ada.account()).text
    for said in ("<bdi>Ada</bdi>", "<bdi>ada</bdi>", "<bdi>ada@example.com</bdi>"):
        assert said in text
    assert "15 January 2027, 08:00 UTC, by password, from 127.0.0.1" in text
    assert "You have not allowed any application anything." in text


async def test_it_lists_what_i_allowed_since_when_and_from_where_it_was_used_last(start: Start) -> None:
    async with start(oauth_provider="local", trusted_proxies="127.0.0.0/8") as live:
        add_person(live)
        ada = Person(live.browser())
        await ada.sign_in()
        app = await live.register(client_name="Assistant")
        tokens = await connect(live, ada, app, "read account")
        live.clock.advance(3_600)
        proof, _ = app.proof()
        form = {**proof, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        await live.send("POST", "/token", data=form, headers={"X-Forwarded-For": "192.0.2.7"})
        text = (await ada.account()).text
    assert names(text) == ["Assistant"]
    assert re.findall(r"<code>(\w+)</code>", text) == ["read", "account"]
    assert "First used 15 January 2027, 08:00 UTC; last used 15 January 2027, 09:00 UTC from 192.0.2.7." in text


async def test_a_call_writes_nothing_about_its_use(live: Live, ada: Person) -> None:
    app = await live.register()
    token = (await connect(live, ada, app))["access_token"]
    live.clock.advance(60)
    assert await calls(live, token) == 405
    assert live.sql("SELECT last_used_at, last_address FROM grants") == [(START, "127.0.0.1")]


async def test_it_lists_an_application_once_however_often_it_was_connected(live: Live, ada: Person) -> None:
    app = await live.register(client_name="Assistant")
    await connect(live, ada, app, "read")
    live.clock.advance(60)
    await connect(live, ada, app, "account")
    text = (await ada.account()).text
    assert names(text) == ["Assistant"]
    assert text.count("08:00 UTC; last used 15 January 2027, 08:01 UTC") == 1


async def test_it_lists_what_is_remembered_of_an_application_that_has_no_access_any_more(
    live: Live, ada: Person
) -> None:
    app = await live.register(client_name="Assistant")
    await live.post("/revoke", app, token=(await connect(live, ada, app))["refresh_token"])
    text = (await ada.account()).text
    assert names(text) == ["Assistant"]
    assert "gets it again without asking you" in text
    await ada.post("/account/revoke", client_id=app.client_id)
    assert names((await ada.account()).text) == []


async def test_it_lists_nobody_elses(live: Live, ada: Person) -> None:
    add_person(live, "lin")
    lin = Person(live.browser(), "lin")
    await lin.sign_in()
    await connect(live, lin, await live.register(client_name="Lin's own"))
    assert names((await ada.account()).text) == []


async def test_taking_back_ends_consent_grants_and_codes_of_that_application_at_once(live: Live, ada: Person) -> None:
    gone, kept = [await live.register(client_name=name) for name in ("Gone", "Kept")]
    tokens = [await connect(live, ada, app) for app in (gone, gone, kept)]
    page = await ada.browser.open_page(gone, prompt="consent")
    code = (await page.approve()).returned["code"]
    answer = await ada.post("/account/revoke", client_id=gone.client_id)
    assert (answer.status, answer.location) == (303, "/account?notice=revoked")
    shown = await ada.browser.send("GET", answer.location)
    assert "It is taken back" in shown.text
    assert names(shown.text) == ["Kept"]
    assert [await calls(live, one["access_token"]) for one in tokens] == [401, 401, 405]
    assert (await live.refresh(gone, tokens[0]["refresh_token"])).json["error"] == "invalid_grant"
    assert (await live.exchange(gone, code, page.verifier)).json["error"] == "invalid_grant"
    silent, _ = await ada.browser.authorize(gone, prompt="none")
    assert silent.returned["error"] == "consent_required"


async def test_taking_back_everything_leaves_no_application(live: Live, ada: Person) -> None:
    apps = [await live.register(client_name=name) for name in ("One", "Two")]
    tokens = [await connect(live, ada, app) for app in apps]
    answer = await ada.post("/account/revoke", all="yes")
    assert names((await ada.browser.send("GET", answer.location)).text) == []
    assert [await calls(live, one["access_token"]) for one in tokens] == [401, 401]
    assert live.sql("SELECT count(*) FROM consents") == [(0,)]
    noted = live.sql("SELECT event, user_id, detail FROM audit_log WHERE event = 'application_forgotten'")
    assert noted == [("application_forgotten", "att_us_ada", "revoked by the user")] * 2


async def test_an_application_of_somebody_else_cannot_be_taken_back(live: Live, ada: Person) -> None:
    add_person(live, "lin")
    lin = Person(live.browser(), "lin")
    await lin.sign_in()
    app = await live.register()
    token = (await connect(live, lin, app))["access_token"]
    await ada.post("/account/revoke", client_id=app.client_id)
    assert await calls(live, token) == 405


async def test_a_disabled_users_next_call_is_refused_and_so_is_their_session(live: Live, ada: Person) -> None:
    app = await live.register()
    tokens = await connect(live, ada, app)
    assert await calls(live, tokens["access_token"]) == 405
    live.sql("UPDATE users SET disabled_at = ? WHERE user_id = 'att_us_ada'", live.clock())
    assert await calls(live, tokens["access_token"]) == 401
    assert (await live.refresh(app, tokens["refresh_token"])).json["error"] == "invalid_grant"
    assert (await ada.account()).location == "/signin"
    shown, _ = await ada.begin(app)
    refused = await ada.fill_in(shown)
    assert (refused.status, "Location" in refused.headers) == (403, False)


async def test_changing_the_password_signs_out_everywhere_else_and_here_gives_a_new_session(
    live: Live, ada: Person
) -> None:
    there = Person(live.browser())
    await there.sign_in()
    before = ada.browser.cookies["att_session"]
    answer = await ada.post("/account/password", current=PASSWORD, new=NEW, again=NEW)
    assert answer.location == "/account?notice=password"
    assert "Your password is changed" in (await ada.browser.send("GET", answer.location)).text
    assert ada.browser.cookies["att_session"] != before
    assert (await there.account()).status == 302
    assert live.sql("SELECT count(*) FROM sessions") == [(1,)]
    refused = await there.fill_in(await there.browser.send("GET", "/signin"))
    assert refused.status == 403
    there.password = NEW
    await there.sign_in()


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"current": "wrong", "new": NEW, "again": NEW}, 403, "not your current password"),
        ({"current": PASSWORD, "new": NEW, "again": NEW + "!"}, 400, "differ"),
        ({"current": PASSWORD, "new": "password123", "again": "password123"}, 400, "too easy to guess"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, 400, "too short"),
        ({"new": NEW, "again": NEW}, 403, "not your current password"),
        ({}, 403, "not your current password"),
    ],
)
async def test_a_password_is_not_changed_without_the_current_one_or_to_a_weak_one(
    ada: Person, live: Live, fields: dict[str, str], status: int, said: str
) -> None:
    before = live.sql("SELECT * FROM passwords"), live.sql("SELECT session_digest FROM sessions")
    answer = await ada.post("/account/password", **fields)
    assert (answer.status, said in answer.text) == (status, True)
    assert (live.sql("SELECT * FROM passwords"), live.sql("SELECT session_digest FROM sessions")) == before


async def test_guessing_the_current_password_is_limited(start: Start) -> None:
    async with start(oauth_provider="local", rate_limits=True) as live:
        add_person(live)
        ada = Person(live.browser())
        await ada.sign_in()
        shown = await ada.account()
        fields = {"current": "wrong", "new": NEW, "again": NEW}
        statuses = [(await ada.post("/account/password", shown, **fields)).status for _ in range(5)]
        assert statuses == [403] * 4 + [429]


async def test_a_hostile_name_is_mere_text(live: Live, ada: Person) -> None:
    app = await live.register(client_name='<script>alert(1)</script>" onclick="x')
    await connect(live, ada, app)
    text = (await ada.account()).text
    assert "<script>alert" not in text
    assert '" onclick="x' not in text


async def test_a_form_without_an_application_is_refused_in_a_page(ada: Person) -> None:
    answer = await ada.post("/account/revoke")
    assert (answer.status, "names no application" in answer.text) == (400, True)


async def test_forms_of_whoever_has_been_signed_out_meanwhile_lead_to_signing_in(live: Live, ada: Person) -> None:
    shown = await ada.account()
    live.sql("DELETE FROM sessions")
    for path in ("/account/revoke", "/account/password"):
        answer = await ada.post(path, shown, client_id="x")
        assert (answer.status, answer.location) == (303, "/signin")
    assert field(shown, "csrf")
