"""Passkeys: added at the account page, good to sign in by alone, and every way in which one is refused."""

from collections.abc import AsyncIterator, Callable

import pytest

from server import keys
from server.identity.ceremonies import CHALLENGE_TTL
from server.identity.passkeys import LONGEST_NAME, MOST, RECENT
from tests.authenticator import PRESENT, Authenticator, encoded, options
from tests.browser import Answer, Page
from tests.conftest import Start
from tests.people import Person, add_person, field
from tests.support import Live

Failures = Callable[[], list[str]]


@pytest.fixture
async def live(start: Start) -> AsyncIterator[Live]:
    async with start(oauth_provider="local") as running:
        yield running


async def somebody(live: Live, name: str = "ada") -> Person:
    """Give a person with an account who is signed in."""
    add_person(live, name)
    person = Person(live.browser(), name)
    await person.sign_in()
    return person


async def add(person: Person, device: Authenticator, name: str = "My phone", **changes: str) -> Answer:
    shown = await person.account()
    return await person.post("/account/passkeys", shown, name=name, credential=device.make(options(shown), **changes))


async def with_passkey(live: Live, name: str = "ada") -> tuple[Person, Authenticator]:
    """Give a person who has a passkey, at a browser in which nobody is signed in."""
    person, device = await somebody(live, name), Authenticator(live.url)
    assert (await add(person, device)).location == "/account?notice=passkey-added"
    return Person(live.browser(), name), device


async def present(person: Person, shown: Answer, credential: str) -> Answer:
    waiting = {"request": field(shown, "request")} if 'name="request"' in shown.text else {}
    fields = {"csrf": field(shown, "csrf"), **waiting, "credential": credential}
    return await person.browser.send("POST", "/signin/passkey", data=fields)


async def sign_in(person: Person, device: Authenticator, **changes: str) -> Answer:
    shown = await person.browser.send("GET", "/signin")
    return await present(person, shown, device.sign(options(shown), **changes))


