"""What is kept and for how long, row by row."""

# What a test does to its own file between two awaits may block.
# ruff: noqa: ASYNC240

import asyncio
import logging
import sqlite3
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from server.oauth.audit import Event, Kind
from server.oauth.store import StoreUnavailable
from server.storage.database import Database, open_database
from server.storage.purge import BATCH, JUMP, Steadiness, purge, run_purge
from server.storage.retention import SWEEPS
from tests.storage import make
from tests.storage.conftest import Shell
from tests.storage.make import DAY, HOUR, NOW, digest
from tests.support import until

NOTHING = {sweep.table: 0 for sweep in SWEEPS}


async def purged(database: Database, now: int) -> dict[str, int]:
    """Purge, and give what went from where anything did."""
    return {table: count for table, count in (await purge(database.driver, now)).items() if count}


async def test_nothing_goes_before_its_time(database: Database) -> None:
    await make.logged_in(database)

    assert await purge(database.driver, NOW) == NOTHING
    assert await database.get_access_token(digest("access"), NOW) is not None


async def test_requests_and_codes_go_an_hour_after_they_expire(database: Database) -> None:
    await make.logged_in(database)
    over = NOW + 600 + HOUR

    assert not {"authorization_requests", "authorization_codes"} & (await purged(database, over - 1)).keys()
    assert await purged(database, over) == {"authorization_requests": 1, "authorization_codes": 1}


async def test_access_tokens_go_when_they_expire(database: Database) -> None:
    await make.logged_in(database)

    assert await purged(database, NOW + HOUR - 1) == {}
    assert await purged(database, NOW + HOUR) == {"access_tokens": 1}


async def test_access_tokens_go_when_they_are_revoked(database: Database) -> None:
    await make.logged_in(database)
    await database.add_access_token(make.access("further"), NOW)
    await database.revoke_access_token(digest("access"), NOW)

    assert await purged(database, NOW) == {"access_tokens": 1}
    assert await database.get_access_token(digest("further"), NOW) is not None


async def test_a_revoked_family_loses_its_access_tokens_at_once_and_the_rest_a_day_later(database: Database) -> None:
    await make.logged_in(database)
    await database.revoke_grant("grant", "reuse", NOW)

    assert await purged(database, NOW) == {"access_tokens": 1}
    assert await purged(database, NOW + DAY - 1) == {"authorization_requests": 1, "authorization_codes": 1}
    assert await purged(database, NOW + DAY) == {"grants": 1, "refresh_tokens": 1}


