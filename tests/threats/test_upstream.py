"""Threats around the hop to the provider: the confused deputy, the upstream ``state``, and what the provider gives."""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.browser import Browser
from tests.conftest import Start
from tests.site import RSA, forge
from tests.support import START
from tests.upstream import CLIENT_SECRET, Visit, provide, settings_for

PUBLIC_KEY = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ANY_SESSION = "0123456789abcdef" * 4


@pytest.fixture
async def victim(start: Start) -> AsyncIterator[Visit]:
    """Somebody who is signed in at the provider, which asks them nothing any more."""
    async with provide() as provider, start(**settings_for(provider)) as live:
        coming = Visit(live, provider, await live.register(client_name="Honest app"), live.browser())
        await coming.log_in()
        yield coming


async def another(visit: Visit, name: str) -> Visit:
    return Visit(visit.live, visit.provider, await visit.live.register(client_name=name), visit.browser)


async def test_link_of_a_strangers_client_gets_no_code_without_two_looks(victim: Visit) -> None:
    victim.live.sql("DELETE FROM sessions")
    attack = await another(victim, "Evil app")
    asked = victim.provider.site.asked.copy()
    first = await attack.ask()
    assert (first.status, "Evil app" in first.text) == (200, True)
    assert victim.provider.site.asked == asked
    back = await attack.come_back(await attack.go(first))
    second = await attack.browser.send("GET", back.location)
    assert (second.status, "Evil app" in second.text, "Ada Lovelace" in second.text) == (200, True, True)
    assert victim.live.sql("SELECT count(*) FROM authorization_codes WHERE used_at IS NULL") == [(0,)]


