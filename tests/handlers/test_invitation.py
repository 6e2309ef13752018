"""The one-time link by which an invited person chooses a password."""

import os
from collections.abc import AsyncIterator

import pytest

from server.identity import local
from server.oauth import tokens
from tests.browser import Answer, Browser
from tests.conftest import Start
from tests.people import PASSWORD, Person, add_person, field, link
from tests.support import Live

DAY = 86_400


@pytest.fixture
async def live(start: Start) -> AsyncIterator[Live]:
    async with start(oauth_provider="local") as running:
        yield running


def invite(live: Live, name: str = "ada") -> str:
    """Add an account without a password and give its invitation's token."""
    user_id = add_person(live, name, password_hash=None)
    token, (digest, expires_at) = local.new_invitation(os.urandom, live.clock())
    live.sql("INSERT INTO invitations VALUES (?, ?, ?, ?)", digest, user_id, live.clock(), expires_at)
    return token


async def choose(browser: Browser, shown: Answer, password: str = PASSWORD, again: str | None = None) -> Answer:
    """Fill in the form."""
    fields = {name: field(shown, name) for name in ("csrf", "token")}
    passwords = {"password": password, "again": password if again is None else again}
    return await browser.send("POST", "/invitation", data={**fields, **passwords})


async def test_it_sets_the_password_and_signs_in(live: Live) -> None:
    browser = live.browser()
    shown = await browser.send("GET", link(invite(live)))
    assert "<bdi>Ada</bdi>" in shown.text
    answer = await choose(browser, shown)
    assert (answer.status, answer.location) == (303, "/account")
    assert "by invitation" in (await browser.send("GET", "/account")).text
    await Person(live.browser()).sign_in()


async def test_it_is_good_once(live: Live) -> None:
    token, browser = invite(live), live.browser()
    first, second = [await browser.send("GET", link(token)) for _ in range(2)]
    assert (await choose(browser, first)).status == 303
    again = await choose(browser, second, "another one, quite unrelated")
    assert (again.status, "This link is over" in again.text) == (400, True)
    assert "This link is over" in (await browser.send("GET", link(token))).text
    await Person(live.browser()).sign_in()


async def test_opening_it_uses_nothing_up_and_it_lasts_seven_days(live: Live) -> None:
    token = invite(live)
    live.clock.advance(7 * DAY - 1)
    for _ in range(3):
        assert (await live.browser().send("GET", link(token))).status == 200
    live.clock.advance(1)
    assert (await live.browser().send("GET", link(token))).status == 400


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        (PASSWORD, PASSWORD + "!", "differ"),
        ("short", None, "too short"),
        ("password123", None, "too easy"),
        ("", None, "too short"),
    ],
)
async def test_a_password_that_will_not_do_leaves_it_good(
    live: Live, password: str, again: str | None, said: str
) -> None:
    browser = live.browser()
    refused = await choose(browser, await browser.send("GET", link(invite(live))), password, again)
    assert (refused.status, said in refused.text) == (400, True)
    assert live.sql("SELECT count(*) FROM passwords") == [(0,)]
    assert (await choose(browser, refused)).status == 303


@pytest.mark.parametrize("token", ["", "nonsense", tokens.make("att_iv_", bytes), tokens.make("att_at_", bytes)])
async def test_what_is_no_invitation_opens_nothing(live: Live, token: str) -> None:
    invite(live)
    answer = await live.browser().send("GET", link(token))
    assert (answer.status, "This link is over" in answer.text) == (400, True)


async def test_it_ends_with_its_account(live: Live) -> None:
    token = invite(live)
    live.sql("UPDATE users SET disabled_at = 1")
    assert (await live.browser().send("GET", link(token))).status == 400


async def test_it_ends_other_sessions_of_its_user(live: Live) -> None:
    ada = Person(live.browser())
    token = invite(live)
    browser = live.browser()
    await choose(browser, await browser.send("GET", link(token)))
    await ada.sign_in()
    newer, (digest, expires_at) = local.new_invitation(os.urandom, live.clock())
    live.sql("INSERT INTO invitations VALUES (?, 'att_us_ada', 0, ?)", digest, expires_at)
    await choose(browser, await browser.send("GET", link(newer)), "another one, quite unrelated")
    assert (await ada.account()).location == "/signin"
    assert live.sql("SELECT method FROM sessions") == [("invitation",)]
    assert (
        live.sql("SELECT event, detail FROM audit_log WHERE event = 'password_changed'")
        == [("password_changed", "by invitation")] * 2
    )
