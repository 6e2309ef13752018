"""``audit`` on the command line, beside a running server too."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from server.app import system_clock
from server.storage.migrate import migrate
from tests.flows.child import Child, connected

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000
EVENTS = [
    (NOW, "client_registered", "att_cl_1", None, "192.0.2.1", None, "Example"),
    (NOW + 60, "consent_given", "att_cl_1", "demo", "192.0.2.2", None, "read"),
    (NOW + 61, "tokens_issued", "att_cl_1", "demo", "192.0.2.1", "att_gr_1", "read"),
    (NOW + 3600, "client_registered", "att_cl_2", None, "192.0.2.3", None, "evil\x1b[2J\u202e"),
]

Run = Callable[..., subprocess.CompletedProcess[str]]


def command(folder: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    environment["DATABASE_URL"] = f"sqlite:///{folder / 'server.db'}"
    return [sys.executable, "-m", "server", *arguments], environment


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give a function that runs a command on the database."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line, environment = command(tmp_path, *arguments)
        return subprocess.run(
            line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Give a database with some events."""
    path = tmp_path / "server.db"
    migrate(path, NOW)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO audit_log (time, event, client_id, user_id, address, grant_id, detail)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            EVENTS,
        )
    return path


@pytest.mark.usefixtures("database")
def test_events_are_printed_oldest_first_and_a_terminal_obeys_none_of_them(run: Run) -> None:
    done = run("audit")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "2027-01-15 08:00:00  client_registered  client=att_cl_1  from=192.0.2.1  Example",
        "2027-01-15 08:01:00  consent_given  client=att_cl_1  user=demo  from=192.0.2.2  read",
        "2027-01-15 08:01:01  tokens_issued  client=att_cl_1  user=demo  grant=att_gr_1  from=192.0.2.1  read",
        "2027-01-15 09:00:00  client_registered  client=att_cl_2  from=192.0.2.3  evil\ufffd[2J\ufffd",
    ]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ("", [1, 2, 3, 4]),
        ("--event client_registered", [1, 4]),
        ("--client att_cl_1 --event consent_given", [2]),
        ("--user demo", [2, 3]),
        ("--grant att_gr_1", [3]),
        ("--limit 2", [3, 4]),
        ("--since 2027-01-15T08:01", [2, 3, 4]),
        ("--since 2027-01-15T09:01+01:00", [2, 3, 4]),
        ("--since 2027-01-16", []),
        ("--since 1d --user nobody", []),
    ],
)
def test_filters_choose(run: Run, arguments: str, ids: list[int]) -> None:
    done = run("audit", "--json", *arguments.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert [event["id"] for event in json.loads(done.stdout)] == ids


@pytest.mark.usefixtures("database")
def test_json_has_every_column(run: Run) -> None:
    names = ("time", "event", "client_id", "user_id", "address", "grant_id", "detail")
    assert json.loads(run("audit", "--json").stdout) == [
        {"id": number, **dict(zip(names, event, strict=True))} for number, event in enumerate(EVENTS, 1)
    ]


@pytest.mark.parametrize(
    "arguments", ["--since yesterday", "--since 99999999999d", "--limit 0", "--limit x", "--event nothing"]
)
def test_wrong_usage_is_2(run: Run, arguments: str) -> None:
    done = run("audit", *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_span_counts_from_now(run: Run, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE audit_log SET time = ? WHERE id = 3", (system_clock() - 3 * 3600,))
        connection.execute("UPDATE audit_log SET time = 1 WHERE id != 3")
    assert [event["id"] for event in json.loads(run("audit", "--json", "--since", "4h").stdout)] == [3]
    assert json.loads(run("audit", "--json", "--since", "2h").stdout) == []


@contextmanager
def following(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    line, environment = command(folder, "audit", "--follow", *arguments)
    process = subprocess.Popen(
        line, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_a_running_servers_events_are_followed_until_ctrl_c(tmp_path: Path) -> None:
    async with connected(Child(tmp_path)) as live:
        first = await live.register()
        with following(tmp_path, "--json") as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["client_id"] == first.client_id
            second = await live.register()
            assert json.loads(process.stdout.readline())["client_id"] == second.client_id
            await live.send("POST", "/token", data={"client_id": "nobody"})
            assert json.loads(process.stdout.readline())["event"] == "client_authentication_failed"
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=30)
            assert (process.returncode, rest, errors) == (0, "", "")
        assert (await live.send("GET", "/health/ready")).status == 200


@pytest.mark.usefixtures("database")
def test_a_reader_that_goes_is_a_good_end(tmp_path: Path) -> None:
    with following(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        with closing(sqlite3.connect(tmp_path / "server.db")) as connection, connection:
            connection.execute("INSERT INTO audit_log (time, event) VALUES (1, 'purged')")
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")


def test_a_purge_by_hand_is_noted_if_it_changed_something(run: Run, database: Path) -> None:
    assert run("purge").returncode == 0
    assert [event["event"] for event in json.loads(run("audit", "--json").stdout)].count("purged") == 0
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO access_tokens VALUES ('digest', 'hint', 'grant', 'client', 'user', '', '', 0, 0, NULL)"
        )
    assert run("purge").returncode == 0
    (purged,) = json.loads(run("audit", "--json", "--event", "purged").stdout)
    assert (purged["address"], purged["detail"]) == ("operator", "1 access_tokens")
    assert abs(purged["time"] - system_clock()) < 600
