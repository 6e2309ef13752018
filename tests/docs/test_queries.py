"""The ready queries for the ``sqlite3`` shell: each runs as it is written, and finds what it says."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.support import Live

GUIDE = (Path(__file__).parents[2] / "docs/guides/queries.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_QUERY = re.compile(r"```sql\n(.*?)```", re.DOTALL)
QUERIES = [(heading, query) for heading, section in _SECTION.findall(GUIDE) for query in _QUERY.findall(section)]


async def tell(live: Live) -> None:
    """Let everything happen that some query asks about."""
    app = await live.register(client_name="Assistant")
    await live.register(client_name="Unused")
    await live.log_in(app, scope="read payment")
    await live.refresh(app, (await live.log_in(app))["refresh_token"])
    revoked = await live.log_in(app)
    await live.post("/revoke", app, token=revoked["refresh_token"])
    expired = await live.log_in(app)
    live.sql("UPDATE access_tokens SET expires_at = 1 WHERE hint = ?", expired["access_token"].split("_")[2][:6])
    await live.send("POST", "/token", data={"client_id": "att_cl_nobody", "grant_type": "refresh_token"})
    async with asyncio.timeout(30):  # what comes without a write is written a little later
        while not live.sql("SELECT 1 FROM audit_log WHERE event LIKE '%failed'"):  # noqa: ASYNC110 - it is polled
            await asyncio.sleep(0.01)


def test_the_page_answers_what_operators_ask() -> None:
    assert len(QUERIES) >= 10
    asked = " ".join(heading for heading, _ in QUERIES).lower()
    for subject in ("who holds what", "expired", "revoked, and why", "logins a day"):
        assert subject in asked


@pytest.mark.parametrize("query", [pytest.param(query, id=heading) for heading, query in QUERIES])
async def test_each_query_finds_what_happened(live: Live, query: str) -> None:
    await tell(live)
    assert live.sql(query.strip().removesuffix(";"))
