"""A backup that is taken under load holds every operation acknowledged before it began."""

import asyncio
import copy
import json
import random  # noqa: TID251 - seeded, so that a failure can be looked at again
from pathlib import Path

import aiohttp

from tests.flows.child import Child, command
from tests.flows.ledger import Family, Ledger, invalid_grant

WORKERS = 6


async def hold(restored: Ledger, before: Family, after: Family) -> None:
    """Hold a restored server to what was acknowledged of a family before the backup.

    Args:
        restored: Talks to the server.
        before: The family at the moment when the backup began.
        after: The same when it had long ended: what happened in between may be in the backup, or not.
    """
    live = restored.live
    for token in before.ended:
        assert not await live.is_active(before.app, token), before
    if before.dead:
        assert not before.refresh or invalid_grant(await live.refresh(before.app, before.refresh)), before
    elif not after.dead and after.doing != "revoke":
        for token in set(before.access) - set(after.ended) - ({after.access[0]} if after.doing == "access" else set()):
            assert await live.is_active(before.app, token), before
        if before.refresh:
            assert (await live.refresh(before.app, before.refresh)).status == 200, before
    if before.refresh:
        assert invalid_grant(await live.exchange(before.app, before.code, before.verifier)), before


async def test_a_backup_under_load_holds_what_was_acknowledged_before_it(tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311 - no secret
    child = Child(tmp_path / "first")
    other = Child(tmp_path / "second")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        ledger = Ledger(child.remote(http))
        try:
            await child.start(http)
            async with asyncio.TaskGroup() as load:
                for _ in range(WORKERS):
                    load.create_task(ledger.work(random.Random(chance.random())))  # noqa: S311 - no secret
                await asyncio.sleep(1)
                apps, families, done = list(ledger.apps), copy.deepcopy(ledger.families), ledger.acknowledged
                taken = await command(child, "backup", str(tmp_path / "copy.db"))
                during = ledger.acknowledged - done
                refused = await command(child, "restore", str(tmp_path / "copy.db"))
                ledger.over = True
                await child.kill()
            assert (taken.returncode, refused.returncode) == (0, 1), (taken.stderr, refused.stderr)
            assert "open in another program; stop the server" in refused.stderr
            assert during > WORKERS
            other.folder.mkdir()
            restored = await command(other, "restore", str(tmp_path / "copy.db"))
            assert json.loads(restored.stdout)["restored"] == str(other.database)
            await other.start(http)
            account = Ledger(other.remote(http))
            await account.all(account.is_known, apps)
            await account.all(hold, [account] * len(families), families, ledger.families[: len(families)])
            assert sum(bool(family.refresh) for family in families) > WORKERS
            await other.stop()
            assert (await command(other, "restore", str(tmp_path / "copy.db"))).returncode == 0
        finally:
            await child.kill()
            await other.kill()
