"""Signing in at a provider: what is asked before the hop and after it, who it makes of one, and signing out."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.conftest import Start
from tests.support import REDIRECT_URI, Live
from tests.upstream import Provider, Visit, provide, settings_for


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with provide() as serving:
        yield serving


async def visit(live: Live, provider: Provider, **metadata: Any) -> Visit:
    app = await live.register(client_name="Example Assistant", **metadata)
    return Visit(live, provider, app, live.browser())


@pytest.fixture
async def ada(start: Start, provider: Provider) -> AsyncIterator[Visit]:
    async with start(**settings_for(provider)) as live:
        yield await visit(live, provider)


def query(location: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(location).query))


async def test_first_page_names_the_client_and_sends_nobody_anywhere(ada: Visit) -> None:
    page = await ada.ask(scope="read account")
    assert page.status == 200
    for shown in ("Example Assistant", "Unverified application", "assistant.example", "your accounts, balances"):
        assert shown in page.text
    assert ada.provider.site.asked == []
    assert ada.live.sql("SELECT count(*) FROM upstream_sign_ins") == [(0,)]


async def test_hop_asks_for_a_code_with_challenge_state_and_nonce(ada: Visit) -> None:
    hop = await ada.go(await ada.ask())
    asked = query(hop.location)
    assert hop.status == 303
    assert hop.location.startswith(f"{ada.provider.site.origin}/authorize?")
    assert asked.pop("redirect_uri") == f"{ada.live.url}/oauth/callback"
    assert [len(asked.pop(name)) for name in ("state", "nonce", "code_challenge")] == [64, 64, 43]
    assert asked == {
        "response_type": "code",
        "client_id": "this-server",
        "scope": "openid profile email",
        "code_challenge_method": "S256",
    }


async def test_consent_page_names_who_signed_in(ada: Visit) -> None:
    page = await ada.sign_in()
    for shown in ("Ada Lovelace", "ada@example.com", "Example Assistant"):
        assert shown in page.shown.text


async def test_user_is_issuer_and_subject(ada: Visit) -> None:
    tokens = await ada.log_in()
    assert ada.live.sql("SELECT issuer, subject, name, email FROM users") == [
        (ada.provider.issuer, "ada", "Ada Lovelace", "ada@example.com")
    ]
    assert await ada.live.is_active(ada.app, tokens["access_token"])


async def test_user_who_comes_back_is_the_same_with_a_new_address(ada: Visit) -> None:
    await ada.log_in()
    [(user_id,)] = ada.live.sql("SELECT user_id FROM users")
    ada.provider.claims = {"email": "countess@example.com"}
    ada.live.sql("DELETE FROM sessions")
    await ada.come_back(await ada.ask())
    assert ada.live.sql("SELECT user_id, email FROM users") == [(user_id, "countess@example.com")]


async def test_same_address_at_another_subject_is_another_user(ada: Visit) -> None:
    await ada.log_in()
    ada.live.sql("DELETE FROM sessions")
    ada.provider.claims = {"sub": "eve"}
    await ada.come_back(await ada.ask())
    assert ada.live.sql("SELECT count(DISTINCT user_id), count(DISTINCT email) FROM users") == [(2, 1)]


async def test_unvouched_address_is_not_kept(ada: Visit) -> None:
    ada.provider.claims = {"email_verified": False}
    await ada.log_in()
    assert ada.live.sql("SELECT name, email FROM users") == [("Ada Lovelace", None)]


async def test_approved_client_leads_to_the_provider_at_once_and_back_with_a_code(ada: Visit) -> None:
    await ada.log_in()
    ada.live.sql("DELETE FROM sessions")
    hop = await ada.ask()
    assert hop.location.startswith(f"{ada.provider.site.origin}/authorize?")
    back = await ada.browser.send("GET", (await ada.come_back(hop)).location)
    assert back.location.startswith(f"{REDIRECT_URI}?code=")


async def test_another_client_is_asked_about_before_the_hop_in_the_same_browser(ada: Visit) -> None:
    await ada.log_in()
    page = await (await ada.visit_again()).ask()
    assert page.status == 200
    assert "Another app" in page.text


async def test_approved_client_is_asked_about_in_another_browser(ada: Visit) -> None:
    await ada.log_in()
    elsewhere = Visit(ada.live, ada.provider, ada.app, ada.live.browser())
    assert (await elsewhere.ask()).status == 200


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE clients SET redirect_uris = json_insert(redirect_uris, '$[#]', 'https://evil.example/')""",
        "UPDATE clients SET created_at = created_at + 1",
        "UPDATE browser_approvals SET expires_at = created_at",
        "DELETE FROM browser_approvals",
    ],
    ids=["changed", "made anew", "expired", "taken back"],
)
async def test_client_that_is_not_what_was_approved_is_asked_about_again(ada: Visit, change: str) -> None:
    await ada.log_in()
    ada.live.sql("DELETE FROM sessions")
    ada.live.sql(change)
    assert (await ada.ask()).status == 200


