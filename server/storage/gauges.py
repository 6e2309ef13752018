"""How many of what is live, for whoever watches the server."""

from dataclasses import asdict

from server.storage.driver import Driver, Script, Statement
from server.storage.store import count_live
from server.transport.records import IDLE

_SIGN_IN_SESSIONS = "SELECT count(*) FROM sessions WHERE expires_at > :now"
_MCP_SESSIONS = "SELECT count(*) FROM mcp_sessions WHERE used_at > :idle_since"


class SqlGauges:
    """Counts live rows of every kind."""

    _driver: Driver

    async def gauges(self, now: int) -> dict[str, int]:
        """Count live rows by kind; ``now`` is in Unix seconds."""
        return await self._driver.scan(_gauges(now))


def _gauges(now: int) -> Script[dict[str, int]]:
    counts = yield from count_live(now)
    signed_in = yield Statement(_SIGN_IN_SESSIONS, {"now": now})
    mcp = yield Statement(_MCP_SESSIONS, {"idle_since": now - IDLE})
    return {**asdict(counts), "sign_in_sessions": signed_in[0][0], "mcp_sessions": mcp[0][0]}
