"""The wheel: complete, free of the database, and able to serve from an empty directory."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import server

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for name in ("server", "migrations", "data"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.db*"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in ("server.db", "server.db-wal", "server.db.key"):
        (tree / "data" / name).touch()
    build = (*PIP, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", tree / "dist", tree)
    subprocess.run(build, check=True, timeout=100)
    (path,) = (tree / "dist").iterdir()
    return path


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel afresh, with this environment's packages as its dependencies."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home)
    (library,) = home.glob("lib/python*/site-packages")
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = (*PIP, "--python", home / "bin" / "python", "install", "--no-index", "--no-deps", wheel)
    subprocess.run(install, check=True, timeout=100)
    return home / "bin"


def environment(**variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **variables}


def run(directory: Path, *command: str | Path) -> str:
    done = subprocess.run(
        command, cwd=directory, env=environment(), check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


@pytest.fixture
def address(programs: Path, tmp_path: Path) -> Iterator[str]:
    """Serve from an empty directory until the test is over, then expect a clean end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = subprocess.Popen([programs / "att-mcp-server", "serve"], cwd=tmp_path, env=environment(PORT=port))
    try:
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def status(url: str) -> int:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - an address on loopback
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_the_wheel_holds_every_shipped_file_and_nothing_else(wheel: Path) -> None:
    package = {path.relative_to(ROOT) for path in (ROOT / "server").rglob("*") if path.is_file()}
    beside = {path.relative_to(ROOT) for path in (*ROOT.glob("migrations/*"), *ROOT.glob("data/*"))}
    shipped = {str(path) for path in package if "__pycache__" not in path.parts}
    shipped |= {f"server/{path}" for path in beside if ".db" not in path.name}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == shipped
    assert {"server/migrations/0001_initial.sql", "server/templates/consent.html"} <= held
    assert any(name.startswith("server/data/") for name in held)


def test_the_wheel_bears_the_programs_version(wheel: Path) -> None:
    assert wheel.name == f"att_mcp_server-{server.__version__}-py3-none-any.whl"


def test_the_console_script_explains_itself(programs: Path, tmp_path: Path) -> None:
    text = run(tmp_path, programs / "att-mcp-server", "--help")
    for command in ("serve", "migrate", "purge", "stats"):
        assert command in text
    assert text == run(tmp_path, programs / "python", "-m", "server", "--help")


def test_an_empty_directory_gets_a_database_by_migrate(programs: Path, tmp_path: Path) -> None:
    run(tmp_path, programs / "att-mcp-server", "migrate")
    assert (tmp_path / "data" / "server.db").is_file()
    counts = json.loads(run(tmp_path, programs / "att-mcp-server", "stats", "--json"))
    assert counts["clients"] == 0


def test_an_empty_directory_is_enough_to_serve(address: str, tmp_path: Path) -> None:
    assert status(f"{address}/health/ready") == 200
    assert status(f"{address}/") == 200
    assert status(f"{address}/mcp") == 401
    assert (tmp_path / "data" / "server.db").is_file()