async def test_signed_in_user_is_not_sent_to_the_provider_for_another_client(ada: Visit) -> None:
    await ada.log_in()
    other = Visit(ada.live, ada.provider, await ada.live.register(client_name="Another app"), ada.browser)
    page = await other.ask()
    assert "Ada Lovelace" in page.text
    assert "Another app" in page.text
    assert page.text.count('name="scope"') == 1


async def test_denial_before_the_hop_is_told_to_the_client(ada: Visit) -> None:
    denied = await ada.go(await ada.ask(), "deny")
    assert denied.location.startswith(REDIRECT_URI)
    assert denied.returned["error"] == "access_denied"
    assert ada.live.sql("SELECT count(*) FROM upstream_sign_ins") == [(0,)]
    assert ada.provider.site.asked == []


async def test_client_that_was_denied_after_the_hop_is_asked_about_before_the_next(ada: Visit) -> None:
    page = await ada.sign_in()
    assert (await page.deny()).returned["error"] == "access_denied"
    ada.live.sql("DELETE FROM sessions")
    assert (await ada.ask()).status == 200


async def test_whoever_signed_in_since_sees_the_page_before_it_counts(ada: Visit) -> None:
    page = await ada.sign_in()
    ada.provider.claims = {"sub": "lin", "name": "Lin"}
    await ada.come_back(await ada.go(await ada.browser.send("GET", "/signin")))
    [seen] = re.findall(r'name="seen" value="([^"]+)"', page.shown.text)
    fields = {"request": page.handle, "seen": seen, "decision": "approve", "scope": "read"}
    again = await ada.browser.send("POST", "/oauth/authorize/approve", data=fields)
    assert again.location == page.address
    shown = await ada.browser.send("GET", again.location)
    assert ("Lin" in shown.text, "Ada Lovelace" in shown.text) == (True, False)
    assert ada.live.sql("SELECT count(*) FROM authorization_codes") == [(0,)]
    [seen] = re.findall(r'name="seen" value="([^"]+)"', shown.text)
    back = await ada.browser.send("POST", "/oauth/authorize/approve", data={**fields, "seen": seen})
    assert "code" in back.returned


@pytest.mark.parametrize("fields", [{"csrf": "0" * 64}, {"csrf": ""}, {"decision": "perhaps"}])
async def test_form_of_another_site_goes_nowhere(ada: Visit, fields: dict[str, str]) -> None:
    refused = await ada.go(await ada.ask(), **fields)
    assert refused.status in {400, 403}
    assert ada.live.sql("SELECT count(*) FROM upstream_sign_ins") == [(0,)]


async def test_code_before_consent_does_not_exist(ada: Visit) -> None:
    await ada.sign_in()
    assert ada.live.sql("SELECT count(*) FROM authorization_codes") == [(0,)]


async def test_sign_in_without_an_app_leads_to_the_account(ada: Visit) -> None:
    page = await ada.browser.send("GET", "/signin")
    hop = await ada.go(page)
    assert query(hop.location)["prompt"] == "select_account"
    back = await ada.come_back(hop)
    assert back.location == "/account"
    account = (await ada.browser.send("GET", "/account")).text
    for shown in ("Ada Lovelace", "ada@example.com", "at your provider"):
        assert shown in account
    assert 'name="current"' not in account


@pytest.mark.parametrize(
    ("asked", "passed_on"),
    [
        ({"prompt": "login"}, {"prompt": "login"}),
        ({"prompt": "select_account consent"}, {"prompt": "select_account"}),
        ({"login_hint": "ada@example.com"}, {"login_hint": "ada@example.com"}),
        ({"max_age": "60"}, {"max_age": "60"}),
        ({"login_hint": "a" * 321}, {}),
    ],
)
async def test_what_the_client_says_about_the_sign_in_is_passed_on(
    ada: Visit, asked: dict[str, str], passed_on: dict[str, str]
) -> None:
    hop = query((await ada.go(await ada.ask(**asked))).location)
    assert {name: hop.get(name) for name in ("prompt", "login_hint", "max_age")} == {
        "prompt": None,
        "login_hint": None,
        "max_age": None,
        **passed_on,
    }