@pytest.fixture
def failures(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Give a function that says why somebody was not signed in, as the log has it."""
    caplog.set_level("INFO")
    return lambda: [message for message in caplog.messages if message.startswith("Sign-in failed: passkey: ")]


async def refused(live: Live, answer: Answer) -> None:
    """Check that nobody was signed in, and that the person is told no more than that."""
    assert (answer.status, "Set-Cookie" in answer.headers and "att_session" in answer.headers["Set-Cookie"]) == (
        403,
        False,
    )
    assert "does not sign anybody in here" in answer.text
    assert live.sql("SELECT count(*) FROM sessions WHERE method = 'passkey'") == [(0,)]


async def test_a_passkey_signs_its_owner_in_without_username_or_password(live: Live) -> None:
    person, device = await with_passkey(live)
    assert (await sign_in(person, device)).location == "/account"
    shown = (await person.account()).text
    assert "by passkey" in shown
    assert "My phone" in shown
    assert live.sql("SELECT user_id, method FROM sessions WHERE method = 'passkey'") == [("att_us_ada", "passkey")]


async def test_it_answers_for_an_authorization_request_that_waits(live: Live) -> None:
    app, (person, device) = await live.register(), await with_passkey(live)
    shown, verifier = await person.begin(app)
    answer = await present(person, shown, device.sign(options(shown)))
    assert answer.location == f"/oauth/authorize/page?request={field(shown, 'request')}"
    page = Page(person.browser, await person.browser.send("GET", answer.location), answer.location, verifier)
    assert (await live.exchange(app, (await page.approve()).returned["code"], verifier)).status == 200


async def test_its_sign_in_time_is_that_of_the_id_token(start: Start) -> None:
    async with start(oauth_provider="local", oauth_valid_scopes="read,openid") as live:
        app, (person, device) = await live.register(), await with_passkey(live)
        live.clock.advance(1_000)
        await sign_in(person, device)
        page = await person.browser.open_page(app, scope="openid")
        await page.approve()
        assert live.sql("SELECT auth_time FROM authorization_codes") == [(live.clock(),)]


async def test_what_is_asked_wants_the_owner_verified_and_a_key_that_is_found_without_a_name(live: Live) -> None:
    person = await somebody(live)
    asked = options(await person.account())
    assert asked["rp"]["id"] == "localhost"
    selection = asked["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "required")
    assert asked["attestation"] == "none"
    asked = options(await live.browser().send("GET", "/signin"))
    assert (asked["rpId"], asked["userVerification"], asked["allowCredentials"]) == ("localhost", "required", [])


async def test_showing_a_page_keeps_nothing(live: Live) -> None:
    for _ in range(3):
        await live.browser().send("GET", "/signin")
    assert live.sql("SELECT count(*) FROM passkey_challenges") == [(0,)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"origin": "https://evil.example"}, "origin"),
        ({"origin": "http://localhost:1"}, "origin"),
        ({"type": "webauthn.create"}, "type"),
        ({"challenge": encoded(b"x" * 64)}, "not one of this server's"),
    ],
)
async def test_an_answer_to_something_else_is_refused(
    live: Live, changes: dict[str, str], why: str, failures: Failures
) -> None:
    person, device = await with_passkey(live)
    await refused(live, await sign_in(person, device, **changes))
    assert why in failures()[0]


async def test_an_answer_is_good_once(live: Live, failures: Failures) -> None:
    person, device = await with_passkey(live)
    device.counts = False
    shown = await person.browser.send("GET", "/signin")
    credential = device.sign(options(shown))
    assert (await present(person, shown, credential)).status == 303
    live.sql("DELETE FROM sessions")
    await refused(live, await present(person, shown, credential))
    assert "answered before" in failures()[0]


async def test_an_answer_from_another_browser_is_refused(live: Live, failures: Failures) -> None:
    person, device = await with_passkey(live)
    elsewhere = options(await live.browser().send("GET", "/signin"))
    shown = await person.browser.send("GET", "/signin")
    await refused(live, await present(person, shown, device.sign(elsewhere)))
    assert "another browser's" in failures()[0]


async def test_an_answer_that_comes_too_late_is_refused(live: Live, failures: Failures) -> None:
    person, device = await with_passkey(live)
    shown = await person.browser.send("GET", "/signin")
    live.clock.advance(CHALLENGE_TTL)
    await refused(live, await present(person, shown, device.sign(options(shown))))
    assert "over" in failures()[0]


async def test_the_challenge_for_adding_does_not_sign_in(live: Live) -> None:
    add_person(live)
    person, device = Person(live.browser()), Authenticator(live.url)
    await person.sign_in()
    await add(person, device)
    asked = options(await person.account())
    await refused(live, await present(person, await person.browser.send("GET", "/signin"), device.sign(asked)))


async def test_an_owner_who_was_not_verified_is_not_signed_in(live: Live, failures: Failures) -> None:
    person, device = await with_passkey(live)
    device.flags = PRESENT
    await refused(live, await sign_in(person, device))
    assert "not verified" in failures()[0]


async def test_a_copied_authenticator_betrays_itself_by_its_count(live: Live, failures: Failures) -> None:
    person, device = await with_passkey(live)
    device.count = 7
    assert (await sign_in(person, device)).status == 303
    assert live.sql("SELECT sign_count FROM passkeys") == [(8,)]
    live.sql("DELETE FROM sessions")
    device.count = 3
    await refused(live, await sign_in(person, device))
    assert "sign count" in failures()[0]


async def test_another_key_or_site_or_account_is_refused(live: Live, failures: Failures) -> None:
    person, device = await with_passkey(live)
    stranger = Authenticator(live.url, credential_id=device.credential_id, user_handle=device.user_handle, count=9)
    await refused(live, await sign_in(person, stranger))
    device.rp_id = "evil.example"
    await refused(live, await sign_in(person, device))
    device.rp_id, device.user_handle = "localhost", b"att_us_bob"
    await refused(live, await sign_in(person, device))
    unknown = Authenticator(live.url, user_handle=b"att_us_ada")
    await refused(live, await sign_in(person, unknown))
    assert len(failures()) == 4


async def test_a_disabled_user_is_not_signed_in(live: Live) -> None:
    person, device = await with_passkey(live)
    live.sql("UPDATE users SET disabled_at = 1")
    assert (await sign_in(person, device)).status == 403
    assert live.sql("SELECT count(*) FROM sessions WHERE method = 'passkey'") == [(0,)]


async def test_who_is_not_allowed_is_told_so(start: Start) -> None:
    async with start(oauth_provider="local") as live:
        person, device = await with_passkey(live)
        url = live.url
    async with start(oauth_provider="local", oauth_allowed_users="@other.example", server_url=url) as live:
        person = Person(live.browser())
        answer = await sign_in(person, device)
        assert (answer.status, "may not use this server" in answer.text) == (403, True)


async def test_attempts_are_limited(start: Start) -> None:
    async with start(oauth_provider="local", rate_limits=True) as live:
        person, unknown = Person(live.browser()), Authenticator(live.url, user_handle=b"x")
        answers = [(await sign_in(person, unknown)).status for _ in range(6)]
        assert answers == [403] * 5 + [429]


async def test_a_form_from_elsewhere_does_nothing(live: Live) -> None:
    person, device = await with_passkey(live)
    shown = await person.browser.send("GET", "/signin")
    credential = device.sign(options(shown))
    answer = await person.browser.send("POST", "/signin/passkey", data={"credential": credential})
    assert answer.status == 403
    owner = await somebody(live, "bob")
    credential = Authenticator(live.url).make(options(await owner.account()))
    answer = await owner.browser.send("POST", "/account/passkeys", data={"credential": credential})
    assert (answer.status, live.sql("SELECT count(*) FROM passkeys")) == (403, [(1,)])


async def test_a_form_without_the_script_is_explained(live: Live) -> None:
    person = await somebody(live)
    shown = await person.browser.send("GET", "/signin")
    for answer in (await present(person, shown, ""), await person.post("/account/passkeys", name="x")):
        assert (answer.status, "script, which did not run" in answer.text) == (400, True)


async def test_several_passkeys_have_names_and_are_removed_one_by_one(live: Live) -> None:
    person = await somebody(live)
    phone, key = Authenticator(live.url), Authenticator(live.url)
    await add(person, phone, "My phone")
    await add(person, key, "  Key <b>\u202e  ")
    shown = await person.account()
    assert "My phone" in shown.text
    assert "Key &lt;b&gt;" in shown.text
    assert [encoded(one) for one in (phone.credential_id, key.credential_id)] == [
        name for (name,) in live.sql("SELECT credential_id FROM passkeys ORDER BY name DESC")
    ]
    answer = await person.post("/account/passkeys/remove", shown, credential_id=encoded(phone.credential_id))
    assert answer.location == "/account?notice=passkey-removed"
    assert "removed" in (await person.browser.send("GET", answer.location)).text
    other = Person(live.browser())
    await refused(live, await sign_in(other, phone))
    assert (await sign_in(other, key)).status == 303
    events = live.sql("SELECT event, detail FROM audit_log WHERE event LIKE 'passkey%' ORDER BY id")
    assert [event for event, _ in events] == ["passkey_added", "passkey_added", "passkey_removed"]
    assert events[0][1] == "My phone"


async def test_nobody_removes_anothers_passkey(live: Live) -> None:
    _, device = await with_passkey(live)
    bob = await somebody(live, "bob")
    await bob.post("/account/passkeys/remove", credential_id=encoded(device.credential_id))
    assert live.sql("SELECT user_id FROM passkeys") == [("att_us_ada",)]
    assert live.sql("SELECT count(*) FROM audit_log WHERE event = 'passkey_removed'") == [(0,)]


async def test_who_signed_in_with_a_passkey_may_do_without_a_password(live: Live) -> None:
    person, device = await with_passkey(live)
    await person.sign_in()
    assert (await person.post("/account/password/remove")).status == 403
    await sign_in(person, device)
    assert "Remove my password" in (await person.account()).text
    assert (await person.post("/account/password/remove")).location == "/account?notice=password-removed"
    assert live.sql("SELECT count(*) FROM passwords") == [(0,)]
    assert "Current password" not in (await person.account()).text
    other = Person(live.browser())
    assert (await other.fill_in(await other.browser.send("GET", "/signin"))).status == 403
    assert (await sign_in(other, device)).status == 303
    assert ("password_removed", "att_us_ada") in live.sql("SELECT event, user_id FROM audit_log")


async def test_the_last_way_to_sign_in_is_not_removed(live: Live) -> None:
    person, device = await with_passkey(live)
    await sign_in(person, device)
    await person.post("/account/password/remove")
    answer = await person.post("/account/passkeys/remove", credential_id=encoded(device.credential_id))
    assert (answer.status, "only way" in answer.text) == (400, True)
    second = Authenticator(live.url)
    await add(person, second)
    assert (await person.post("/account/passkeys/remove", credential_id=encoded(device.credential_id))).status == 303
    assert len(live.sql("SELECT * FROM passkeys")) == 1


@pytest.mark.parametrize(
    "changes",
    [{"origin": "https://evil.example"}, {"type": "webauthn.get"}, {"challenge": encoded(b"x" * 64)}],
)
async def test_a_passkey_that_was_made_for_something_else_is_not_added(live: Live, changes: dict[str, str]) -> None:
    answer = await add(await somebody(live), Authenticator(live.url), **changes)
    assert (answer.status, "could not be added" in answer.text) == (400, True)
    assert live.sql("SELECT count(*) FROM passkeys") == [(0,)]


async def test_a_passkey_is_added_once_and_its_answer_is_good_once(live: Live) -> None:
    person, device = await somebody(live), Authenticator(live.url)
    shown = await person.account()
    credential = device.make(options(shown))
    assert (await person.post("/account/passkeys", shown, credential=credential)).status == 303
    live.sql("DELETE FROM passkeys")
    assert (await person.post("/account/passkeys", shown, credential=credential)).status == 400
    await add(person, device)
    assert (await add(person, device)).status == 400
    assert live.sql("SELECT count(*) FROM passkeys") == [(1,)]


async def test_a_passkey_of_another_account_is_not_taken_over(live: Live) -> None:
    _, device = await with_passkey(live)
    assert (await add(await somebody(live, "bob"), device)).status == 400
    assert live.sql("SELECT user_id FROM passkeys") == [("att_us_ada",)]


async def test_the_device_is_told_which_passkeys_there_are(live: Live) -> None:
    person, device = await somebody(live), Authenticator(live.url)
    await add(person, device)
    asked = options(await person.account())
    assert [one["id"] for one in asked["excludeCredentials"]] == [encoded(device.credential_id)]


async def test_a_sign_in_that_lies_back_too_far_must_be_renewed_before_one_is_added(live: Live) -> None:
    person, device = await somebody(live), Authenticator(live.url)
    shown = await person.account()
    live.clock.advance(RECENT)
    credential = device.make(options(shown))
    assert "Sign in once more" in (await person.account()).text
    assert (await person.post("/account/passkeys", shown, credential=credential)).status == 403
    await person.sign_in()
    assert (await add(person, device)).status == 303


async def test_there_are_so_many_and_no_more_and_names_are_cut(live: Live) -> None:
    person = await somebody(live)
    for _ in range(MOST):
        await add(person, Authenticator(live.url), "n" * 500)
    assert "as many as one account may have" in (await person.account()).text
    assert {len(name) for (name,) in live.sql("SELECT name FROM passkeys")} == {LONGEST_NAME}
    assert len(live.sql("SELECT * FROM passkeys")) == MOST


async def test_a_deleted_users_passkeys_go_too(live: Live) -> None:
    await with_passkey(live)
    await live.application[keys.STORE].delete_user("att_us_ada", live.clock())
    assert live.sql("SELECT count(*) FROM passkeys") == [(0,)]


@pytest.mark.parametrize("server_url", ["http://127.0.0.1:8000", "http://[::1]:8000"])
async def test_at_an_address_that_is_a_number_none_are_offered(start: Start, server_url: str) -> None:
    async with start(oauth_provider="local", server_url=server_url) as live:
        shown = (await live.browser().send("GET", "/signin")).text
        assert "passkey" not in shown
        assert "<script" not in shown


async def test_the_policy_allows_the_one_script_on_the_pages_that_have_it(live: Live) -> None:
    person = await somebody(live)
    for shown in (await live.browser().send("GET", "/signin"), await person.account()):
        assert "script-src 'sha256-" in shown.headers["Content-Security-Policy"]
        assert shown.text.count("<script>") == 1
    assert "script-src" not in (await live.send("GET", "/")).headers["Content-Security-Policy"]
