"""POST /token with a refresh token: rotation, grace, reuse, narrowing, and what ends a grant."""

import asyncio

import pytest

from tests.browser import Answer
from tests.conftest import Start
from tests.support import Live


def is_over(answer: Answer) -> bool:
    return (answer.status, answer.json["error"]) == (400, "invalid_grant")


async def test_every_refresh_rotates(live: Live) -> None:
    app = await live.register()
    tokens = [await live.log_in(app, scope="read write")]
    for _ in range(3):
        answer = await live.refresh(app, tokens[-1]["refresh_token"])
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        tokens.append(answer.json)
    for name in ("access_token", "refresh_token"):
        assert len({answer[name] for answer in tokens}) == 4
    assert {(t["scope"], t["expires_in"], t["token_type"]) for t in tokens} == {("read write", 3600, "Bearer")}
    assert live.sql("SELECT count(*) FROM grants") == [(1,)]
    assert all([await live.is_active(app, answer["access_token"]) for answer in tokens])


async def test_within_the_grace_every_presenter_gets_its_own_access_token_and_the_same_successor(live: Live) -> None:
    app = await live.register()
    token = (await live.log_in(app))["refresh_token"]
    answers = []
    for waited in (0, 60, 59):
        live.clock.advance(waited)
        answers.append((await live.refresh(app, token)).json)
    assert len({answer["refresh_token"] for answer in answers}) == 1
    assert len({answer["access_token"] for answer in answers}) == 3
    assert (await live.refresh(app, answers[0]["refresh_token"])).status == 200


