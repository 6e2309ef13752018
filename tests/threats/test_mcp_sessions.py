"""Threats to sessions of the protocol: an id that was stolen, planted, or left lying about."""

from pathlib import Path

from server.oauth import tokens
from tests.flows.child import Child, connected
from tests.support import Remote
from tests.transport.visit import Visit

PLANTED = tokens.make(tokens.MCP_SESSION, lambda size: b"p" * size)


async def visit(live: Remote) -> Visit:
    """Sign in with an app of its own and open a session."""
    issued = await live.log_in(await live.register())
    return await Visit(live.http, f"{live.url}/mcp", issued["access_token"]).open()


async def test_a_stolen_id_is_worth_nothing_without_its_owners_token(live: Remote) -> None:
    victim, thief = await visit(live), await visit(live)
    thief.session_id = victim.session_id
    async with victim.send("GET") as stream:
        first = await stream.next()
        assert first is not None
        for method in ("GET", "DELETE"):
            assert await thief.status(method) == await thief.status(method, Last_Event_ID=first.id) == 404
            assert await thief.status(method, Authorization=None) == 401
        assert await thief.post(thief.request("ping")) == 404
        assert await victim.post(victim.request("ping")) == 200
        assert not stream.response.content.at_eof()


async def test_a_planted_id_is_never_taken_up(live: Remote) -> None:
    victim = await visit(live)
    victim.session_id = PLANTED
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    async with victim.send("POST", victim.request("initialize", hello)) as answer:
        assert answer.response.status == 404
    victim.session_id = None
    async with victim.send("POST", victim.request("initialize", hello)) as answer:
        assert answer.response.headers["Mcp-Session-Id"] != PLANTED


async def test_a_revoked_grant_ends_the_use_of_its_sessions(live: Remote) -> None:
    owner = await visit(live)
    live.sql("UPDATE grants SET revoked_at = 1")
    assert await owner.post(owner.request("ping")) == 401
    assert await owner.status("GET") == await owner.status("DELETE") == 401


async def test_an_id_is_neither_in_the_log_nor_in_the_database(tmp_path: Path) -> None:
    child = Child(tmp_path, environment={"LOG_LEVEL": "DEBUG"})
    async with connected(child) as live:
        owner = await visit(live)
        assert owner.session_id is not None
        async with owner.send("GET") as stream:
            assert await stream.next() is not None
        assert await owner.status("GET", Last_Event_ID="x") == 400
        other = await visit(live)
        assert await other.status("DELETE") == 204
        assert await other.post(other.request("ping")) == 404
        await child.stop()
        everything = child.log.encode() + _database(tmp_path)
        assert tokens.digest(owner.session_id).encode() in everything
        assert owner.session_id.encode() not in everything
        assert owner.session_id.removeprefix(tokens.MCP_SESSION).encode() not in everything


def _database(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.glob("server.db*")))
