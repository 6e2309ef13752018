"""Opening and closing, the probe, the accounts and the operator's views."""

# What a test does to its own file between two awaits may block.
# ruff: noqa: ASYNC240

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.oauth.store import Store, StoreUnavailable
from server.storage.database import Database, open_database
from server.storage.migrate import MigrationError
from server.toolkit.account import Account, PaymentMethod
from server.toolkit.accounts import AccountStore
from tests.storage import make
from tests.storage.conftest import Shell
from tests.storage.make import NOW, digest

CARDS = (PaymentMethod("b", "Visa", "4242", is_default=True), PaymentMethod("a", "Amex", "0005", is_default=False))
ACCOUNTS = (
    Account("a-1", "user", "Home", "internet", 8_500, "2027-02-01", autopay=True, payment_methods=CARDS),
    Account("a-2", "user", "Phone", "prepaid", 0, None, autopay=False, payment_methods=()),
)


async def test_one_object_is_both_stores(database: Database) -> None:
    store: Store = database
    accounts: AccountStore = database

    assert await store.get_client("client") is None
    assert await accounts.get_accounts("user") == ()


async def test_what_was_kept_is_there_after_a_restart(path: Path) -> None:
    async with open_database(path, NOW) as database:
        await make.logged_in(database)

    async with open_database(path, NOW) as database:
        assert await database.get_client("client") is not None
        assert await database.get_access_token(digest("access"), NOW) is not None


