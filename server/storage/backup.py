"""Copies of the database that are whole: taken while it is in use, checked, and put in its place when nobody has it."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from server.storage.migrate import explain, migrate, pending

_LOCKS = (0x4000_0000, 512)
"""Where SQLite locks bytes of a file, and how many (https://sqlite.org/fileformat2.html#the_lock_byte_page)."""


class BackupError(Exception):
    """A copy could not be made, or not be put in place; the message is one line. Everything is as it was."""


class Restored(NamedTuple):
    """What became of a restore."""

    kept: Path | None
    """Where the former database is, if there was one."""
    pending: tuple[str, ...]
    """The migrations that the next start will apply."""


def back_up(database: Path, target: Path) -> int:
    """Copy the database as it is at one moment, whoever is at work in it, and give the copy's size in bytes.

    The copy holds whatever was committed before the call. It is checked before it takes its name, readable
    by its owner alone, and one file without logs beside it.

    Args:
        database: The SQLite file.
        target: The copy; a former one of that name is replaced.

    Raises:
        BackupError: The database cannot be read or is damaged, or the copy cannot be written.
    """
    if target.exists() and (not target.is_file() or target.samefile(database)):
        raise BackupError(f"{target}: a backup does not go there; name another file")
    with _draft(target) as draft:
        _copy(database, draft)
        draft.replace(target)
        _sync(target.parent)
        return target.stat().st_size


def rehearse(database: Path, now: int) -> tuple[str, ...]:
    """Apply the migrations that a database lacks to a copy of it, and give their names; it stays as it is itself.

    Args:
        database: The SQLite file; for one that does not exist they are only named.
        now: The time that the copy records, in Unix seconds.

    Raises:
        BackupError: The database cannot be read or is damaged, or there is no room for the copy.
        MigrationError: One does not apply, or the database is newer than this program.
    """
    missing = pending(database)
    if missing and database.exists():
        with _draft(database) as draft:
            _copy(database, draft)
            migrate(draft, now)
            for end in ("-wal", "-shm"):
                draft.with_name(draft.name + end).unlink(missing_ok=True)
    return missing


def restore(database: Path, source: Path, stamp: str) -> Restored:
    """Put a copy in the database's place.

    Args:
        database: Where the database is, or is to be.
        source: The copy; it stays as it is.
        stamp: Ends the name under which the former database is kept.

    Raises:
        BackupError: The database is open somewhere, or the copy is damaged, or no such file can be read or written.
        MigrationError: The copy is newer than this program.
    """
    with suppress(OSError):  # what is wrong with the folder is said when something is written there
        database.parent.mkdir(parents=True, exist_ok=True)
    with _draft(database) as draft:
        _copy(source, draft)
        missing = pending(draft)
        with _held(database):
            _give(draft, database if database.exists() else database.parent)
            kept = _set_aside(database, stamp)
            draft.replace(database)
            _sync(database.parent)
    return Restored(kept, missing)


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Give an empty file beside a target, and take it away if it is still there at the end."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise BackupError(f"{target.parent}: cannot be written ({error.strerror}); check the path") from error
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
    except OSError as error:
        raise BackupError(f"{target}: {error.strerror}; check the path and its permissions") from error
    finally:
        draft.unlink(missing_ok=True)


def _copy(source: Path, draft: Path) -> None:
    """Copy a database in one reading transaction, make it one file, check it, and bring it to the disk."""
    if not source.is_file():
        raise BackupError(f"{source}: there is no such file")
    existing = f"{source.absolute().as_uri()}?mode=rw"  # a connection that may not write would leave logs behind
    try:
        with closing(sqlite3.connect(existing, uri=True)) as origin, closing(sqlite3.connect(draft)) as copy:
            origin.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            found = [str(line) for (line,) in copy.execute("PRAGMA integrity_check(1)")]
            ours = copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"{source}: {explain(error)}") from error
    if found != ["ok"]:
        raise BackupError(f"{source}: damaged ({' '.join(found[0].split())}); take an earlier backup")
    if not ours:
        raise BackupError(f"{source}: another program's database")
    with draft.open("rb") as written:
        os.fsync(written.fileno())


@contextmanager
def _held(database: Path) -> Iterator[None]:
    """Keep everybody out of the database, SQLite's own way; whoever has it open holds a lock on these bytes.

    Raises:
        BackupError: Somebody has.
    """
    import fcntl  # noqa: PLC0415 - there is none for Windows

    if not database.exists():
        yield
        return
    with database.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKS[1], _LOCKS[0])
        except OSError:
            raise BackupError(
                f"{database}: open in another program; stop the server, and whatever else has it"
            ) from None
        yield


def _give(draft: Path, example: Path) -> None:
    """Give a file to whom another belongs: root restores for a server that runs as somebody else."""
    wanted, owner = example.stat(), draft.stat()
    if (owner.st_uid, owner.st_gid) != (wanted.st_uid, wanted.st_gid) and os.geteuid() == 0:
        os.chown(draft, wanted.st_uid, wanted.st_gid)


def _set_aside(database: Path, stamp: str) -> Path | None:
    """Give the former database another name as well, with the log that is part of it; its place stays taken."""
    if not database.exists():
        return None
    kept = database.with_name(f"{database.name}.before-{stamp}")
    os.link(database, kept)
    for end in ("-wal", "-shm"):
        beside = database.with_name(database.name + end)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + end))
    return kept


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
