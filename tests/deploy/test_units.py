"""The files of ``deploy/``: systemd finds nothing wrong with them, little is exposed, and they fit the program."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from server.settings import Settings, load_settings

DEPLOY = Path(__file__).parents[2] / "deploy"
PROGRAM = "/opt/att-mcp-server/.venv/bin/att-mcp-server"
MOST_EXPOSED = 15
"""In tenths."""

SERVICES = sorted(path.name for path in DEPLOY.glob("*.service"))


@pytest.fixture
def analyze() -> list[str]:
    """Give systemd's own checker."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed")
    return [found, "--no-pager"]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give a folder of the units, whose program is one that there is."""
    folder = tmp_path / "units"
    shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns("att-mcp-server"))
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text().replace(PROGRAM, str(program)))
    return folder


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_systemd_finds_nothing_wrong(analyze: list[str], installed: Path) -> None:
    units = sorted(str(path) for path in installed.iterdir() if path.suffix in {".service", ".socket", ".timer"})
    assert len(units) >= 2
    done = run(*analyze, "verify", "--man=no", *units)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_would_find_what_is_wrong(analyze: list[str], installed: Path) -> None:
    unit = installed / "att-mcp-server.service"
    unit.write_text(unit.read_text().replace("DynamicUser=yes", "DynamicUserr=yes"))
    assert "DynamicUserr" in run(*analyze, "verify", "--man=no", str(unit)).stderr


@pytest.mark.parametrize("unit", SERVICES)
def test_little_is_exposed(analyze: list[str], installed: Path, unit: str) -> None:
    done = run(*analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(installed / unit))
    assert done.returncode == 0, done.stdout
    level = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    assert level is not None
    assert float(level[1]) <= MOST_EXPOSED / 10


def test_the_service_asks_for_what_the_program_does() -> None:
    unit = (DEPLOY / "att-mcp-server.service").read_text()
    for line in ("Type=notify", "DynamicUser=yes", "StateDirectory=att-mcp-server", f"ExecStart={PROGRAM} serve"):
        assert f"\n{line}\n" in unit
    for name in ("WatchdogSec", "MemoryMax", "LimitNOFILE"):
        assert re.search(rf"^{name}=\S+$", unit, re.MULTILINE), name


def test_the_example_settings_are_settings(nothing_set: None) -> None:  # noqa: ARG001 - for its effect
    given = dotenv_values(DEPLOY / "env.example")
    assert {name.lower() for name in given} <= set(Settings.model_fields)
    settings = load_settings(_env_file=DEPLOY / "env.example")
    state = "/var/lib/att-mcp-server"
    assert str(settings.database_path) == f"{state}/server.db"
    assert not any(name in Settings.model_fields and "secret" in name for name in map(str.lower, given))


def test_the_commands_run_as_the_service_does() -> None:
    """The wrapper gives systemd-run the same user, folders and settings as the unit."""
    script = (DEPLOY / "att-mcp-server").read_text()
    assert subprocess.run(["sh", "-n", DEPLOY / "att-mcp-server"], check=False, timeout=10).returncode == 0
    given = {word.removeprefix("--property=") for word in shlex.split(script, comments=True) if "--property=" in word}
    assert len(given) >= 5
    assert given <= set((DEPLOY / "att-mcp-server.service").read_text().splitlines())
    assert PROGRAM in script