async def test_state_is_used_once_even_by_two_at_a_time(victim: Visit) -> None:
    hop = await victim.go(await (await another(victim, "Other")).browser.send("GET", "/signin"))
    back = victim.provider.answer(hop.location)
    answers = await asyncio.gather(*(victim.browser.send("GET", back) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [302, 400, 400, 400, 400]
    assert victim.provider.site.asked.count("/token") == 2


async def test_state_is_good_for_ten_minutes(victim: Visit) -> None:
    for seconds, status in ((599, 302), (600, 400)):
        hop = await victim.go(await victim.browser.send("GET", "/signin"))
        back = victim.provider.answer(hop.location)
        victim.live.clock.advance(seconds)
        victim.provider.now = victim.live.clock.now
        assert (await victim.browser.send("GET", back)).status == status


async def test_answer_of_an_attackers_sign_in_signs_nobody_else_in(victim: Visit) -> None:
    attacker = Visit(victim.live, victim.provider, victim.app, victim.live.browser())
    hop = await attacker.go(await attacker.ask())
    victim.provider.claims = {"sub": "eve", "name": "Eve"}
    back = victim.provider.answer(hop.location)
    session = victim.browser.cookies["att_session"]
    lured = await victim.browser.send("GET", back)
    assert lured.status == 400
    assert victim.browser.cookies["att_session"] == session
    assert victim.live.sql("SELECT count(*) FROM users") == [(1,)]
    assert (await attacker.browser.send("GET", back)).status == 302


@pytest.mark.parametrize("state", ["", "0" * 64, "x" * 10_000, "\N{SNOWMAN}"])
async def test_made_up_state_finds_nothing(victim: Visit, state: str) -> None:
    hop = await victim.go(await victim.browser.send("GET", "/signin"))
    assert (await victim.come_back(hop, state=state)).status == 400
    assert (await victim.come_back(hop)).status == 302


async def test_state_sent_twice_is_no_state(victim: Visit) -> None:
    hop = await victim.go(await victim.browser.send("GET", "/signin"))
    back = victim.provider.answer(hop.location)
    state = dict(parse_qsl(urlsplit(back).query))["state"]
    assert (await victim.browser.send("GET", f"{back}&state={state}")).status == 400


async def test_nonce_of_another_sign_in_of_the_same_person_is_refused(victim: Visit) -> None:
    first = await victim.go(await victim.browser.send("GET", "/signin"))
    second = await victim.go(await victim.browser.send("GET", "/signin"))
    nonce = dict(parse_qsl(urlsplit(first.location).query))["nonce"]
    victim.provider.claims = {"nonce": nonce}
    refused = await victim.come_back(second)
    assert (refused.status, "cannot be trusted" in refused.text) == (500, True)


async def test_code_of_another_sign_in_does_not_fit_the_verifier(victim: Visit) -> None:
    first = await victim.go(await victim.browser.send("GET", "/signin"))
    second = await victim.go(await victim.browser.send("GET", "/signin"))
    code = dict(parse_qsl(urlsplit(victim.provider.answer(first.location)).query))["code"]
    refused = await victim.come_back(second, code=code)
    assert (refused.status, "could not be finished" in refused.text) == (500, True)


async def test_answer_of_another_provider_is_not_exchanged(victim: Visit) -> None:
    hop = await victim.go(await victim.browser.send("GET", "/signin"))
    before = victim.provider.site.asked.count("/token")
    refused = await victim.come_back(hop, iss="https://evil.example")
    assert refused.status == 500
    assert victim.provider.site.asked.count("/token") == before


async def test_answer_to_what_was_sealed_under_another_secret_counts_for_nothing(start: Start) -> None:
    async with provide() as provider, start(**settings_for(provider), secret_key="first" * 8) as live:
        coming = Visit(live, provider, await live.register(), live.browser())
        back = provider.answer((await coming.go(await coming.ask())).location).removeprefix(live.url)
        headers = {"Cookie": f"att_browser={coming.browser.cookies['att_browser']}"}
        async with start(**settings_for(provider), secret_key="second" * 8) as changed:
            assert (await changed.send("GET", back, headers=headers)).status == 400
            assert "/token" not in provider.site.asked


async def test_answer_from_before_the_provider_changed_counts_for_nothing(start: Start) -> None:
    async with provide() as first, start(**settings_for(first)) as live:
        coming = Visit(live, first, await live.register(), live.browser())
        back = first.answer((await coming.go(await coming.ask())).location)
        path = back.removeprefix(live.url)
        async with provide() as second, start(**settings_for(second)) as changed:
            headers = {"Cookie": f"att_browser={coming.browser.cookies['att_browser']}"}
            assert (await changed.send("GET", path, headers=headers)).status == 400
            assert "/token" not in first.site.asked + second.site.asked


async def test_session_fixation_the_answer_of_the_provider_begins_a_session_with_an_id_of_its_own(
    victim: Visit,
) -> None:
    victim.live.sql("DELETE FROM sessions")
    victim.browser.cookies["att_session"] = ANY_SESSION
    assert (await victim.come_back(await victim.go(await victim.browser.send("GET", "/signin")))).status == 302
    assert victim.browser.cookies["att_session"] != ANY_SESSION
    thief = victim.live.browser()
    thief.cookies["att_session"] = ANY_SESSION
    assert (await thief.send("GET", "/account")).status == 302
    assert (await victim.browser.send("GET", "/account")).status == 200


@pytest.mark.parametrize(
    ("algorithm", "secret"), [("none", None), ("HS256", PUBLIC_KEY), ("HS256", CLIENT_SECRET.encode())]
)
async def test_algorithm_confusion_an_id_token_is_signed_by_the_providers_private_key_or_not_at_all(
    victim: Visit, algorithm: str, secret: bytes | None
) -> None:
    victim.live.sql("DELETE FROM sessions")
    hop = await victim.go(await victim.browser.send("GET", "/signin"))
    claims = {"iss": victim.provider.issuer, "sub": "ada", "aud": "this-server", "exp": START + 60, "iat": START}
    claims["nonce"] = dict(parse_qsl(urlsplit(hop.location).query))["nonce"]
    victim.provider.id_token = forge(claims, algorithm, secret)
    refused = await victim.come_back(hop)
    assert (refused.status, "cannot be trusted" in refused.text) == (500, True)
    assert victim.live.sql("SELECT count(*) FROM sessions") == [(0,)]


async def test_token_pass_through_nothing_that_the_provider_issued_is_taken_here(victim: Visit) -> None:
    for token in (victim.provider.sign("any", "this-server"), "upstream-access"):
        answer = await victim.live.ask("ping", token)
        assert (answer.status, answer.json["error"]) == (401, "invalid_token")
        assert (await victim.live.post("/introspect", victim.app, token=token)).json == {"active": False}


async def test_secrets_of_the_hop_are_in_no_log_no_answer_and_not_in_the_database(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with provide() as provider, start(**settings_for(provider), log_level="DEBUG") as live:
        secrets = {"client secret": CLIENT_SECRET, "access token": "upstream-access"}

        async def token(request: web.BaseRequest) -> web.StreamResponse:
            form = await request.post()
            response = await provider.token(request)
            assert isinstance(response, web.Response)
            secrets.update(code=str(form["code"]), verifier=str(form["code_verifier"]))
            secrets["id token"] = json.loads(response.text or "")["id_token"]
            return response

        provider.site.pages["/token"] = token
        coming = Visit(live, provider, await live.register(), live.browser())
        held = await coming.log_in()
        answers = [await coming.browser.send("GET", path) for path in ("/account", "/metrics", "/oauth/stats", "/")]
        hop = await coming.go(await coming.browser.send("GET", "/signin"))
        secrets.update(under_way(coming.browser, hop.location))
        answers.append(await coming.browser.send("GET", f"/oauth/callback?state={secrets['state']}&error=server_error"))
    assert held["scope"] == "read"
    assert len(secrets) == 8
    kept = "".join(file.read_bytes().decode("latin-1") for file in live.database.parent.glob("server.db*"))
    told = "".join(f"{answer.headers}{answer.text}" for answer in answers)
    places = {"log": caplog.text, "database": kept, "answers": told, "address": hop.location}
    found = {(name, place) for name, secret in secrets.items() for place, text in places.items() if secret in text}
    assert found == {("state", "address"), ("nonce", "address")}


def under_way(browser: Browser, location: str) -> dict[str, str]:
    """Give the secrets of a sign-in that is under way."""
    asked = dict(parse_qsl(urlsplit(location).query))
    return {"state": asked["state"], "nonce": asked["nonce"], "browser": browser.cookies["att_browser"]}