async def test_sign_in_anew_is_asked_of_the_provider_though_somebody_is_signed_in(ada: Visit) -> None:
    await ada.log_in()
    hop = await ada.ask(prompt="login")
    assert query(hop.location)["prompt"] == "login"
    back = await ada.browser.send("GET", (await ada.come_back(hop)).location)
    assert back.location.startswith(f"{REDIRECT_URI}?code=")


async def test_no_prompt_means_no_hop(ada: Visit) -> None:
    led, _ = await ada.browser.authorize(ada.app, prompt="none")
    assert led.returned["error"] == "login_required"


@pytest.mark.parametrize(
    ("name", "asked", "sent"),
    [
        ("google", "login", "select_account"),
        ("okta", "select_account", "login"),
        ("auth0", "select_account login", "login"),
        ("oidc", "select_account", "login"),
    ],
)
async def test_prompt_that_a_provider_does_not_know_is_stood_in_for(
    start: Start, provider: Provider, name: str, asked: str, sent: str
) -> None:
    provider.describe(prompt_values_supported=...)
    async with start(**settings_for(provider, oauth_provider=name)) as live:
        coming = await visit(live, provider)
        assert query((await coming.go(await coming.ask(prompt=asked))).location)["prompt"] == sent


@pytest.mark.parametrize(("name", "path"), [("google", "/oauth/google/callback"), ("auth0", "/oauth/callback")])
async def test_each_provider_leads_back_to_its_own_redirect_uri(
    start: Start, provider: Provider, name: str, path: str
) -> None:
    async with start(**settings_for(provider, oauth_provider=name)) as live:
        coming = await visit(live, provider)
        hop = await coming.go(await coming.ask())
        assert query(hop.location)["redirect_uri"] == live.url + path
        assert (await coming.come_back(hop)).location.startswith("/oauth/authorize/page?")


async def sign_out(visit: Visit) -> str:
    account = await visit.browser.send("GET", "/account")
    csrf = account.text.partition('name="csrf" value="')[2].partition('"')[0]
    left = await visit.browser.send("POST", "/signout", data={"csrf": csrf})
    assert visit.live.sql("SELECT count(*) FROM sessions") == [(0,)]
    return left.location


async def test_sign_out_ends_the_session_at_the_provider_too(ada: Visit) -> None:
    await ada.sign_in()
    left = await sign_out(ada)
    asked = query(left)
    assert left.startswith(f"{ada.provider.site.origin}/logout?")
    assert asked.pop("id_token_hint").count(".") == 2
    assert asked == {
        "client_id": "this-server",
        "post_logout_redirect_uri": f"{ada.live.url}/signin",
        "state": "signed-out",
    }
    assert "You are signed out" in (await ada.browser.send("GET", "/signin?state=signed-out")).text


async def test_id_token_that_fits_into_no_address_is_left_out_of_it(ada: Visit) -> None:
    ada.provider.claims = {"groups": ["x" * 100] * 50}
    await ada.sign_in()
    assert set(query(await sign_out(ada))) == {"client_id", "post_logout_redirect_uri", "state"}


async def test_sign_out_ends_here_where_the_provider_has_no_such_page(start: Start, provider: Provider) -> None:
    provider.describe(end_session_endpoint=...)
    async with start(**settings_for(provider)) as live:
        coming = await visit(live, provider)
        await coming.sign_in()
        assert await sign_out(coming) == "/signin?notice=signed-out"


async def test_sign_out_works_while_the_provider_is_down(ada: Visit) -> None:
    await ada.sign_in()
    ada.provider.site.down = True
    ada.live.clock.advance(2 * 86_400)
    ada.live.sql("UPDATE sessions SET last_used_at = last_used_at + 172800")
    assert await sign_out(ada) == "/signin?notice=signed-out"


async def test_session_counts_as_long_as_its_provider_is_the_one_of_the_settings(
    start: Start, provider: Provider
) -> None:
    async with start(**settings_for(provider)) as live:
        coming = await visit(live, provider)
        await coming.sign_in()
    async with start(**settings_for(provider)) as live:
        answer = await live.send("GET", "/account", headers={"Cookie": cookies(coming)})
        assert "Ada Lovelace" in answer.text
    async with provide() as other, start(**settings_for(other)) as live:
        answer = await live.send("GET", "/account", headers={"Cookie": cookies(coming)})
        assert "Ada Lovelace" not in answer.text


def cookies(visit: Visit) -> str:
    return "; ".join(f"{name}={value}" for name, value in visit.browser.cookies.items())


