"""Copies and their way back: what is refused, and what is there after each step that fails."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.storage.backup import BackupError, back_up, restore
from server.storage.migrate import MigrationError, load, migrate
from tests.storage.make import NOW

KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("INSERT INTO users (user_id, issuer, subject, created_at) VALUES ('late', 'i', 'late', 1)")
os.kill(os.getpid(), signal.SIGKILL)
"""
"""Commits a row and dies before it is brought home from the log."""


def add_user(path: Path, user_id: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO users (user_id, issuer, subject, created_at) VALUES (?, 'i', ?, 1)", (user_id, user_id)
        )


def users(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {user_id for (user_id,) in connection.execute("SELECT user_id FROM users")}


@pytest.fixture
def database(path: Path) -> Path:
    migrate(path, NOW)
    add_user(path, "first")
    return path


@pytest.fixture
def copy(database: Path, tmp_path: Path) -> Path:
    target = tmp_path / "copy.db"
    back_up(database, target)
    return target


@pytest.fixture
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """Hold the database open, as a server does that has nothing to do."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("SELECT * FROM users").fetchall()
        yield connection


def damage(path: Path) -> None:
    """Overwrite what is in the middle of a file."""
    with path.open("rb+") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 8192)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_copy_is_one_file_for_its_owner_alone(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "copies" / "copy.db"
    target.parent.mkdir()
    before = os.umask(0)
    try:
        size = back_up(database, target)
    finally:
        os.umask(before)
    assert names(target.parent) == ["copy.db"]
    assert (target.stat().st_mode & 0o777, target.stat().st_size) == (0o600, size)
    assert users(target) == {"first"}
    assert names(target.parent) == ["copy.db"]


def test_what_is_only_in_the_log_is_copied_too(database: Path, tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", KILLED, database], check=False, timeout=30)
    assert died.returncode == -signal.SIGKILL
    back_up(database, tmp_path / "copy.db")
    assert users(tmp_path / "copy.db") == {"first", "late"}


def test_a_writer_at_work_neither_waits_nor_is_waited_for(
    database: Path, tmp_path: Path, opened: sqlite3.Connection
) -> None:
    opened.execute("DELETE FROM users")
    back_up(database, tmp_path / "copy.db")
    opened.commit()
    assert users(tmp_path / "copy.db") == {"first"}


def test_a_former_copy_is_replaced_whole_or_not_at_all(database: Path, copy: Path) -> None:
    add_user(database, "second")
    back_up(database, copy)
    assert users(copy) == {"first", "second"}
    damage(database)
    with pytest.raises(BackupError, match="damaged"):
        back_up(database, copy)
    assert users(copy) == {"first", "second"}
    assert names(copy.parent) == ["copy.db", database.parent.name]


def test_a_copy_does_not_go_over_the_database_or_a_folder(database: Path, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(database)
    for target in (database, tmp_path / "link.db", tmp_path):
        with pytest.raises(BackupError, match="does not go there"):
            back_up(database, target)
    with pytest.raises(BackupError, match="No such file or directory"):
        back_up(database, tmp_path / "nowhere" / "copy.db")


def test_what_is_no_database_of_ours_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "diary").write_text("Dear diary, " * 500)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other, other:
        other.execute("CREATE TABLE clients (name text)")
    for name, reason in (("diary", "not an SQLite"), ("other.db", "another program's"), ("gone.db", "no such file")):
        with pytest.raises(BackupError, match=reason):
            back_up(tmp_path / name, tmp_path / "copy.db")
    assert "copy.db" not in names(tmp_path)


def test_a_copy_comes_back_and_the_former_database_is_kept(database: Path, copy: Path) -> None:
    add_user(database, "second")
    restored = restore(database, copy, "restore-1")
    assert (users(database), restored.pending) == ({"first"}, ())
    assert database.stat().st_mode & 0o777 == 0o600
    assert restored.kept is not None
    assert users(restored.kept) == {"first", "second"}
    assert names(database.parent) == [database.name, f"{database.name}.before-restore-1"]
    assert migrate(database, NOW) == ()


def test_the_former_database_is_kept_with_what_was_only_in_its_log(database: Path, copy: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, database], check=False, timeout=30)
    assert f"{database.name}-wal" in names(database.parent)
    restored = restore(database, copy, "restore-1")
    assert users(database) == {"first"}
    assert restored.kept is not None
    assert users(restored.kept) == {"first", "late"}


@pytest.mark.usefixtures("opened")
def test_a_database_that_somebody_has_open_is_left_alone(database: Path, copy: Path) -> None:
    before = names(database.parent)
    add_user(database, "second")
    with pytest.raises(BackupError, match="open in another program; stop the server"):
        _apart(database, copy)
    assert users(database) == {"first", "second"}
    assert names(database.parent) == before


def _apart(database: Path, copy: Path) -> None:
    """Restore in a process of its own: one process does not keep itself out."""
    program = (
        "import sys; from pathlib import Path; from server.storage.backup import BackupError, restore\n"
        "try: restore(Path(sys.argv[1]), Path(sys.argv[2]), 'restore-1')\n"
        "except BackupError as error: print(error, end='')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, database, copy], check=True, capture_output=True, text=True, timeout=30
    )
    if done.stdout:
        raise BackupError(done.stdout)


def test_a_damaged_database_is_replaced_and_kept(database: Path, copy: Path) -> None:
    database.write_bytes(b"This is no database. " * 1000)
    restored = restore(database, copy, "restore-1")
    assert users(database) == {"first"}
    assert restored.kept is not None
    assert restored.kept.read_bytes().startswith(b"This is no database. ")


def test_a_copy_comes_back_where_nothing_was_not_even_the_folder(copy: Path, tmp_path: Path) -> None:
    restored = restore(tmp_path / "new" / "data" / "server.db", copy, "restore-1")
    assert restored.kept is None
    assert users(tmp_path / "new" / "data" / "server.db") == {"first"}


def test_a_copy_of_a_newer_program_is_refused(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("INSERT INTO schema_migrations VALUES ('9999_future.sql', 'x', 1)")
    with pytest.raises(MigrationError, match="newer than this program"):
        restore(database, copy, "restore-1")
    assert names(database.parent) == [database.name]


def test_an_older_copy_says_what_is_to_be_migrated(database: Path, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.mkdir()
    shipped = Path(__file__).parents[2] / "migrations"
    first = load(shipped)[0].name
    shutil.copy(shipped / first, older)
    migrate(tmp_path / "old.db", NOW, folder=older)
    restored = restore(database, tmp_path / "old.db", "restore-1")
    assert restored.pending == tuple(migration.name for migration in load(shipped)[1:])
    assert migrate(database, NOW) == restored.pending


def test_a_damaged_copy_is_refused(database: Path, copy: Path) -> None:
    damage(copy)
    with pytest.raises(BackupError, match="damaged"):
        restore(database, copy, "restore-1")
    assert users(database) == {"first"}
    assert names(database.parent) == [database.name]


def test_a_second_restore_of_the_same_moment_is_refused(database: Path, copy: Path) -> None:
    restore(database, copy, "restore-1")
    add_user(database, "second")
    with pytest.raises(BackupError, match="File exists"):
        restore(database, copy, "restore-1")
    assert users(database) == {"first", "second"}


def test_root_restores_for_the_one_to_whom_the_database_belongs(database: Path, copy: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving files away takes root")
    os.chown(database, 12345, 12345)
    restore(database, copy, "restore-1")
    assert (database.stat().st_uid, database.stat().st_gid) == (12345, 12345)


def test_a_server_that_starts_in_the_middle_does_not_go_on_with_the_former_file(database: Path, copy: Path) -> None:
    """It waits for the file that is locked; by the time it has it, another is in its place."""
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        program = (
            "import sys; from pathlib import Path; from server.storage.migrate import MigrationError, migrate\n"
            "print('begin', flush=True)\n"
            "try: migrate(Path(sys.argv[1]), 1, patience=20)\n"
            "except MigrationError as error: print(error)"
        )
        command = [sys.executable, "-c", program, str(database)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starting:
            assert starting.stdout is not None
            assert starting.stdout.readline() == "begin\n"
            with pytest.raises(subprocess.TimeoutExpired):
                starting.wait(1)
            copy.replace(database)
            holder.execute("ROLLBACK")
            assert "was replaced in the same moment" in starting.communicate(timeout=30)[0]
