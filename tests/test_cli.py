"""The command line, run as its users run it: what it prints, and its exit status."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import server
from server.cli import main
from server.storage.migrate import migrate

ROOT = Path(__file__).parent.parent
COMMANDS = ["serve", "migrate", "purge", "stats", "audit"]
NOTHING_LIVE = {"clients": 0, "authorization_codes": 0, "access_tokens": 0, "refresh_tokens": 0}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give a function that runs the program in an empty directory, with the given settings and no other."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables}
        command = [sys.executable, "-m", "server", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30, check=False
        )

    return run


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Give a migrated database where the program looks for it."""
    path = tmp_path / "data" / "server.db"
    migrate(path, 1_800_000_000)
    return path


def failed_in_one_line(done: subprocess.CompletedProcess[str], *words: str) -> bool:
    *before, last = done.stderr.splitlines()
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert all(re.match(r"\d{4}-\d\d-\d\d .* (INFO|WARNING) ", line) for line in before), before
    assert last.startswith("att-mcp-server: ")
    assert all(word in last for word in words), last
    return True


def ended(*arguments: str) -> object:
    """Give the exit status of a run that ends with its arguments, before any setting is read."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


@pytest.mark.parametrize("arguments", [(), *((command,) for command in COMMANDS)])
def test_help_is_everywhere(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert ended(*arguments, "--help") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("usage: att-mcp-server")
    assert printed.err == ""
    assert arguments or all(command in printed.out for command in COMMANDS)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--version") == 0
    assert capsys.readouterr().out == f"{server.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [("fly",), ("--fly",), ("stats", "--fly"), ("stats", "more"), ("serve", "--json")]
)
def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert ended(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "usage: att-mcp-server" in printed.err


def test_without_a_command_it_serves(run: Run) -> None:
    assert failed_in_one_line(run(MCP_SERVER="nowhere:build"), "MCP_SERVER='nowhere:build'")


def test_python_m_server_is_the_same_program(run: Run) -> None:
    assert (run("--version").stdout, run("fly").returncode) == (f"{server.__version__}\n", 2)


def test_migrate_says_what_it_applied_and_then_that_nothing_is_left(run: Run, tmp_path: Path) -> None:
    first, second, third = run("migrate"), run("migrate", "--json"), run("migrate")
    assert [done.returncode for done in (first, second, third)] == [0, 0, 0]
    assert "applied: 0001_initial" in first.stdout
    assert json.loads(second.stdout) == {"database": "data/server.db", "applied": []}
    assert "applied: none" in third.stdout
    assert (tmp_path / "data" / "server.db").stat().st_mode & 0o777 == 0o600


def test_a_dry_run_says_what_would_be_applied_and_applies_nothing(run: Run, tmp_path: Path) -> None:
    first, _, then = run("migrate", "--dry-run"), run("migrate"), run("migrate", "--dry-run", "--json")
    assert "would apply: 0001_initial" in first.stdout
    assert (first.returncode, then.returncode) == (0, 0)
    assert json.loads(then.stdout) == {"database": "data/server.db", "would_apply": []}
    with closing(sqlite3.connect(tmp_path / "data" / "server.db")) as connection, connection:
        connection.execute("INSERT INTO schema_migrations VALUES ('9999_future.sql', 'x', 1)")
    assert failed_in_one_line(run("migrate", "--dry-run"), "newer than this program", "restore a backup")


def test_stats_count_as_text_and_as_json(run: Run) -> None:
    text, as_json = run("stats"), run("stats", "--json")
    assert (text.returncode, as_json.returncode) == (0, 0)
    assert json.loads(as_json.stdout) == NOTHING_LIVE
    assert text.stdout.splitlines() == [f"{name.replace('_', ' ')}: 0" for name in NOTHING_LIVE]


def test_purge_says_what_it_removed(run: Run, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO authorization_requests (handle_digest, browser_digest, client_id, redirect_uri, scopes,"
            " audience, code_challenge, created_at, expires_at) VALUES ('h', 'b', 'c', 'r', 'read', 'a', 'x', 0, 600)"
        )
    done = run("purge", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["authorization_requests"] == 1
    assert json.loads(run("purge", "--json").stdout)["authorization_requests"] == 0


@pytest.mark.parametrize(
    ("variable", "value", "takes"),
    [
        ("OAUTH_DEFAULT_SCOPES", "admin", "names out of OAUTH_VALID_SCOPES"),
        ("OAUTH_ISSUER_URL", "https://a.example?x=1", "without path, query and fragment"),
        ("SERVER_URL", "http://a.example", "https unless it is loopback"),
        ("OAUTH_ACCESS_TOKEN_TTL", "0", "whole seconds"),
        ("OAUTH_PROVIDER", "nobody", "demo"),
        ("RATE_LIMITS", "some", "true or false"),
    ],
)
def test_a_wrong_setting_stops_every_command_in_one_line(run: Run, variable: str, value: str, takes: str) -> None:
    done = run("stats" if variable == "SERVER_URL" else "serve", **{variable: value})
    assert failed_in_one_line(done, f"{variable}='{value}'" if value != "true" else variable, takes)
    assert len(done.stderr.splitlines()) == 1


def test_the_env_file_of_the_working_directory_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///elsewhere/mine.db\n")
    assert run("migrate").returncode == 0
    assert (tmp_path / "elsewhere" / "mine.db").exists()


def test_a_port_in_use_is_said(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert failed_in_one_line(run("serve", PORT=port), f"PORT={port}", "cannot listen")


def test_an_address_that_is_not_ours_is_said(run: Run) -> None:
    assert failed_in_one_line(run("serve", HOST="192.0.2.1"), "HOST=192.0.2.1", "cannot listen")
    assert failed_in_one_line(run("serve", HOST="no-such-host.invalid"), "HOST=no-such-host.invalid")


@pytest.mark.parametrize(
    ("spec", "words"),
    [("nowhere:build", "cannot be imported"), ("json:nothing", "has no nothing"), ("json:dumps", ""), ("os:sep", "")],
)
def test_an_mcp_server_that_cannot_be_loaded_is_said(run: Run, spec: str, words: str) -> None:
    assert failed_in_one_line(run("serve", MCP_SERVER=spec), f"MCP_SERVER='{spec}'", words)


@pytest.fixture(params=["serve", "stats"])
def command(request: pytest.FixtureRequest) -> str:
    """Give a command that stays and one that ends: both open the database first."""
    return str(request.param)


def test_a_file_that_is_no_database_is_left_alone(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "server.db"
    path.write_bytes(b"This is my diary. " * 100)
    assert failed_in_one_line(run(command), "data/server.db", "not an SQLite database")
    assert path.read_bytes() == b"This is my diary. " * 100


def test_another_programs_database_is_left_alone(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / "server.db")) as connection, connection:
        connection.execute("CREATE TABLE clients (name text)")
    assert failed_in_one_line(run(command), "another program")


def test_a_newer_database_is_left_alone(run: Run, database: Path, command: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT INTO schema_migrations VALUES ('9999_future.sql', 'x', 1)")
    assert failed_in_one_line(run(command), "newer than this program")


def test_a_locked_database_is_said_after_five_seconds(run: Run, database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert failed_in_one_line(run("purge"), "locked")
    assert run("purge").returncode == 0


def test_a_read_only_database_is_said(run: Run, database: Path, command: str) -> None:
    database.chmod(0o400)
    assert failed_in_one_line(run(command), "read-only")


def test_a_folder_in_the_databases_place_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "server.db").mkdir(parents=True)
    assert failed_in_one_line(run("stats"), "data/server.db")


def test_a_file_in_the_folders_place_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    assert failed_in_one_line(run("stats"), "data")
