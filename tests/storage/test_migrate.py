"""What a migration does to a database, and every database that it refuses."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from server.shipped import directory
from server.storage.migrate import MigrationError, load, migrate, split
from tests.storage.conftest import Shell
from tests.storage.make import NOW

SHIPPED = (
    "0001_initial.sql",
    "0002_views.sqlite.sql",
    "0003_url_clients.sql",
    "0004_managed_clients.sql",
    "0005_machine_clients.sqlite.sql",
    "0006_audit_log.sqlite.sql",
    "0007_audit_view.sqlite.sql",
    "0008_consents.sql",
    "0009_consents_view.sqlite.sql",
    "0010_sign_in.sql",
    "0011_sign_in_views.sqlite.sql",
    "0013_upstream_sign_ins.sql",
    "0015_passkeys.sql",
    "0016_passkeys_view.sqlite.sql",
    "0018_openid.sql",
    "0019_signing_keys_view.sqlite.sql",
    "0030_mcp_sessions.sql",
    "0031_mcp_sessions_view.sqlite.sql",
    "0040_catalogue.sqlite.sql",
    "0050_payments.sql",
    "0051_payments_view.sqlite.sql",
    "0052_account_preferences.sql",
    "0053_account_lines.sql",
    "0060_tokens_until.sql",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of migrations of one's own."""
    made = tmp_path / "migrations"
    made.mkdir()
    (made / "0001_one.sql").write_text("CREATE TABLE one (a text); INSERT INTO one VALUES ('x; y');\n")
    (made / "0002_two.sqlite.sql").write_text("-- a note; with a semicolon\nCREATE VIEW two AS SELECT a FROM one")
    (made / "0002_two.postgresql.sql").write_text("CREATE VIEW two AS SELECT 'not for SQLite'::text;")
    (made / "README.md").write_text("not a migration")
    return made