async def test_a_database_that_cannot_be_used_is_refused(path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(MigrationError, match="cannot be opened"):
        async with open_database(path, NOW):
            pass


async def test_the_probe_writes_and_changes_nothing(database: Database, path: Path, shell: Shell) -> None:
    before = shell("SELECT * FROM schema_migrations")
    written = path.with_name("server.db-wal").stat().st_size

    await database.ping_writable()

    assert shell("SELECT * FROM schema_migrations") == before
    assert path.with_name("server.db-wal").stat().st_size > written


async def test_the_probe_notices_what_keeps_it_from_writing(path: Path) -> None:
    async with open_database(path, NOW, patience=0.1) as database:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await database.ping_writable()
        await database.ping_writable()
        path.chmod(0o400)
        with pytest.raises(StoreUnavailable):
            await database.ping_writable()


async def test_accounts_are_opened_once(database: Database) -> None:
    other = (Account("other", "user", "Another", "wireless", 1, None, autopay=False, payment_methods=()),)

    outcomes = tuple(
        await asyncio.gather(database.open_accounts("user", ACCOUNTS, NOW), database.open_accounts("user", other, NOW))
    )

    assert outcomes == (ACCOUNTS, ACCOUNTS)
    assert await database.get_accounts("user") == ACCOUNTS
    assert await database.get_accounts("another") == ()


async def test_tokens_are_shown_with_who_holds_them_and_until_when(database: Database, shell: Shell) -> None:
    await make.logged_in(database)

    assert shell("SELECT kind, hint, client_name, user_name, scopes, issued, expires FROM v_tokens ORDER BY kind") == [
        ("access", "access", "Ein Café ☕", "Uschi", "read", "2027-01-15 08:00:00", "2027-01-15 09:00:00"),
        ("refresh", "refres", "Ein Café ☕", "Uschi", "read", "2027-01-15 08:00:00", "2027-01-16 08:00:00"),
    ]


async def test_no_view_shows_a_digest(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent())

    shown = [shell(f"SELECT * FROM {view}") for view in ("v_clients", "v_consents", "v_grants", "v_tokens")]  # noqa: S608 - constants

    secrets = ("fingerprint", "secret", "code", "access", "refresh", "salt of refresh")
    assert not any(digest(word) in str(shown) for word in secrets)


@pytest.mark.parametrize(
    ("change", "grant", "access", "refresh"),
    [
        ("SELECT 1", "live", "live", "live"),
        ("UPDATE access_tokens SET revoked_at = 1", "live", "revoked", "live"),
        ("UPDATE access_tokens SET expires_at = 1", "live", "expired", "live"),
        ("UPDATE refresh_tokens SET used_at = 1", "live", "live", "used"),
        ("UPDATE grants SET revoked_at = 1", "revoked", "grant revoked", "grant revoked"),
        ("UPDATE grants SET expires_at = 1", "expired", "grant expired", "grant expired"),
        ("DELETE FROM clients", "client deleted", "client deleted", "client deleted"),
        ("DELETE FROM users", "user deleted", "user deleted", "user deleted"),
        ("UPDATE users SET disabled_at = 1", "user disabled", "user disabled", "user disabled"),
        ("DELETE FROM grants", None, "grant deleted", "grant deleted"),
    ],
)
async def test_a_status_says_what_the_server_would_make_of_it(
    database: Database, shell: Shell, change: str, grant: str | None, access: str, refresh: str
) -> None:
    await make.logged_in(database)
    for table in ("grants", "access_tokens", "refresh_tokens"):
        shell(f"UPDATE {table} SET expires_at = 4000000000")  # noqa: S608 - the names are those above

    shell(change)

    assert shell("SELECT status FROM v_grants") == ([] if grant is None else [(grant,)])
    assert shell("SELECT status FROM v_tokens ORDER BY kind") == [(access,), (refresh,)]


@pytest.mark.parametrize(
    ("change", "grant", "access"),
    [
        ("SELECT 1", "live", "live"),
        ("UPDATE grants SET revoked_at = 1", "revoked", "grant revoked"),
        ("DELETE FROM clients", "client deleted", "client deleted"),
        ("UPDATE grants SET user_id = 'nobody'", "user deleted", "user deleted"),
    ],
)
async def test_a_machines_grant_wants_no_user(
    database: Database, shell: Shell, change: str, grant: str, access: str
) -> None:
    await make.machine_at_work(database)
    for table in ("grants", "access_tokens"):
        shell(f"UPDATE {table} SET expires_at = 4000000000")  # noqa: S608 - the names are those above

    shell(change)

    assert shell("SELECT status, user_id FROM v_grants WHERE user_id IS NULL OR user_id = 'nobody'")[0][0] == grant
    assert shell("SELECT status FROM v_tokens") == [(access,)]


async def test_clients_are_shown_with_who_made_them_and_whether_they_hold_anything(
    database: Database, shell: Shell
) -> None:
    await make.logged_in(database)
    await database.add_client(make.machine())
    shell("UPDATE grants SET expires_at = NULL")

    assert shell("SELECT client_id, created_by, status FROM v_clients ORDER BY client_id") == [
        ("client", "client", "active"),
        ("machine", "operator", "idle"),
    ]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("SELECT 1", "remembered"),
        ("UPDATE consents SET expires_at = 1", "expired"),
        ("DELETE FROM clients", "client deleted"),
        ("UPDATE clients SET created_at = created_at + 1", "client deleted"),
        ("DELETE FROM users", "user deleted"),
        ("UPDATE users SET disabled_at = 1", "user disabled"),
    ],
)
async def test_consents_are_shown_with_what_the_server_would_make_of_them(
    database: Database, shell: Shell, change: str, status: str
) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent())
    given_for = "user_id, client_id, redirect_uri, scope, allowed, expires"
    assert shell(f"SELECT user_name, client_name, {given_for} FROM v_consents") == [  # noqa: S608 - constants
        (
            *("Uschi", "Ein Café ☕", "user", "client", make.REDIRECT_URI, "read"),
            *("2027-01-15 08:00:00", "2027-02-14 08:00:00"),
        )
    ]
    shell("UPDATE consents SET expires_at = 4000000000")

    shell(change)

    assert shell("SELECT status FROM v_consents") == [(status,)]


async def test_clients_are_shown_with_their_open_grants(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    shell("UPDATE grants SET expires_at = NULL")

    assert shell("SELECT client_id, client_name, registered, last_used, open_grants FROM v_clients") == [
        ("client", "Ein Café ☕", "2027-01-15 08:00:00", "2027-01-15 08:00:00", 1)
    ]
