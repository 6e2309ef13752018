"""Opens and closes everything that the application keeps."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from server.storage.accounts import SqlAccountStore
from server.storage.applications import SqlApplicationStore
from server.storage.audit import SqlAuditStore
from server.storage.catalogue import SqlEditionStore
from server.storage.clients import SqlClientStore
from server.storage.consents import SqlConsentStore
from server.storage.driver import Driver, Script, Statement
from server.storage.gauges import SqlGauges
from server.storage.held import SqlHeldStore
from server.storage.listings import SqlListings
from server.storage.mcp_sessions import SqlMcpSessionStore
from server.storage.migrate import MigrationError, migrate
from server.storage.passkeys import SqlPasskeyStore
from server.storage.payments import SqlPaymentStore
from server.storage.preferences import SqlPreferenceStore
from server.storage.sessions import SqlSessionStore
from server.storage.shelves import SqlShelves
from server.storage.signing_keys import SqlSigningKeyStore
from server.storage.sqlite import PATIENCE, open_sqlite
from server.storage.store import SqlStore
from server.storage.upstream import SqlUpstreamStore
from server.storage.users import SqlUserStore

_PROBE = """
UPDATE schema_migrations SET applied_at = applied_at + :step
WHERE name = (SELECT min(name) FROM schema_migrations)"""


class Database(
    SqlStore,
    SqlHeldStore,
    SqlConsentStore,
    SqlClientStore,
    SqlSigningKeyStore,
    SqlListings,
    SqlAccountStore,
    SqlPaymentStore,
    SqlPreferenceStore,
    SqlAuditStore,
    SqlGauges,
    SqlUserStore,
    SqlSessionStore,
    SqlApplicationStore,
    SqlEditionStore,
    SqlShelves,
    SqlUpstreamStore,
    SqlMcpSessionStore,
    SqlPasskeyStore,
):
    """The one store object: what the authorization server, signing in, the operator, the tools and the log keep."""

    @property
    def driver(self) -> Driver:
        """What the transactions run on, for the purge."""
        return self._driver

    async def ping_writable(self) -> None:
        """Write to the disk and change nothing; raises `StoreUnavailable` when nothing can be written, or on damage."""
        await self._driver.write(_probe())
        await self._driver.check()


def _probe() -> Script[None]:
    """Change something and change it back: SQLite would not write a page whose content stays the same all along."""
    yield Statement(_PROBE, {"step": 1})
    yield Statement(_PROBE, {"step": -1})


@asynccontextmanager
async def open_database(path: Path, now: int, *, patience: float = PATIENCE) -> AsyncIterator[Database]:
    """Migrate and open a database; on leaving, what was begun is finished and the file is closed.

    Args:
        path: The SQLite file, created if it is missing.
        now: The time to record for migrations.
        patience: Seconds that a request may wait for the database.

    Raises:
        MigrationError: The database cannot be used; the message is one line.
    """
    await asyncio.to_thread(migrate, path, now, patience=patience)
    try:
        driver = await open_sqlite(path, patience)
    except sqlite3.Error as error:
        raise MigrationError(f"{path}: {error}; check the file and its permissions") from error
    try:
        yield Database(driver)
    finally:
        await driver.close()