def refusal(path: Path, folder: Path | None = None) -> str:
    """Give the message of a refusal, which is one line that names the file."""
    with pytest.raises(MigrationError) as caught:
        migrate(path, NOW, patience=0.2, folder=folder)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_a_missing_file_is_made_for_its_owner_alone(path: Path, shell: Shell) -> None:
    assert migrate(path, NOW) == SHIPPED

    assert path.stat().st_mode & 0o777 == 0o600
    assert shell("PRAGMA auto_vacuum") == [(2,)]
    assert shell("PRAGMA journal_mode") == [("wal",)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO users (user_id, issuer, subject, created_at) VALUES ('a', 'b', 'c', 0)")
        connection.commit()
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_each_is_recorded_and_applied_once(path: Path, shell: Shell) -> None:
    migrate(path, NOW)

    assert migrate(path, NOW + 1) == ()
    recorded = shell("SELECT name, checksum, applied_at FROM schema_migrations ORDER BY name")
    assert recorded == [(migration.name, migration.checksum, NOW) for migration in load(directory("migrations"))]


def test_what_was_granted_before_is_kept_when_users_become_optional(path: Path, shell: Shell, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.mkdir()
    for name in SHIPPED[:2]:
        (older / name).write_bytes((directory("migrations") / name).read_bytes())
    migrate(path, NOW, folder=older)
    shell("INSERT INTO clients VALUES ('c', 'n', 'none', '[]', '[]', '[]', NULL, NULL, '{}', 1, NULL)")
    shell("INSERT INTO grants VALUES ('g', 'c', 'u', 'read', 'a', 1, 2, 3, 'why')")
    shell("INSERT INTO access_tokens VALUES ('d', 'h', 'g', 'c', 'u', 'read', 'a', 1, 2, 3)")
    indices = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    before = shell(indices)

    migrate(path, NOW)

    assert [row[:9] for row in shell("SELECT * FROM grants")] == [("g", "c", "u", "read", "a", 1, 2, 3, "why")]
    assert shell("SELECT * FROM access_tokens") == [("d", "h", "g", "c", "u", "read", "a", 1, 2, 3)]
    assert shell("SELECT created_by, registration_digest FROM clients") == [("client", None)]
    assert set(before) - set(shell(indices)) == {("access_tokens_by_grant",), ("refresh_tokens_by_grant",)}
    assert shell("PRAGMA integrity_check") == [("ok",)]


def test_grants_are_told_when_the_last_of_their_tokens_ends(path: Path, shell: Shell, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.mkdir()
    for name in SHIPPED[: SHIPPED.index("0060_tokens_until.sql")]:
        (older / name).write_bytes((directory("migrations") / name).read_bytes())
    migrate(path, NOW, folder=older)
    for grant_id in ("refreshable", "machine's", "without tokens"):
        shell(
            "INSERT INTO grants (grant_id, client_id, scopes, audience, created_at) VALUES (?, 'c', '', '', 1)",
            grant_id,
        )
    for grant_id, expires_at in (("refreshable", 20), ("refreshable", 10), ("machine's", 40)):
        digest = f"{grant_id} {expires_at}"
        shell(
            "INSERT INTO access_tokens VALUES (?, 'h', ?, 'c', 'u', '', '', 1, ?, NULL)", digest, grant_id, expires_at
        )
    for digest, expires_at, used_at in (("used", 90, 5), ("unused", 30, None)):
        shell(
            "INSERT INTO refresh_tokens VALUES (?, 'h', 'refreshable', 'c', '', 1, ?, ?)", digest, expires_at, used_at
        )

    migrate(path, NOW)

    told = shell("SELECT grant_id, tokens_until FROM grants ORDER BY grant_id")
    assert told == [("machine's", 40), ("refreshable", 30), ("without tokens", None)]


def test_those_for_another_database_are_left_out(path: Path, shell: Shell, folder: Path) -> None:
    assert migrate(path, NOW, folder=folder) == ("0001_one.sql", "0002_two.sqlite.sql")
    assert shell("SELECT * FROM two") == [("x; y",)]


def test_a_new_one_is_applied_to_an_old_database(path: Path, folder: Path) -> None:
    migrate(path, NOW, folder=folder)
    (folder / "0003_three.sql").write_text("CREATE TABLE three (a text);")

    assert migrate(path, NOW, folder=folder) == ("0003_three.sql",)


def test_one_that_fails_leaves_nothing_of_itself(path: Path, shell: Shell, folder: Path) -> None:
    migrate(path, NOW, folder=folder)
    (folder / "0003_three.sql").write_text("CREATE TABLE three (a text); INSERT INTO nowhere VALUES (1);")

    assert "0003_three.sql does not apply: no such table: nowhere" in refusal(path, folder)
    assert shell("SELECT name FROM sqlite_master WHERE name = 'three'") == []
    assert len(shell("SELECT name FROM schema_migrations")) == 2


def test_a_newer_database_is_refused(path: Path, folder: Path) -> None:
    migrate(path, NOW, folder=folder)
    (folder / "0002_two.sqlite.sql").unlink()

    assert "newer than this program, which does not have 0002_two.sqlite.sql" in refusal(path, folder)


def test_a_changed_file_is_refused(path: Path, folder: Path) -> None:
    migrate(path, NOW, folder=folder)
    (folder / "0001_one.sql").write_text("CREATE TABLE one (a text, b text);")

    assert "0001_one.sql was changed" in refusal(path, folder)


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("This is a shopping list, and a long one.\n" * 100)
    before = path.read_bytes()

    assert "not an SQLite database" in refusal(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(path: Path, shell: Shell) -> None:
    path.parent.mkdir()
    shell("CREATE TABLE clients (name text)")

    assert "table clients already exists; is this another program's file?" in refusal(path)
    assert shell("SELECT name FROM sqlite_master") == [("clients",)]


def test_a_folder_in_the_files_place_is_refused(path: Path) -> None:
    path.mkdir(parents=True)

    assert "cannot be opened" in refusal(path)


def test_a_file_in_the_folders_place_is_refused(path: Path) -> None:
    path.parent.write_text("")

    assert "check the path and its permissions" in refusal(path)


def test_a_read_only_file_is_refused(path: Path) -> None:
    migrate(path, NOW)
    path.chmod(0o400)

    assert "read-only" in refusal(path)


def test_a_file_that_another_process_holds_is_refused(path: Path) -> None:
    migrate(path, NOW)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert "locked by another process" in refusal(path)


def test_processes_that_start_at_once_apply_each_once(path: Path, shell: Shell) -> None:
    program = (
        "import sys; from pathlib import Path; from server.storage.migrate import migrate;"
        f"print(*migrate(Path(sys.argv[1]), {NOW}))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    applied = [name for process in processes for name in process.communicate(timeout=60)[0].split()]

    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert sorted(applied) == list(SHIPPED)
    assert [name for (name,) in shell("SELECT name FROM schema_migrations ORDER BY name")] == list(SHIPPED)


def test_statements_are_split_where_they_end() -> None:
    text = "-- one; note\nCREATE TABLE a (b text DEFAULT ';'); /* ; */ SELECT 1; SELECT ';';SELECT 2"
    assert [statement.strip() for statement in split(text)] == [
        "-- one; note\nCREATE TABLE a (b text DEFAULT ';');",
        "/* ; */ SELECT 1;",
        "SELECT ';';",
        "SELECT 2",
    ]
    assert list(split(" \n")) == []
