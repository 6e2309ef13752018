"""``serve`` as a process: two words start it, SIGTERM ends it once the requests at work are done."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REGISTRATION = json.dumps({"redirect_uris": ["https://assistant.example/callback"]}).encode()


@pytest.fixture
def port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def process(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """Give a server that listens."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": str(port)}
    command = [sys.executable, "-m", "server", "serve"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as started:
        try:
            for _ in range(300):
                if started.poll() is not None or is_listening(port):
                    break
                time.sleep(0.1)
            yield started
        finally:
            started.kill()


def is_listening(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def register(port: int) -> int:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://localhost:{port}/register", REGISTRATION, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - an http URL on loopback
        return int(answer.status)


def test_it_serves_where_it_says_and_ends_well(process: subprocess.Popen[str], port: int, tmp_path: Path) -> None:
    url = f"http://localhost:{port}/.well-known/oauth-authorization-server"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert json.load(answer)["issuer"] == f"http://localhost:{port}"
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=15)
    assert process.returncode == 0
    serving = f"Serving http://localhost:{port} on 127.0.0.1 port {port}"
    said = ("OAuth enabled: True", f"OAuth issuer URL: http://localhost:{port}", "OAuth provider initialized", serving)
    places = [log.find(line) for line in (*said, "Stopped")]
    assert -1 not in places
    assert places == sorted(places), "a line came before it was true"
    assert "Traceback" not in log
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"server.db", "server.db.key"}


def test_a_request_at_work_is_finished_first(process: subprocess.Popen[str], port: int, tmp_path: Path) -> None:
    assert register(port) == 201
    with (
        ThreadPoolExecutor() as pool,
        closing(sqlite3.connect(tmp_path / "data" / "server.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(register, port)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        other.execute("ROLLBACK")
        assert waiting.result(timeout=20) == 201
    process.communicate(timeout=15)
    assert process.returncode == 0
    with closing(sqlite3.connect(tmp_path / "data" / "server.db")) as connection:
        assert connection.execute("SELECT count(*) FROM clients").fetchone() == (2,)
