"""Sessions: opened, found by those whose they are, and ended."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from server import keys
from server.oauth import tokens
from server.oauth.store import StoreUnavailable
from server.transport import sessions
from tests.support import Clock
from tests.transport import talkative
from tests.transport.rig import NOW, Site, serve
from tests.transport.visit import Visit

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

TALKATIVE = "tests.transport.talkative:build"
UNKNOWN = tokens.make(tokens.MCP_SESSION, lambda size: b"?" * size)
HOUR = 3_600


@asynccontextmanager
async def visiting(folder: Path, **overrides: Any) -> AsyncIterator[tuple[Site, Visit]]:
    """Serve the talkative server, and open a session."""
    async with serve(folder, TALKATIVE, **overrides) as site:
        token = await site.token() if site.settings.oauth_enabled else None
        yield site, await Visit(site.client, "/mcp", token).open()


def clock() -> Clock:
    """Make a clock that a test moves."""
    made = Clock()
    made.now = NOW
    return made


async def rows(site: Site, statement: str) -> list[tuple[Any, ...]]:
    """Do something in the database, as an operator would."""
    from server.storage.driver import Script, Statement  # noqa: PLC0415 - only here

    def script() -> Script[list[tuple[Any, ...]]]:
        return (yield Statement(statement))

    return await site.client.app[keys.STORE].driver.write(script())


async def ping(visit: Visit, **headers: str | None) -> int:
    """Ping and give the status."""
    async with visit.send("POST", visit.request("ping"), **headers) as answer:
        return answer.response.status


async def test_an_initialize_opens_a_session_of_which_only_a_digest_is_kept(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        assert visit.session_id is not None
        assert tokens.is_well_formed(tokens.MCP_SESSION, visit.session_id)
        [row] = await rows(site, "SELECT * FROM mcp_sessions")
        assert tokens.digest(visit.session_id) in row
        assert visit.session_id not in str(row)
        other = await Visit(site.client, "/mcp", visit.token).open()
        assert other.session_id != visit.session_id
        assert await ping(visit) == await ping(other) == 200


async def test_an_initialize_that_fails_opens_none(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        answer = await site.legacy("initialize", {}, token=await site.token())
        assert answer.json["error"]["code"] == -32602
        assert "Mcp-Session-Id" not in answer.headers
        assert await rows(site, "SELECT * FROM mcp_sessions") == []


async def test_a_session_cannot_be_opened_in_a_session(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        hello = visit.request("initialize", {"protocolVersion": "2025-11-25"})
        async with visit.send("POST", hello) as answer:
            assert (answer.response.status, (await answer.response.json())["error"]["code"]) == (400, -32600)
        assert await ping(visit) == 200


async def test_an_unknown_session_is_404(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        for session_id in (UNKNOWN, UNKNOWN[:-1] + "x", "", "x", "é", "att_ms_" + "0" * 49):
            for method in ("GET", "DELETE"):
                assert await visit.status(method, Mcp_Session_Id=session_id) == 404
            async with visit.send("POST", visit.request("ping"), Mcp_Session_Id=session_id) as answer:
                assert (answer.response.status, (await answer.response.json())["error"]["code"]) == (404, -32600)
        assert await ping(visit) == 200


async def test_a_session_of_another_client_or_user_is_404(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        for statement in (
            "UPDATE mcp_sessions SET user_id = 'u-bob'",
            "UPDATE mcp_sessions SET user_id = NULL",
            "UPDATE mcp_sessions SET user_id = 'u-ada', client_id = 'c02'",
        ):
            await rows(site, statement)
            assert await ping(visit) == await visit.status("GET") == await visit.status("DELETE") == 404
        await rows(site, "UPDATE mcp_sessions SET client_id = 'c01'")
        assert await ping(visit) == 200
        stranger = Visit(site.client, "/mcp", await site.token(), visit.session_id)
        assert await ping(stranger) == await stranger.status("GET") == await stranger.status("DELETE") == 404
        assert await ping(visit) == 200


async def test_a_new_token_of_the_same_grant_goes_on_with_the_session(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        await rows(
            site,
            "INSERT INTO access_tokens SELECT replace(token_digest, substr(token_digest, 1, 1), '*'), hint, grant_id, "
            "client_id, user_id, scopes, audience, created_at, expires_at, revoked_at FROM access_tokens",
        )
        fresh = tokens.make(tokens.ACCESS, lambda size: b"f" * size)
        digest = tokens.digest(fresh)
        await rows(site, f"UPDATE access_tokens SET token_digest = '{digest}' WHERE token_digest LIKE '*%'")  # noqa: S608 - a digest
        visit.token = fresh
        assert await ping(visit) == 200


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE access_tokens SET expires_at = 1 WHERE client_id = 'c01'",
        "UPDATE access_tokens SET revoked_at = 1 WHERE client_id = 'c01'",
        "UPDATE grants SET revoked_at = 1 WHERE client_id = 'c01'",
        "DELETE FROM clients WHERE client_id = 'c01'",
    ],
)
async def test_a_standing_stream_ends_with_its_token_and_no_other(tmp_path: Path, end: str) -> None:
    async with visiting(tmp_path) as (site, visit):
        at_work = site.client.app[keys.SESSIONS]
        other = await Visit(site.client, "/mcp", await site.token()).open()
        async with visit.send("GET") as stream, other.send("GET") as untouched:
            assert await stream.next() is not None
            assert await untouched.next() is not None
            await at_work.close_outlived()
            assert [len(session.standing) for session in at_work.at_work.values()] == [1, 1]
            await rows(site, end)
            await at_work.close_outlived()
            assert await asyncio.wait_for(stream.rest(), 5) == []
            assert await visit.status("GET", Last_Event_ID=stream.seen[0].id) == 401
            assert sorted(len(session.standing) for session in at_work.at_work.values()) == [0, 1]


async def test_two_session_ids_are_a_bad_request(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        headers = [*visit.headers.items(), ("Mcp-Session-Id", UNKNOWN)]
        for method in ("POST", "GET", "DELETE"):
            body = visit.request("ping") if method == "POST" else None
            async with site.client.request(method, "/mcp", headers=headers, json=body) as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (400, -32600)
        assert await ping(visit) == 200


async def test_what_is_malformed_is_refused_in_a_session_as_it_is_elsewhere(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        json = {**visit.headers, "Content-Type": "application/json"}
        for body, headers, status, code in (
            (b"{", json, 400, -32700),
            (b"[" * 300 + b"]" * 300, json, 400, -32700),
            (b"null", json, 400, -32600),
            (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', json, 400, -32600),
            (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', json, 400, -32600),
            (b'{"jsonrpc":"2.0","id":1.5,"result":{}}', json, 400, -32600),
            (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', json, 400, -32600),
            (b"[]", json, 400, -32600),
            (b"{}", {**visit.headers, "Content-Type": "text/plain"}, 415, -32600),
            (b"{}", {**json, "Accept": "text/html"}, 406, -32600),
            (b" " * (4 * 1024 * 1024 + 1), json, 413, -32600),
            (b"{}", {**json, "MCP-Protocol-Version": "1999-01-01"}, 400, None),
        ):
            async with site.client.post("/mcp", data=BytesIO(body), headers=headers) as answer:
                assert answer.status == status, body[:60]
                assert code in {None, (await answer.json())["error"]["code"]}, body[:60]
        assert await ping(visit) == 200


async def test_a_token_is_asked_for_before_the_session(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit):
        assert await ping(visit, Authorization=None) == await visit.status("GET", Authorization=None) == 401


async def test_delete_ends_a_session_and_what_is_kept_of_it(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit):
        assert await visit.text("tell", text="x") == "told"
        assert await rows(site, "SELECT count(*) FROM mcp_events") == [(3,)]
        async with visit.send("GET") as stream:
            assert await stream.next() is not None
            assert await visit.status("DELETE") == 204
            assert await stream.rest() == []
        assert await ping(visit) == await visit.status("GET") == await visit.status("DELETE") == 404
        assert await rows(site, "SELECT (SELECT count(*) FROM mcp_sessions) + (SELECT count(*) FROM mcp_events)") == [
            (0,)
        ]


async def test_what_runs_when_its_session_is_deleted_runs_on(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (_, visit), visit.send("POST", visit.call("wait", seconds=0.6)) as stream:
        assert (await stream.next()) is not None
        assert await visit.status("DELETE") == 204
        assert await stream.rest() == []
    assert talkative.happened == ["started", "finished"]


async def test_a_session_whose_row_is_deleted_is_over_on_the_next_request(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (site, visit), visit.send("GET") as stream:
        assert await stream.next() is not None
        await rows(site, "DELETE FROM mcp_sessions")
        assert await ping(visit) == 404
        assert await stream.rest() == []


async def test_a_session_is_over_after_an_idle_hour(tmp_path: Path) -> None:
    time = clock()
    async with visiting(tmp_path, clock=time, oauth_enabled=False) as (site, visit):
        time.advance(HOUR - 1)
        assert await ping(visit) == 200
        time.advance(HOUR - 1)
        assert await ping(visit) == 200
        time.advance(HOUR)
        assert await ping(visit) == await visit.status("GET") == 404
        assert await rows(site, "SELECT * FROM mcp_sessions") == []


async def test_idle_sessions_are_ended_without_being_asked_for(tmp_path: Path) -> None:
    time = clock()
    async with visiting(tmp_path, clock=time, oauth_enabled=False) as (site, _):
        time.advance(HOUR)
        await site.client.app[keys.SESSIONS].flush()
        assert await rows(site, "SELECT * FROM mcp_sessions") == []


async def test_a_session_that_is_read_from_is_not_idle(tmp_path: Path) -> None:
    time = clock()
    async with visiting(tmp_path, clock=time, oauth_enabled=False) as (site, visit), visit.send("GET") as stream:
        assert await stream.next() is not None
        time.advance(HOUR)
        await site.client.app[keys.SESSIONS].flush()
        assert await rows(site, "SELECT used_at FROM mcp_sessions") == [(NOW + HOUR,)]
        assert await ping(visit) == 200


async def test_the_use_of_a_session_is_noted_when_the_server_stops_and_counts_after_a_restart(tmp_path: Path) -> None:
    time = clock()
    async with visiting(tmp_path, clock=time, oauth_enabled=False) as (_, visit):
        time.advance(HOUR - 1)
        assert await ping(visit) == 200
    async with serve(tmp_path, TALKATIVE, clock=time, oauth_enabled=False) as site:
        visit.http = site.client
        time.advance(HOUR - 1)
        assert await ping(visit) == 200
    async with serve(tmp_path, TALKATIVE, clock=time, oauth_enabled=False) as site:
        visit.http = site.client
        time.advance(HOUR + 60)
        assert await ping(visit) == 404


async def test_the_use_of_a_session_is_noted_now_and_then_whatever_happened_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "FLUSH_INTERVAL", 0.02)
    time = clock()
    async with visiting(tmp_path, clock=time, oauth_enabled=False) as (site, visit):
        store = site.client.app[keys.STORE]
        touch, failures = store.touch_mcp_sessions, [StoreUnavailable("not now"), RuntimeError("a fault")]

        async def fail_first(uses: Mapping[str, int]) -> frozenset[str]:
            if failures:
                raise failures.pop()
            return await touch(uses)

        monkeypatch.setattr(store, "touch_mcp_sessions", fail_first)
        time.advance(10)
        assert await ping(visit) == 200
        async with asyncio.timeout(10):
            while await rows(site, "SELECT used_at FROM mcp_sessions") != [(NOW + 10,)]:  # noqa: ASYNC110 - the server writes it
                await asyncio.sleep(0.02)
        assert failures == []


async def test_over_the_limit_the_session_that_is_idle_for_longest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST", 3)
    time = clock()
    async with visiting(tmp_path, clock=time, oauth_enabled=False) as (site, read), read.send("GET") as stream:
        assert await stream.next() is not None
        others = []
        for _ in range(4):
            time.advance(1)
            others.append(await Visit(site.client, "/mcp").open())
            if len(others) == 2:
                time.advance(1)
                assert await ping(others[0]) == 200
        assert [await ping(visit) for visit in others] == [404, 404, 200, 200]
        assert await ping(read) == 200
        fifth = await Visit(site.client, "/mcp").open()
        assert [await ping(visit) for visit in (others[2], others[3], fifth)].count(404) == 1


async def test_a_session_opened_without_a_token_is_the_first_callers_with_one(tmp_path: Path) -> None:
    async with serve(tmp_path, TALKATIVE, oauth_mode="mixed") as site:
        visit = await Visit(site.client, "/mcp").open()
        assert await ping(visit) == 200
        token = await site.token()
        assert await ping(visit, Authorization=f"Bearer {token}") == 200
        assert await ping(visit) == 404
        assert await ping(visit, Authorization=f"Bearer {await site.token()}") == 404
        assert await ping(visit, Authorization=f"Bearer {token}") == 200


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_session_keeps_its_revision_whatever_the_header_says(tmp_path: Path, version: str) -> None:
    async with serve(tmp_path, TALKATIVE, oauth_enabled=False) as site:
        visit = await Visit(site.client, "/mcp", version=version).open()
        batch = [visit.request("ping"), visit.request("ping")]
        for said in (None, "2025-03-26", "2025-11-25"):
            async with visit.send("POST", batch, MCP_Protocol_Version=said) as answer:
                found = await answer.response.json()
                if version == "2025-03-26":
                    assert [one["id"] for one in found] == [one["id"] for one in batch]
                else:
                    assert (answer.response.status, found["error"]["code"]) == (400, -32600)


async def test_a_batch_in_a_session_has_limits(tmp_path: Path) -> None:
    async with serve(tmp_path, TALKATIVE, oauth_enabled=False) as site:
        visit = await Visit(site.client, "/mcp", version="2025-03-26").open()
        ping_, hello = visit.request("ping"), visit.request("initialize", {"protocolVersion": "2025-03-26"})
        assert await visit.post([ping_] * 50) == 200
        for batch in ([], [ping_] * 51, [hello], [ping_, hello]):
            async with visit.send("POST", batch) as answer:
                assert (answer.response.status, (await answer.response.json())["error"]["code"]) == (400, -32600)
        notes = [{"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 1, "result": {}}]
        assert await visit.post(notes) == 202


async def test_a_batch_in_a_session_streams_and_ends_with_an_array(tmp_path: Path) -> None:
    async with serve(tmp_path, TALKATIVE, oauth_enabled=False) as site:
        visit = await Visit(site.client, "/mcp", version="2025-03-26").open()
        first, second = visit.call("count", to=2), visit.call("count", to=1)
        async with visit.send("POST", [first, 7, second]) as stream:
            *progress, final = await stream.messages()
        assert len(progress) == 3
        assert [one.get("id") for one in final] == [None, first["id"], second["id"]]


async def test_no_number_of_sessions_is_answered_with_429(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST", 2)
    async with serve(tmp_path, TALKATIVE, oauth_enabled=False, rate_limits=True) as site:
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "many", "version": "1"}}
        visits = [Visit(site.client, "/mcp") for _ in range(100)]
        statuses = await asyncio.gather(*(visit.post(visit.request("initialize", hello)) for visit in visits))
        assert set(statuses) == {200}
        assert await rows(site, "SELECT count(*) FROM mcp_sessions") == [(2,)]
