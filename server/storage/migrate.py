"""Brings a database up to the program: applies ``migrations/``, once each, and keeps a record."""

import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from server.shipped import directory

_FILE = re.compile(r"(\d{4})_\w+(?P<only>\.sqlite|\.postgresql)?\.sql")

_PAUSE = 0.02
"""Seconds between attempts at what another process is doing just now."""

_RECORD = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text NOT NULL PRIMARY KEY,
    checksum text NOT NULL,
    applied_at bigint NOT NULL
)"""


class MigrationError(Exception):
    """The database cannot be used; the message is one line that says why and what to do."""


class Migration(NamedTuple):
    """One file of ``migrations/``."""

    name: str
    checksum: str
    """The hexadecimal SHA-256 of the file."""
    text: str


def load(folder: Path) -> list[Migration]:
    """Read the migrations that are for SQLite, in the order of their numbers."""
    migrations = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match and match["only"] != ".postgresql":
            content = path.read_bytes()
            migrations.append(Migration(path.name, hashlib.sha256(content).hexdigest(), content.decode()))
    return migrations


def migrate(path: Path, now: int, *, patience: float = 5.0, folder: Path | None = None) -> tuple[str, ...]:
    """Create or upgrade a database, and give the names of the migrations that were applied.

    Several processes may do so at once: each migration is checked and applied under the write lock.

    Args:
        path: The SQLite file; it is created with mode 0600, and its folder if it is missing.
        now: The time to record.
        patience: Seconds to wait for another process that holds the lock.
        folder: The migrations, if not those that came with the program.

    Raises:
        MigrationError: The file is no database, is newer than the program, or cannot be written.
    """
    migrations = load(folder or directory("migrations"))
    with _named(path):
        _create(path)
        opened = path.stat()
        with closing(sqlite3.connect(path, timeout=patience, isolation_level=None)) as connection:
            _prepare(connection, patience)
            applied = []
            while migration := _apply_next(connection, migrations, now):
                applied.append(migration.name)
        if not os.path.samestat(opened, path.stat()):
            raise MigrationError("the file was replaced in the same moment; try again")
        return tuple(applied)


def pending(path: Path, *, folder: Path | None = None) -> tuple[str, ...]:
    """Give the names of the migrations that a database lacks, and change nothing.

    Args:
        path: The SQLite file; one that does not exist lacks all of them.
        folder: The migrations, if not those that came with the program.

    Raises:
        MigrationError: The file is no database, is newer than the program, or cannot be read.
    """
    migrations = load(folder or directory("migrations"))
    with _named(path):
        if not path.exists():
            return tuple(migration.name for migration in migrations)
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            exists = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'").fetchone()
            recorded = dict(connection.execute("SELECT name, checksum FROM schema_migrations")) if exists else {}
        return tuple(migration.name for migration in _missing(recorded, migrations))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let every failure begin with the file's name and say what to do."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise MigrationError(f"{path}: {explain(error)}") from error
    except MigrationError as error:
        raise MigrationError(f"{path}: {error}") from error


def _create(path: Path) -> None:
    """Make the file, readable by its owner alone, if there is none; its log files inherit the mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if not path.stat().st_mode & 0o222:
            raise MigrationError("the file is read-only; make it writable") from None


def _prepare(connection: sqlite3.Connection, patience: float) -> None:
    """Set what is kept in the file; ``auto_vacuum`` only takes before anything is in it, WAL included."""
    if sqlite3.sqlite_version_info < (3, 35):
        raise MigrationError(f"SQLite {sqlite3.sqlite_version} is too old; 3.35 or newer is needed")
    for pragma in ("auto_vacuum = INCREMENTAL", "journal_mode = WAL", "synchronous = FULL"):
        _patiently(connection, f"PRAGMA {pragma}", patience)


def _patiently(connection: sqlite3.Connection, statement: str, patience: float) -> None:
    """Run a statement; SQLite lets a change of the journal's mode fail at once when another process makes it too."""
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _apply_next(connection: sqlite3.Connection, migrations: list[Migration], now: int) -> Migration | None:
    """Check the record and apply the first migration that is missing, all under the write lock."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_RECORD)
        missing = _missing(dict(connection.execute("SELECT name, checksum FROM schema_migrations")), migrations)
        for migration in missing[:1]:
            _apply(connection, migration, now)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return missing[0] if missing else None


def _missing(recorded: dict[str, str], migrations: list[Migration]) -> list[Migration]:
    """Give what is yet to be applied; raises `MigrationError` where what was applied is not what there is."""
    known = {migration.name for migration in migrations}
    for name in sorted(recorded.keys() - known):
        raise MigrationError(
            f"the database is newer than this program, which does not have {name}; "
            "run the version that made it, or restore a backup from before"
        )
    for migration in migrations:
        if migration.name in recorded and recorded[migration.name] != migration.checksum:
            raise MigrationError(f"{migration.name} was changed after it had been applied; put the original file back")
    return [migration for migration in migrations if migration.name not in recorded]


def _apply(connection: sqlite3.Connection, migration: Migration, now: int) -> None:
    try:
        for statement in split(migration.text):
            connection.execute(statement)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise MigrationError(f"{migration.name} does not apply: {error}; is this another program's file?") from error
    connection.execute(
        "INSERT INTO schema_migrations (name, checksum, applied_at) VALUES (?, ?, ?)",
        (migration.name, migration.checksum, now),
    )


def split(text: str) -> Iterator[str]:
    """Split a file into statements: run as a script they would be committed one by one."""
    statement = ""
    for piece in re.findall(r"[^;]*;|[^;]+\Z", text):
        statement += piece
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def explain(error: OSError | sqlite3.Error) -> str:
    """Say in one line what is wrong and what to do."""
    if isinstance(error, OSError):
        return f"cannot be created or read: {error.strerror}; check the path and its permissions"
    advice = {
        sqlite3.SQLITE_NOTADB: "not an SQLite database; name another file (for the server, by DATABASE_URL)",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the path and its permissions",
        sqlite3.SQLITE_READONLY: "cannot be written; check the permissions of the file and its folder",
        sqlite3.SQLITE_BUSY: "locked by another process; stop that one, or try again when it is done",
        sqlite3.SQLITE_CORRUPT: "damaged; restore a backup",
        sqlite3.SQLITE_FULL: "the disk is full; make room",
    }
    code = getattr(error, "sqlite_errorcode", -1) & 0xFF
    return advice.get(code, f"{error}; check the disk and the file")
