"""The server is killed in the middle of its work, again and again: whatever it acknowledged holds afterwards."""

import asyncio
import os
import random  # noqa: TID251 - seeded, so that a failure can be looked at again
from pathlib import Path

import aiohttp
import pytest

from tests.flows.child import Child
from tests.flows.ledger import Ledger

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "20"))
SEED = os.environ.get("CRASH_SEED", "1")
WORKERS = 8
BETWEEN_INSPECTIONS = 5

AUDITED = [
    ("SELECT client_id FROM clients", "SELECT client_id FROM audit_log WHERE event = 'client_registered'"),
    ("SELECT grant_id FROM grants", "SELECT grant_id FROM audit_log WHERE event = 'tokens_issued'"),
    (
        "SELECT grant_id FROM grants WHERE revoked_at IS NOT NULL",
        "SELECT grant_id FROM audit_log WHERE event IN ('grant_revoked', 'code_reused', 'refresh_token_reused')",
    ),
    (
        "SELECT grant_id, count(*) FROM refresh_tokens WHERE used_at IS NOT NULL GROUP BY 1",
        "SELECT grant_id, count(*) FROM audit_log WHERE event LIKE '%refreshed' AND detail = 'read account' GROUP BY 1",
    ),
]
"""What is in the database, and the audit events that tell of it: the same, whenever the server was killed."""


def inspect(ledger: Ledger) -> None:
    assert ledger.live.sql("PRAGMA integrity_check") == [("ok",)]
    assert ledger.live.sql("PRAGMA foreign_key_check") == []
    for written, recorded in AUDITED:
        assert ledger.live.sql(f"{written} EXCEPT {recorded}") == [], "a write without its audit event"
        assert ledger.live.sql(f"{recorded} EXCEPT {written}") == [], "an audit event without its write"


async def load_and_kill(child: Child, ledger: Ledger, chance: random.Random) -> None:
    """Work on the server from all sides and kill it at some moment; now and then once more while it starts."""
    async with asyncio.TaskGroup() as load:
        for _ in range(WORKERS):
            load.create_task(ledger.work(random.Random(chance.random())))  # noqa: S311 - no secret
        await asyncio.sleep(chance.uniform(0.02, 0.6))
        ledger.over = True
        await child.kill()
    if chance.random() < 0.2:
        child.spawn()
        await asyncio.sleep(chance.uniform(0, 1.5))
        await child.kill()


@pytest.mark.timeout(60 + 15 * ROUNDS)
async def test_whatever_was_acknowledged_holds_after_a_kill(tmp_path: Path) -> None:
    child = Child(tmp_path, environment={"PURGE_INTERVAL": "1"})
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        ledger = Ledger(child.remote(http))
        try:
            await child.start(http)
            for number in range(1, ROUNDS + 1):
                chance = random.Random(f"{SEED} {number}")  # noqa: S311 - no secret
                since = len(ledger.apps), len(ledger.families)
                await load_and_kill(child, ledger, chance)
                await child.start(http)
                await ledger.verify(chance, since)
                if number % BETWEEN_INSPECTIONS == 0:
                    inspect(ledger)
            await ledger.verify_all()
            inspect(ledger)
            assert await child.stop() == 0
        finally:
            await child.kill()
    assert " ERROR " not in child.log
    assert ledger.acknowledged > ROUNDS * WORKERS
    assert ledger.unsure > ROUNDS
