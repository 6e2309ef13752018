"""Sign-ins that go wrong: what the person reads, what the client is told, and what the log says, exactly."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.browser import Answer
from tests.conftest import Start
from tests.site import OTHER
from tests.support import START
from tests.upstream import Visit, provide, settings_for


@pytest.fixture(autouse=True)
def from_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


@pytest.fixture
async def ada(start: Start) -> AsyncIterator[Visit]:
    async with provide() as provider, start(**settings_for(provider)) as live:
        yield Visit(live, provider, await live.register(), live.browser())


@dataclass
class Failed:
    """A page, what the client is told by its button, and the line of the log that goes with it."""

    page: Answer
    told: dict[str, str]
    line: str


async def failed_at(page: Answer, caplog: pytest.LogCaptureFixture, visit: Visit) -> Failed:
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Sign-in failed")]
    assert len(lines) == 1, lines
    assert visit.live.sql("SELECT count(*) FROM sessions") == [(0,)]
    assert visit.live.sql("SELECT count(*) FROM authorization_codes") == [(0,)]
    told = await visit.leave(page) if "without signing in" in page.text else {}
    if told:
        assert (told["state"], told["iss"]) == ("some-state", visit.live.url)
        assert "code" not in told
    return Failed(page, told, lines[0].removeprefix("Sign-in failed: "))


async def come(visit: Visit) -> Answer:
    return await visit.come_back(await visit.go(await visit.ask()))


async def test_provider_down_before_the_hop(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    ada.provider.site.down = True
    failed = await failed_at(await ada.go(await ada.ask()), caplog, ada)
    assert (failed.page.status, failed.page.headers["Retry-After"]) == (503, "30")
    assert "cannot be reached" in failed.page.text
    assert failed.told["error"] == "temporarily_unavailable"
    url = f"{ada.provider.issuer}/.well-known/openid-configuration"
    assert failed.line == f"{url}: Its server answered with status 503 instead of 200."


async def test_provider_down_after_the_hop(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    hop = await ada.go(await ada.ask())
    ada.provider.failure = (502, {})
    failed = await failed_at(await ada.come_back(hop), caplog, ada)
    assert "cannot be reached" in failed.page.text
    assert failed.told["error"] == "temporarily_unavailable"
    assert failed.line == "the token endpoint answered 502 '' ('')"


async def test_page_of_a_failure_offers_a_second_try(ada: Visit) -> None:
    hop = await ada.go(await ada.ask())
    ada.provider.failure = (502, {})
    page = await ada.come_back(hop)
    ada.provider.failure = None
    again = page.text.partition('<a href="/signin?')[2].partition('"')[0]
    hop = await ada.go(await ada.browser.send("GET", f"/signin?{again}"))
    assert (await ada.come_back(hop)).location.startswith("/oauth/authorize/page?")


async def test_provider_that_comes_back_is_asked_again_half_a_minute_later(ada: Visit) -> None:
    page = await ada.ask()
    ada.provider.site.down = True
    assert (await ada.go(page)).status == 503
    ada.provider.site.down = False
    ada.live.clock.advance(30)
    assert (await ada.go(page)).location.startswith(ada.provider.site.origin)


async def test_request_that_was_left_is_over(ada: Visit) -> None:
    ada.provider.site.down = True
    page = await ada.go(await ada.ask())
    await ada.leave(page)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    again = await ada.browser.send("POST", "/signin/provider/failed", data=hidden)
    assert (again.status, "You have already answered" in again.text) == (400, True)


@pytest.mark.parametrize("fields", [{"csrf": "0" * 64}, {"because": "Boredom"}, {"request": ""}])
async def test_button_of_another_site_tells_the_client_nothing(ada: Visit, fields: dict[str, str]) -> None:
    ada.provider.site.down = True
    page = await ada.go(await ada.ask())
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    refused = await ada.browser.send("POST", "/signin/provider/failed", data={**hidden, **fields})
    assert refused.status in {400, 403}
    assert ada.live.sql("SELECT count(*) FROM authorization_requests WHERE decided_at IS NULL") == [(1,)]


async def test_provider_that_is_not_there(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    async with provide() as provider:
        pass
    async with start(**settings_for(provider)) as live:
        ada = Visit(live, provider, await live.register(), live.browser())
        failed = await failed_at(await ada.go(await ada.ask()), caplog, ada)
    assert failed.told["error"] == "temporarily_unavailable"
    url = f"{provider.issuer}/.well-known/openid-configuration"
    assert failed.line.startswith(f"{url}: It could not be reached, or did not answer in HTTP. ClientConnect")


async def test_provider_slow(start: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.outbound.upstream.UpstreamHttp.__init__.__defaults__", (0.3,))
    async with provide() as provider, start(**settings_for(provider)) as live:
        ada = Visit(live, provider, await live.register(), live.browser())
        provider.site.pause = 0.6
        failed = await failed_at(await ada.go(await ada.ask()), caplog, ada)
    assert failed.told["error"] == "temporarily_unavailable"
    url = f"{provider.issuer}/.well-known/openid-configuration"
    assert failed.line == f"{url}: It was not answered in full within 0.3 seconds."


async def test_wrong_client_secret(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    ada.provider.secret = "renewed at the provider"
    failed = await failed_at(await come(ada), caplog, ada)
    assert failed.page.status == 500
    assert "Sign-in is not set up rightly here" in failed.page.text
    assert failed.told["error"] == "server_error"
    assert failed.line == (
        "the token endpoint answered 401 'invalid_client' (''): look at OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET"
    )


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (7_200, "the ID token expired 3600 s ago by this server's clock: is it right?"),
        (-7_200, "the ID token is from 7200 s ahead of this server's clock: is it right?"),
    ],
)
async def test_clock_off(ada: Visit, caplog: pytest.LogCaptureFixture, seconds: int, line: str) -> None:
    ada.provider.now = START - seconds
    failed = await failed_at(await come(ada), caplog, ada)
    assert "Two clocks do not agree" in failed.page.text
    assert failed.told["error"] == "server_error"
    assert failed.line == line


async def test_key_rotated_goes_unnoticed(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    await ada.sign_in()
    ada.live.clock.advance(31)
    ada.provider.now += 31
    ada.provider.key = OTHER
    ada.provider.publish_keys(OTHER)
    await (await ada.visit_again()).sign_in()
    assert "Fetching the provider's keys anew" in caplog.text


async def test_key_that_is_not_published(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    ada.provider.key = OTHER
    failed = await failed_at(await come(ada), caplog, ada)
    assert "cannot be trusted" in failed.page.text
    assert failed.told["error"] == "server_error"
    assert failed.line == "the ID token is not good: no key of the provider has signed it"


async def test_denied_at_the_provider(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    hop = await ada.go(await ada.ask())
    words = 'The user "cancelled".\nSign-in failed: forged'
    failed = await failed_at(
        await ada.come_back(hop, code=..., error="access_denied", error_description=words), caplog, ada
    )
    assert failed.page.status == 403
    assert "You were not signed in" in failed.page.text
    assert "cancelled" not in failed.page.text
    assert failed.told["error"] == "access_denied"
    assert failed.line == f"the provider answered 'access_denied' ({words!r})"
    assert "\n" not in failed.line


async def test_callback_replayed(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    back = ada.provider.answer((await ada.go(await ada.ask())).location)
    assert (await ada.browser.send("GET", back)).status == 302
    ada.live.sql("DELETE FROM sessions")
    ada.live.clock.advance(3)
    failed = await failed_at(await ada.browser.send("GET", back), caplog, ada)
    assert failed.page.status == 400
    assert "This sign-in was finished before" in failed.page.text
    assert not failed.told
    assert failed.line == "its state was used 3 s ago"


async def test_cookie_lost(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    back = ada.provider.answer((await ada.go(await ada.ask())).location)
    ada.browser.cookies.clear()
    failed = await failed_at(await ada.browser.send("GET", back), caplog, ada)
    assert failed.page.status == 400
    assert "This sign-in belongs to another browser" in failed.page.text
    assert not failed.told
    assert failed.line == "the browser's cookie is missing"


async def test_sign_in_that_took_too_long(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    back = ada.provider.answer((await ada.go(await ada.ask())).location)
    ada.live.clock.advance(600)
    failed = await failed_at(await ada.browser.send("GET", back), caplog, ada)
    assert "This sign-in is over" in failed.page.text
    assert failed.line == "its state expired 0 s ago"


async def test_person_who_is_not_listed(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    async with provide() as provider, start(**settings_for(provider, oauth_allowed_users="@other.example")) as live:
        ada = Visit(live, provider, await live.register(), live.browser())
        failed = await failed_at(await come(ada), caplog, ada)
        assert live.sql("SELECT count(*) FROM users") == [(0,)]
    assert failed.page.status == 403
    assert failed.told["error"] == "access_denied"
    assert failed.line == "ada@example.com is not among OAUTH_ALLOWED_USERS"


async def test_disabled_user(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    await ada.sign_in()
    ada.live.sql("UPDATE users SET disabled_at = 1")
    [(user_id,)] = ada.live.sql("SELECT user_id FROM users")
    ada.live.sql("DELETE FROM sessions")
    failed = await failed_at(await ada.come_back(await ada.ask()), caplog, ada)
    assert failed.page.status == 403
    assert failed.told["error"] == "access_denied"
    assert failed.line == f"the user {user_id} is disabled"


async def test_failure_without_an_app_leads_back_to_signing_in(ada: Visit) -> None:
    hop = await ada.go(await ada.browser.send("GET", "/signin"))
    page = await ada.come_back(hop, code=..., error="access_denied")
    assert '<a href="/signin">Try again</a>' in page.text
    assert "without signing in" not in page.text


async def test_failure_is_in_the_audit_log(start: Start) -> None:
    async with provide() as provider, start(**settings_for(provider)) as live:
        ada = Visit(live, provider, await live.register(), live.browser())
        provider.secret = "renewed"
        await come(ada)
    noted = live.sql("SELECT client_id, address, detail FROM audit_log WHERE event = 'sign_in_failed'")
    assert noted == [(ada.app.client_id, "127.0.0.1", "Misconfigured")]


async def test_no_secret_is_in_the_log(ada: Visit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await ada.log_in()
    ada.provider.secret = "renewed"
    await come(await ada.visit_again())
    for secret in ("se:cret", "upstream-access", "eyJ", ada.browser.cookies["att_browser"], "code_verifier"):
        assert secret not in caplog.text