async def test_a_family_goes_a_day_after_its_last_refresh_token_expired(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    successor = make.refresh("next")
    shell("UPDATE refresh_tokens SET expires_at = ?", NOW + HOUR)
    await database.rotate_refresh_token(digest("refresh"), successor, make.access("next"), NOW)
    ended = successor.expires_at

    assert not {"grants", "refresh_tokens"} & (await purged(database, ended + DAY - 1)).keys()
    assert await database.get_refresh_token(digest("refresh"), ended) is not None, "reuse must still be seen"
    assert await purged(database, ended + DAY) == {"grants": 1, "refresh_tokens": 2}


async def test_a_further_access_token_does_not_shorten_its_family(database: Database) -> None:
    await make.logged_in(database)
    await database.add_access_token(make.access("further"), NOW)
    ended = make.refresh().expires_at

    assert not {"grants", "refresh_tokens"} & (await purged(database, ended + DAY - 1)).keys()
    assert await purged(database, ended + DAY) == {"grants": 1, "refresh_tokens": 1}


async def test_a_family_goes_a_day_after_its_grant_expired(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    shell("UPDATE grants SET expires_at = ?", NOW + HOUR)

    assert "grants" not in await purged(database, NOW + HOUR + DAY - 1)
    assert await purged(database, NOW + HOUR + DAY) == {"grants": 1, "refresh_tokens": 1}


async def test_a_family_without_a_refresh_token_goes_a_day_after_its_access_token_expired(database: Database) -> None:
    await make.logged_in(database, refreshable=False)

    assert "grants" not in await purged(database, NOW + HOUR + DAY - 1)
    assert await purged(database, NOW + HOUR + DAY) == {"grants": 1}


async def test_a_family_without_limits_or_tokens_goes_a_day_after_it_began(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    shell("UPDATE grants SET expires_at = NULL, tokens_until = NULL")
    shell("DELETE FROM refresh_tokens")

    assert "grants" not in await purged(database, NOW + DAY - 1)
    assert await purged(database, NOW + DAY) == {"grants": 1}


async def test_a_family_that_goes_on_for_ever_is_kept(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    shell("UPDATE grants SET expires_at = NULL")
    lasting = make.refresh("next")._replace(expires_at=NOW + 1000 * DAY)
    await database.rotate_refresh_token(digest("refresh"), lasting, make.access("next"), NOW)

    assert not {"grants", "refresh_tokens", "clients"} & (await purged(database, NOW + 999 * DAY)).keys()


@pytest.mark.parametrize(
    ("deleted", "gone"),
    [
        ("clients", {"access_tokens": 1, "grants": 1, "refresh_tokens": 1}),
        ("users", {"access_tokens": 1, "grants": 1, "refresh_tokens": 1}),
        ("grants", {"access_tokens": 1, "refresh_tokens": 1}),
        ("access_tokens", {}),
    ],
)
async def test_orphans_go_at_once(database: Database, shell: Shell, deleted: str, gone: dict[str, int]) -> None:
    await make.logged_in(database)
    shell(f"DELETE FROM {deleted}")  # noqa: S608 - the names are those above

    assert await purged(database, NOW) == gone


async def test_a_client_goes_after_thirty_days_without_use(database: Database) -> None:
    await database.add_client(make.client())

    assert await purged(database, NOW + 30 * DAY - 1) == {}
    assert await purged(database, NOW + 30 * DAY) == {"clients": 1}


async def test_a_client_that_the_operator_created_stays_for_ever(database: Database) -> None:
    await make.machine_at_work(database)

    assert await purged(database, NOW + 1000 * DAY) == {"access_tokens": 1, "grants": 1}
    assert await database.get_client("machine") is not None


async def test_a_machines_family_goes_a_day_after_its_token_expired(database: Database) -> None:
    await make.machine_at_work(database)

    assert await purged(database, NOW + HOUR - 1) == {}
    assert await purged(database, NOW + HOUR) == {"access_tokens": 1}
    assert "grants" not in await purged(database, NOW + HOUR + DAY - 1)
    assert await purged(database, NOW + HOUR + DAY) == {"grants": 1}


async def test_a_clients_days_count_from_its_last_use(database: Database) -> None:
    await make.logged_in(database)
    await database.rotate_refresh_token(digest("refresh"), make.refresh("next"), make.access("next"), NOW + DAY - 1)

    assert "clients" not in await purged(database, NOW + DAY - 1 + 30 * DAY - 1)
    assert await purged(database, NOW + DAY - 1 + 30 * DAY) == {"clients": 1}


@pytest.mark.parametrize(("access_days", "refresh_days"), [(1, 100), (100, 1)])
async def test_a_client_that_holds_anything_live_is_kept_however_idle(
    database: Database, shell: Shell, access_days: int, refresh_days: int
) -> None:
    await make.logged_in(database)
    shell("UPDATE grants SET expires_at = NULL")
    access = make.access("next")._replace(expires_at=NOW + access_days * DAY)
    refresh = make.refresh("next")._replace(expires_at=NOW + refresh_days * DAY)
    await database.rotate_refresh_token(digest("refresh"), refresh, access, NOW)

    assert "clients" not in await purged(database, NOW + 99 * DAY)
    assert (await purged(database, NOW + 100 * DAY))["clients"] == 1


@pytest.mark.parametrize("table", ["authorization_requests", "authorization_codes"])
async def test_a_client_in_the_middle_of_an_authorization_is_kept(database: Database, shell: Shell, table: str) -> None:
    await make.logged_in(database)
    await database.revoke_grant("grant", "reuse", NOW)
    shell(f"UPDATE {table} SET expires_at = ?", NOW + 30 * DAY + 1)  # noqa: S608 - the names are those above

    assert "clients" not in await purged(database, NOW + 30 * DAY)
    assert await purged(database, NOW + 30 * DAY + 1) == {"clients": 1}


async def test_consents_go_when_they_expire(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent(("read", "write", "account")))
    shell("UPDATE consents SET expires_at = ? WHERE scope <> 'account'", NOW + 10)

    assert await purged(database, NOW + 9) == {}
    assert await purged(database, NOW + 10) == {"consents": 2}
    assert shell("SELECT scope FROM consents") == [("account",)]


@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET created_at = created_at + 1"])
@pytest.mark.parametrize("table", ["clients", "users"])
async def test_consents_whose_client_or_user_is_gone_or_another_go_at_once(
    database: Database, shell: Shell, table: str, change: str
) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent(("read", "write")))
    shell(change.format(table))

    assert (await purged(database, NOW))["consents"] == 2


async def test_more_consents_than_a_batch_go_and_the_rest_stays(database: Database, shell: Shell, path: Path) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent())
    many = range(2 * BATCH + 10)
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO consents VALUES (?, 'client', '', ?, '', ?, ?)",
            [
                (user_id, f"scope {number}", NOW, expires_at)
                for number in many
                for user_id, expires_at in (("user", NOW), ("nobody", NOW + DAY))
            ],
        )
        connection.commit()

    assert await purged(database, NOW) == {"consents": 2 * len(many)}
    assert shell("SELECT user_id, scope FROM consents") == [("user", "read")]


async def test_more_than_a_batch_goes_and_the_rest_stays(database: Database, shell: Shell, path: Path) -> None:
    await make.logged_in(database)
    many = range(2 * BATCH + 10)
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO access_tokens VALUES (?, 'hint', 'grant', 'client', 'user', '', '', 0, ?, NULL)",
            [(digest(f"old {number}"), NOW) for number in many],
        )
        connection.executemany(
            "INSERT INTO refresh_tokens VALUES (?, 'hint', ?, 'client', '', 0, ?, NULL)",
            [(digest(f"orphan {number}"), f"a grant {number % 7}", NOW + DAY) for number in many],
        )
        connection.commit()

    assert await purged(database, NOW) == {"access_tokens": len(many), "refresh_tokens": len(many)}
    assert await database.get_access_token(digest("access"), NOW) is not None
    assert shell("SELECT count(*) FROM refresh_tokens") == [(1,)]


