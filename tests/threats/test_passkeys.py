"""Threats to signing in with a passkey: phishing, replay, forged forms, fixation, and secrets left lying about."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from tests.authenticator import Authenticator, options
from tests.browser import Answer
from tests.conftest import Start
from tests.people import Person, add_person, field
from tests.support import Live


@pytest.fixture
async def live(start: Start) -> AsyncIterator[Live]:
    async with start(oauth_provider="local") as running:
        yield running


async def owner(live: Live, name: str = "ada") -> Authenticator:
    """Give the authenticator of somebody who has a passkey."""
    add_person(live, name)
    person, device = Person(live.browser(), name), Authenticator(live.url)
    await person.sign_in()
    shown = await person.account()
    assert (await person.post("/account/passkeys", shown, credential=device.make(options(shown)))).status == 303
    return device


async def send(person: Person, shown: Answer, credential: str) -> Answer:
    fields = {"csrf": field(shown, "csrf"), "credential": credential}
    return await person.browser.send("POST", "/signin/passkey", data=fields)


def by_passkey(live: Live) -> int:
    """Count the sessions that a passkey began."""
    return int(live.sql("SELECT count(*) FROM sessions WHERE method = 'passkey'")[0][0])


async def test_phishing_what_was_signed_on_another_site_signs_nobody_in(live: Live) -> None:
    device, attacker = await owner(live), Person(live.browser())
    shown = await attacker.browser.send("GET", "/signin")
    device.origin, device.rp_id = "https://localhost.evil.example", "localhost.evil.example"
    assert (await send(attacker, shown, device.sign(options(shown)))).status == 403
    assert by_passkey(live) == 0


async def test_passkey_replay_of_many_at_once_one_signs_in(live: Live) -> None:
    device, person = await owner(live), Person(live.browser())
    device.counts = False
    shown = await person.browser.send("GET", "/signin")
    credential = device.sign(options(shown))
    answers = await asyncio.gather(*(send(person, shown, credential) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [303, 403, 403, 403, 403]


async def test_sign_in_csrf_an_attackers_passkey_signs_nobody_else_in(live: Live) -> None:
    device, attacker, victim = await owner(live, "eve"), Person(live.browser()), Person(live.browser())
    offered = await attacker.browser.send("GET", "/signin")
    credential = device.sign(options(offered))
    shown = await victim.browser.send("GET", "/signin")
    assert (await send(victim, offered, credential)).status == 403, "the attacker's form in the victim's browser"
    assert (await send(victim, shown, credential)).status == 403, "the attacker's answer in the victim's form"
    assert by_passkey(live) == 0


async def test_session_fixation_a_passkey_begins_a_session_with_an_id_of_its_own(live: Live) -> None:
    device, person = await owner(live), Person(live.browser())
    await person.sign_in()
    planted = person.browser.cookies["att_session"]
    shown = await person.browser.send("GET", "/signin")
    assert (await send(person, shown, device.sign(options(shown)))).status == 303
    assert person.browser.cookies["att_session"] != planted
    person.browser.cookies["att_session"] = planted
    assert (await person.account()).status == 302


async def test_account_csrf_no_passkey_is_added_or_removed_by_a_form_from_elsewhere(live: Live) -> None:
    await owner(live)
    victim = Person(live.browser())
    await victim.sign_in()
    ((name,),) = live.sql("SELECT credential_id FROM passkeys")
    made = Authenticator(live.url).make(options(await victim.account()))
    for path, fields in (
        ("/account/passkeys", {"credential": made}),
        ("/account/passkeys/remove", {"credential_id": name}),
        ("/account/password/remove", {}),
    ):
        for csrf in ({}, {"csrf": "0" * 64}):
            assert (await victim.browser.send("POST", path, data={**fields, **csrf})).status == 403
    assert live.sql("SELECT credential_id FROM passkeys") == [(name,)]
    assert live.sql("SELECT count(*) FROM passwords") == [(1,)]


async def test_secrets_of_identity_are_in_no_log_and_not_in_the_database(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with start(oauth_provider="local", oauth_valid_scopes="read,openid,email") as live:
        device, person, app = await owner(live), Person(live.browser()), await live.register()
        shown, verifier = await person.begin(app, scope="openid email", nonce="a-nonce-of-one's-own")
        asked = options(shown)
        credential = device.sign(asked)
        fields = {"csrf": field(shown, "csrf"), "request": field(shown, "request"), "credential": credential}
        led = await person.browser.send("POST", "/signin/passkey", data=fields)
        page = await person.browser.send("GET", led.location)
        fields = {"request": field(page, "request"), "decision": "approve", "scope": "openid"}
        back = await person.browser.send("POST", "/oauth/authorize/approve", data=fields)
        tokens = (await live.exchange(app, back.returned["code"], verifier)).json
        with live.database.open("rb") as file:
            kept = file.read()
    for secret in (tokens["id_token"], asked["challenge"], credential, "BEGIN PRIVATE KEY"):
        assert secret not in caplog.text
        assert secret.encode() not in kept


async def test_token_pass_through_an_id_token_is_no_access_token(start: Start) -> None:
    async with start(oauth_valid_scopes="read,openid") as live:
        tokens = await live.log_in(await live.register(), scope="read openid")
        headers = {"Authorization": f"Bearer {tokens['id_token']}"}
        assert (await live.send("GET", "/userinfo", headers=headers)).status == 401
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        assert (await live.send("POST", "/mcp", headers=headers, json=ping)).status == 401