async def test_session_gets_a_new_id_at_each_sign_in(ada: Visit) -> None:
    await ada.sign_in()
    before = ada.browser.cookies["att_session"]
    ada.browser.cookies["att_session"] = before
    await ada.come_back(await ada.go(await ada.browser.send("GET", "/signin")))
    assert ada.browser.cookies["att_session"] != before
    assert ada.live.sql("SELECT count(*) FROM sessions") == [(1,)]


async def test_only_listed_people_sign_in_and_of_others_nothing_is_kept(start: Start, provider: Provider) -> None:
    async with start(**settings_for(provider, oauth_allowed_users="@example.com")) as live:
        coming = await visit(live, provider)
        await coming.sign_in()
        live.sql("DELETE FROM users")
        for claims in ({"email": "eve@evil.example"}, {"email_verified": False}, {"email": "ada@sub.example.com"}):
            provider.claims = claims
            refused = await coming.come_back(await coming.go(await coming.browser.send("GET", "/signin")))
            assert refused.status == 403
            assert "This account may not sign in here" in refused.text
            assert "You signed in at localhost" in refused.text
            assert "as Ada Lovelace, but" in refused.text
            assert live.sql("SELECT count(*) FROM users") == [(0,)]


async def test_listed_person_without_an_address_in_the_id_token_is_found_by_user_info(
    start: Start, provider: Provider
) -> None:
    provider.claims = {"email": ...}
    provider.userinfo = {"sub": "ada", "email": "Ada@Example.com", "email_verified": True}
    async with start(**settings_for(provider, oauth_allowed_users="ada@example.com")) as live:
        await (await visit(live, provider)).sign_in()


async def test_person_taken_off_the_list_is_signed_out(start: Start, provider: Provider) -> None:
    async with start(**settings_for(provider)) as live:
        coming = await visit(live, provider)
        await coming.sign_in()
    async with start(**settings_for(provider, oauth_allowed_users="@other.example")) as live:
        answer = await live.send("GET", "/account", headers={"Cookie": cookies(coming)})
        assert "Ada Lovelace" not in answer.text


async def test_disabled_user_signs_in_no_more_and_their_tokens_are_over(ada: Visit) -> None:
    tokens = await ada.log_in()
    ada.live.sql("UPDATE users SET disabled_at = 1")
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await ada.live.send("POST", "/mcp", data="{}", headers=bearer)).status == 401
    refused = await ada.come_back(await ada.ask())
    assert refused.status == 403
    assert "Your account here is disabled" in refused.text
    assert (await ada.leave(refused))["error"] == "access_denied"


async def test_what_must_be_read_back_is_sealed(ada: Visit) -> None:
    hop = await ada.go(await ada.ask())
    asked = query(hop.location)
    await ada.come_back(hop)
    kept = json.dumps(ada.live.sql("SELECT * FROM upstream_sign_ins") + ada.live.sql("SELECT * FROM sessions"))
    for secret in (asked["state"], asked["nonce"], "verifier", "id_token", "eyJ", ada.browser.cookies["att_browser"]):
        assert secret not in kept


async def test_hops_are_limited(start: Start, provider: Provider) -> None:
    async with start(**settings_for(provider), rate_limits=True) as live:
        coming = await visit(live, provider)
        page = await coming.ask()
        answers = [await coming.go(page) for _ in range(30)]
        assert {answer.status for answer in answers} == {303, 429}


async def test_start_says_where_the_provider_leads_back_to_and_what_is_not_used(
    start: Start, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with start(**settings_for(provider, oauth_provider="okta", oauth_tenant_id="common")) as live:
        assert f"Signing in at Okta, which leads back to {live.url}/oauth/callback" in caplog.messages
        assert "OAUTH_TENANT_ID is set, but OAUTH_PROVIDER=okta does not use it" in caplog.messages
        assert sum("does not use it" in line for line in caplog.messages) == 1


async def test_head_of_the_callback_changes_nothing(ada: Visit) -> None:
    back = ada.provider.answer((await ada.go(await ada.ask())).location)
    assert (await ada.browser.send("HEAD", back)).status == 405
    assert (await ada.browser.send("GET", back)).status == 302


async def test_who_comes_from_the_provider_is_noted_once_as_new_and_at_each_sign_in(ada: Visit) -> None:
    for _ in range(2):
        await ada.come_back(await ada.go(await ada.browser.send("GET", "/signin")))
    ((user_id,),) = ada.live.sql("SELECT user_id FROM users")
    noted = ada.live.sql("SELECT event, user_id, address, detail FROM audit_log ORDER BY id")
    added, signed_in = [(event, user_id, "127.0.0.1", "oidc") for event in ("user_added", "signed_in")]
    assert [row for row in noted if row[0] != "client_registered"] == [added, signed_in, signed_in]