async def test_the_space_is_given_back(path: Path) -> None:
    async with open_database(path, NOW) as database:
        await asyncio.gather(
            *(
                database.add_client(make.client(f"client {number}" + "x" * 1000, NOW - 31 * DAY))
                for number in range(300)
            )
        )
    full = path.stat().st_size

    async with open_database(path, NOW) as database:
        assert await purged(database, NOW) == {"clients": 300}
    assert path.stat().st_size < full / 2


async def test_requests_are_served_between_batches(database: Database, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO access_tokens VALUES (?, 'hint', 'grant', 'client', 'user', '', '', 0, 0, NULL)",
            [(digest(str(number)),) for number in range(10 * BATCH)],
        )
        connection.commit()
    purging = asyncio.create_task(purge(database.driver, NOW))
    served = 0
    while not purging.done():
        await database.add_client(make.client(f"client {served}"))
        served += 1

    assert (await purging)["access_tokens"] == 10 * BATCH
    assert served > 5


async def test_a_purge_that_was_killed_is_carried_on_by_the_next(database: Database, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO access_tokens VALUES (?, 'hint', 'grant', 'client', 'user', '', '', 0, 0, NULL)",
            [(digest(str(number)),) for number in range(4 * BATCH)],
        )
        connection.commit()
    purging = asyncio.create_task(purge(database.driver, NOW))
    await asyncio.sleep(0.01)
    purging.cancel()
    with suppress(asyncio.CancelledError):
        await purging

    await purge(database.driver, NOW)

    assert (await database.count_live(0)).access_tokens == 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM access_tokens").fetchall() == [(0,)]


