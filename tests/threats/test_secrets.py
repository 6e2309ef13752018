"""Threats to secrets: guessed one by one, planted beforehand, or found where they were left lying about."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.oauth import tokens
from server.oauth.store import Store
from server.storage.database import Database
from tests.browser import Answer, App
from tests.conftest import Start
from tests.flows.child import Child, connected
from tests.support import Remote

PLANTED = "a" * 64
UNKNOWN = {
    prefix: tokens.make(prefix, lambda size: b"?" * size) for prefix in (tokens.CODE, tokens.ACCESS, tokens.REFRESH)
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the transactions by name."""
    counted: Counter[str] = Counter()
    for name in vars(Store):
        if not name.startswith("_") and hasattr(Database, name):
            monkeypatch.setattr(Database, name, _counting(name, getattr(Database, name), counted))
    return counted


def _counting(name: str, method: Callable[..., Any], counted: Counter[str]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        counted[name] += 1
        return method(*arguments, **named)

    return call


def told(answer: Answer) -> tuple[int, str, frozenset[str]]:
    """Give all of an answer that could tell one failure from another."""
    return answer.status, answer.text, frozenset(set(answer.headers) - {"Date"})


async def work(counted: Counter[str], answer: Answer) -> tuple[object, ...]:
    """Give what was told and what was done for it, and count anew."""
    done = told(answer), dict(counted)
    counted.clear()
    return done


async def test_enumeration_by_timing_every_wrong_token_costs_and_tells_the_same(
    live: Remote, asked: Counter[str]
) -> None:
    app, other = await live.register(), await live.register()
    foreign, revoked = await live.log_in(other), await live.log_in(app)
    for name in ("access_token", "refresh_token"):
        await live.post("/revoke", app, token=revoked[name])
    asked.clear()
    for prefix, name in ((tokens.ACCESS, "access_token"), (tokens.REFRESH, "refresh_token")):
        outcomes = [
            await work(asked, await live.post("/introspect", app, token=token))
            for token in (UNKNOWN[prefix], foreign[name], revoked[name])
        ]
        assert outcomes[0] == outcomes[1] == outcomes[2]
    outcomes = [
        await work(asked, await live.refresh(app, token))
        for token in (UNKNOWN[tokens.REFRESH], foreign["refresh_token"])
    ]
    assert outcomes[0] == outcomes[1]


async def test_enumeration_by_timing_garbage_never_reaches_the_database(live: Remote, asked: Counter[str]) -> None:
    app = await live.register()
    asked.clear()
    for token in ("", "x", f"{UNKNOWN[tokens.ACCESS][:-1]}x", f"{UNKNOWN[tokens.REFRESH][:-1]}x"):
        await live.post("/introspect", app, token=token)
        await live.post("/revoke", app, token=token)
        await live.refresh(app, token)
        await live.exchange(app, token, "x" * 43)
    assert set(asked) == {"get_client"}


async def test_enumeration_by_timing_a_wrong_client_secret_costs_as_much_as_an_unknown_client(
    live: Remote, asked: Counter[str]
) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_post")
    outcomes = []
    asked.clear()
    for changes in ({"client_id": "att_cl_unknown"}, {"client_secret": "x"}, {"client_secret": app.client_id}):
        answer = await live.post("/introspect", App({**app.registration, **changes}), token="x")
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")
        outcomes.append(dict(asked))
        asked.clear()
    assert outcomes == [{"get_client": 1}] * 3


async def test_session_fixation_over_https_a_planted_cookie_counts_for_nothing(start: Start) -> None:
    async with start(server_url="https://mcp.example.com") as live:
        app = await live.register()
        browser = live.browser()
        browser.cookies = {"att_browser": PLANTED}
        answer, _ = await browser.authorize(app)
        name, _, rest = answer.headers["Set-Cookie"].partition("=")
        assert name == "__Host-att_browser"
        assert PLANTED not in rest
        assert "Domain" not in rest


@pytest.mark.parametrize("planted", ["", "short", "A" * 64, "a" * 65, "../../x"])
async def test_session_fixation_an_id_that_is_none_of_ours_is_replaced(live: Remote, planted: str) -> None:
    app = await live.register()
    browser = live.browser()
    browser.cookies = {"att_browser": planted}
    await browser.authorize(app)
    assert browser.cookies["att_browser"] != planted
    assert len(browser.cookies["att_browser"]) == 64


async def test_session_fixation_a_browsers_id_allows_nothing_by_itself(live: Remote) -> None:
    app = await live.register()
    victim, attacker = live.browser(), live.browser()
    victim.cookies = {"att_browser": PLANTED}
    attacker.cookies = {"att_browser": PLANTED}
    await (await victim.open_page(app)).approve()
    page = await attacker.open_page(app)
    assert page.shown.status == 200
    assert live.sql("SELECT count(*) FROM authorization_codes") == [(1,)]


async def test_secrets_are_nowhere_in_the_log_the_database_the_errors_and_the_figures(tmp_path: Path) -> None:
    child = Child(tmp_path, environment={"LOG_LEVEL": "DEBUG", "OAUTH_REFRESH_GRACE": "0"})
    async with connected(child) as live:
        answers: list[Answer] = []
        secrets, known = await use_everything(live, answers)
        answers += [await live.send("GET", path) for path in ("/oauth/stats", "/metrics", "/health/ready", "/")]
        kept = dump(tmp_path)
        assert await child.stop() == 0
    kept += dump(tmp_path)
    places = {"log": child.log, "database": kept, "answers": "\n".join(map(everything, answers))}
    assert known in places["log"]
    assert known in places["database"]
    assert len(secrets) > 10
    found = [(what, place) for what, secret in secrets.items() for place, text in places.items() if secret in text]
    assert found == []


def dump(folder: Path) -> str:
    """Give every byte of the database's files."""
    return "".join(path.read_bytes().decode("latin-1") for path in sorted(folder.glob("server.db*")))


def everything(answer: Answer) -> str:
    return f"{answer.headers}\n{answer.text}"


async def use_everything(live: Remote, answers: list[Answer]) -> tuple[dict[str, str], str]:
    """Go through the whole life of a client; gives its secrets, and what is known of it by everybody.

    Args:
        live: The server.
        answers: Takes every answer in which no secret belongs: errors, and what has no need of one.
    """
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    page = await live.browser().open_page(app)
    handle = page.address.partition("=")[2]
    code = (await page.approve()).returned["code"]
    wrong = App({**app.registration, "client_secret": "wrong-" + "s" * 40})
    first = (await live.exchange(app, code, page.verifier)).json
    second = (await live.refresh(app, first["refresh_token"])).json
    stray = (await live.log_in(app))["access_token"]
    bearer = {"Authorization": f"Bearer {stray}"}
    answers += [
        await live.post("/introspect", wrong, token="x"),
        await live.exchange(app, code, page.verifier),
        await live.refresh(app, first["refresh_token"]),
        await live.post("/introspect", app, token=second["access_token"]),
        await live.post("/revoke", app, token=second["refresh_token"]),
        await live.send("POST", f"/mcp?access_token={stray}", json={}),
        await live.send("POST", "/mcp", data=json.dumps({"token": stray}), headers=bearer),
        await live.send("GET", f"/nothing/here?code={code}&token={stray}"),
        await live.send("GET", "/authorize", headers=bearer),
        await page.approve(),
        await live.send("GET", f"/register/{app.client_id}", headers=bearer),
    ]
    secrets = {
        "client secret": app.registration["client_secret"],
        "wrong client secret": wrong.registration["client_secret"],
        "registration access token": app.registration["registration_access_token"],
        "handle": handle,
        "browser's id": page.browser.cookies["att_browser"],
        "code": code,
        "code verifier": page.verifier,
        "first access token": first["access_token"],
        "first refresh token": first["refresh_token"],
        "second access token": second["access_token"],
        "second refresh token": second["refresh_token"],
        "stray access token": stray,
    }
    return secrets, app.client_id