async def test_parallel_refreshes_log_nobody_out(live: Live) -> None:
    app = await live.register()
    token = (await live.log_in(app))["refresh_token"]
    answers = await asyncio.gather(*(live.refresh(app, token) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    assert len({answer.json["access_token"] for answer in answers}) == 10
    assert live.sql("SELECT count(*) FROM refresh_tokens") == [(2,)]
    assert all([await live.is_active(app, answer.json["access_token"]) for answer in answers])


async def test_the_grace_counts_from_the_first_use_and_does_not_slide(live: Live) -> None:
    app = await live.register()
    token = (await live.log_in(app))["refresh_token"]
    await live.refresh(app, token)
    live.clock.advance(119)
    assert (await live.refresh(app, token)).status == 200
    live.clock.advance(1)
    assert is_over(await live.refresh(app, token))


async def test_a_used_token_presented_after_the_grace_ends_the_family(live: Live) -> None:
    app = await live.register()
    first = await live.log_in(app)
    second = (await live.refresh(app, first["refresh_token"])).json
    live.clock.advance(120)
    assert is_over(await live.refresh(app, first["refresh_token"]))
    assert is_over(await live.refresh(app, second["refresh_token"]))
    for answer in (first, second):
        assert not await live.is_active(app, answer["access_token"])


async def test_a_theft_within_the_grace_collides_later(live: Live) -> None:
    app = await live.register()
    stolen = (await live.log_in(app))["refresh_token"]
    thiefs, owners = [(await live.refresh(app, stolen)).json["refresh_token"] for _ in range(2)]
    assert thiefs == owners
    next_of_thief = (await live.refresh(app, thiefs)).json["refresh_token"]
    live.clock.advance(121)
    assert is_over(await live.refresh(app, owners))
    assert is_over(await live.refresh(app, next_of_thief))


async def test_without_grace_the_second_use_ends_the_family(start: Start) -> None:
    async with start(oauth_refresh_grace=0) as live:
        app = await live.register()
        first = (await live.log_in(app))["refresh_token"]
        second = (await live.refresh(app, first)).json["refresh_token"]
        assert is_over(await live.refresh(app, first))
        assert is_over(await live.refresh(app, second))


async def test_another_client_cannot_use_a_token_and_harms_nothing_by_trying(live: Live) -> None:
    app, thief = await live.register(), await live.register()
    first = (await live.log_in(app))["refresh_token"]
    assert is_over(await live.refresh(thief, first))
    second = (await live.refresh(app, first)).json["refresh_token"]
    live.clock.advance(500)
    assert is_over(await live.refresh(thief, first))
    assert (await live.refresh(app, second)).status == 200


@pytest.mark.parametrize("scope", ["account", "account offline_access", " account account"])
async def test_a_refresh_narrows_the_access_token_and_keeps_the_grant(live: Live, scope: str) -> None:
    app = await live.register()
    tokens = await live.log_in(app, scope="read account")
    narrow = (await live.refresh(app, tokens["refresh_token"], scope=scope)).json
    assert narrow["scope"] == "account"
    assert (await live.introspect(app, narrow["access_token"]))["scope"] == "account"
    assert (await live.introspect(app, narrow["refresh_token"]))["scope"] == "read account"
    assert (await live.refresh(app, narrow["refresh_token"])).json["scope"] == "read account"


@pytest.mark.parametrize("scope", ["write", "read write", "admin"])
async def test_a_refresh_never_widens_and_the_token_stays_good(live: Live, scope: str) -> None:
    app = await live.register()
    token = (await live.log_in(app))["refresh_token"]
    answer = await live.refresh(app, token, scope=scope)
    assert (answer.status, answer.json["error"]) == (400, "invalid_scope")
    assert live.sql("SELECT used_at FROM refresh_tokens") == [(None,)]
    assert (await live.refresh(app, token)).status == 200


async def test_a_refresh_may_narrow_to_what_a_granted_scope_implies(start: Start) -> None:
    async with start(oauth_scope_implies="write>read") as live:
        app = await live.register()
        tokens = await live.log_in(app, scope="write")
        narrowed = (await live.refresh(app, tokens["refresh_token"], scope="read")).json
        assert narrowed["scope"] == "read"
        assert (await live.refresh(app, narrowed["refresh_token"])).json["scope"] == "write"


async def test_a_foreign_resource_is_refused_and_the_token_stays_good(live: Live) -> None:
    app = await live.register()
    token = (await live.log_in(app))["refresh_token"]
    answer = await live.refresh(app, token, resource="https://evil.example")
    assert (answer.status, answer.json["error"]) == (400, "invalid_target")
    assert (await live.refresh(app, token, resource=f"{live.url}/mcp")).status == 200


async def test_a_refresh_token_lives_anew_with_each_rotation(live: Live) -> None:
    app = await live.register()
    token = (await live.log_in(app))["refresh_token"]
    for _ in range(3):
        live.clock.advance(86_399)
        token = (await live.refresh(app, token)).json["refresh_token"]
    live.clock.advance(86_400)
    assert is_over(await live.refresh(app, token))


async def test_a_grant_needs_a_new_consent_in_the_end_however_often_refreshed(start: Start) -> None:
    async with start(oauth_grant_max_age=100_000) as live:
        app = await live.register()
        tokens = await live.log_in(app)
        live.clock.advance(50_000)
        tokens = (await live.refresh(app, tokens["refresh_token"])).json
        live.clock.advance(49_000)
        tokens = (await live.refresh(app, tokens["refresh_token"])).json
        assert tokens["expires_in"] == 1_000
        live.clock.advance(999)
        assert await live.is_active(app, tokens["access_token"])
        live.clock.advance(1)
        assert not await live.is_active(app, tokens["access_token"])
        assert is_over(await live.refresh(app, tokens["refresh_token"]))


async def test_deleting_the_client_by_hand_takes_effect_at_once(live: Live) -> None:
    app, witness = await live.register(), await live.register()
    tokens = await live.log_in(app)
    live.sql("DELETE FROM clients WHERE client_id = ?", app.client_id)
    answer = await live.refresh(app, tokens["refresh_token"])
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert not await live.is_active(witness, tokens["access_token"])
    assert (await live.send("GET", "/oauth/stats")).json["access_tokens"] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM grants",
        "UPDATE grants SET revoked_at = 1, revoked_reason = 'by hand'",
        "UPDATE grants SET expires_at = 1",
        "DELETE FROM users",
        "UPDATE users SET disabled_at = 1",
        "DELETE FROM refresh_tokens",
    ],
)
async def test_what_an_operator_does_to_a_row_takes_effect_at_once(live: Live, statement: str) -> None:
    app = await live.register()
    tokens = await live.log_in(app)
    live.sql(statement)
    assert is_over(await live.refresh(app, tokens["refresh_token"]))
    assert not await live.is_active(app, tokens["refresh_token"])
    gone = "refresh_tokens" not in statement
    assert await live.is_active(app, tokens["access_token"]) is not gone


async def test_a_user_who_was_deleted_and_comes_back_does_not_revive_old_grants(live: Live) -> None:
    app = await live.register()
    old = await live.log_in(app)
    live.sql("DELETE FROM users")
    new = await live.log_in(app)
    assert not await live.is_active(app, old["access_token"])
    assert is_over(await live.refresh(app, old["refresh_token"]))
    assert (await live.refresh(app, new["refresh_token"])).status == 200


@pytest.mark.parametrize("token", ["x", "att_rt_", "att_rt_" + "0" * 49, "att_at_" + "0" * 49, "é", "\x00"])
async def test_garbage_is_invalid_grant(live: Live, token: str) -> None:
    assert is_over(await live.refresh(await live.register(), token))


async def test_a_missing_refresh_token_is_named(live: Live) -> None:
    answer = await live.post("/token", await live.register(), grant_type="refresh_token")
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert "refresh_token" in answer.json["error_description"]


async def test_an_access_token_or_a_code_is_no_refresh_token(live: Live) -> None:
    app = await live.register()
    tokens = await live.log_in(app)
    assert is_over(await live.refresh(app, tokens["access_token"]))
    assert is_over(await live.exchange(app, tokens["refresh_token"], "v" * 43))