async def test_the_loop_survives_a_locked_database(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with open_database(path, NOW, patience=0.1) as database:
        await database.add_client(make.client(created_at=NOW - 30 * DAY))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            loop = asyncio.create_task(run_purge(database.driver, lambda: NOW, 0.05))
            await asyncio.sleep(0.5)
            assert not loop.done()
            assert "The purge was put off" in caplog.text
            other.execute("COMMIT")
        await asyncio.sleep(0.5)
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop

        assert await database.get_client("client") is None
        assert "Purged 1 clients" in caplog.text


async def test_nothing_goes_by_a_clock_that_has_jumped(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    def noticed(times: int) -> bool:
        return caplog.text.count("The clock jumped by") == times

    await database.add_client(make.client(created_at=NOW))
    now = NOW
    purging = asyncio.create_task(run_purge(database.driver, lambda: now, 0.02))
    await asyncio.sleep(0)
    for times, jumped in enumerate((NOW + 400 * DAY, NOW, NOW + 400 * DAY), 1):
        now = jumped
        await until(partial(noticed, times))
    await asyncio.sleep(0.2)
    purging.cancel()
    with suppress(asyncio.CancelledError):
        await purging

    assert await database.get_client("client") is not None
    assert noticed(3)


async def test_a_clock_is_believed_again_when_it_goes_on_as_time_does() -> None:
    now = NOW
    steadiness = Steadiness(lambda: now, calm=0.2)
    assert steadiness.lasts()
    now += JUMP - 1
    assert steadiness.lasts()
    now -= 2 * DAY
    assert not steadiness.lasts()
    await asyncio.sleep(0.3)
    assert steadiness.lasts()


async def test_a_database_that_cannot_be_written_is_said_to_be(path: Path) -> None:
    async with open_database(path, NOW, patience=0.1) as database:
        path.chmod(0o400)
        with pytest.raises(StoreUnavailable):
            await purge(database.driver, NOW)
        path.chmod(0o600)


async def test_audit_events_go_when_they_are_old_and_not_before(database: Database, shell: Shell) -> None:
    await database.add_events([Event(NOW + number, Kind.RATE_LIMITED) for number in range(2 * BATCH + 5)])

    assert (await purge(database.driver, NOW + 7 * DAY - 1, 7))["audit_log"] == 0
    assert (await purge(database.driver, NOW + 7 * DAY + 2 * BATCH, 7))["audit_log"] == 2 * BATCH + 1
    assert shell("SELECT min(time), count(*) FROM audit_log") == [(NOW + 2 * BATCH + 1, 4)]


async def test_audit_events_stay_when_the_log_is_off(database: Database, shell: Shell) -> None:
    await database.add_events([Event(NOW, Kind.RATE_LIMITED)])

    assert await purged(database, NOW + 10_000 * DAY) == {}
    assert shell("SELECT count(*) FROM audit_log") == [(1,)]


async def test_signing_keys_go_when_they_are_over_and_the_one_that_signs_stays(
    database: Database, shell: Shell
) -> None:
    for kid, retired_at, expires_at in (("signs", None, None), ("verifies", NOW, NOW + HOUR)):
        shell("INSERT INTO signing_keys VALUES (?, 'RS256', '{}', 'sealed', ?, ?, ?)", kid, NOW, retired_at, expires_at)

    assert await purged(database, NOW + HOUR - 1) == {}
    assert await purged(database, NOW + HOUR) == {"signing_keys": 1}
    assert shell("SELECT kid FROM signing_keys") == [("signs",)]


async def test_answered_challenges_go_when_they_are_over_and_passkeys_with_their_user(
    database: Database, shell: Shell
) -> None:
    shell("INSERT INTO passkey_challenges VALUES ('digest', ?)", NOW + 600)
    shell("INSERT INTO users VALUES ('ada', 'local', 'ada', NULL, NULL, 0, NULL)")
    for user_id in ("ada", "deleted"):
        shell("INSERT INTO passkeys VALUES (?, ?, 'name', 'key', 0, 0, ?, NULL)", f"of {user_id}", user_id, NOW)

    assert await purged(database, NOW + 599) == {"passkeys": 1}
    assert await purged(database, NOW + 600) == {"passkey_challenges": 1}
    assert shell("SELECT user_id FROM passkeys") == [("ada",)]
