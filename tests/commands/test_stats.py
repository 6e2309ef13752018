"""``stats --watch``, beside a running server."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import Run
from tests.commands.rows import Rows
from tests.flows.child import ROOT

WATCH = (sys.executable, "-m", "server", "stats", "--watch", "0.2")


def watch(folder: Path, *options: str) -> "subprocess.Popen[str]":
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen((*WATCH, *options), cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


def test_each_look_is_a_line_of_json_until_it_is_interrupted(rows: Rows) -> None:
    with watch(Path.cwd(), "--json") as watching:
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["clients"] == 0
        rows.client("att_cl_1")
        looks = [json.loads(watching.stdout.readline()) for _ in range(20)]
        assert looks[-1]["clients"] == 1
        assert looks[-1]["database"] == rows.path.stat().st_size
        assert {"access_tokens", "mcp_sessions", "log", "room"} <= set(looks[-1])
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0


def test_as_text_each_look_has_a_line_for_each_count(rows: Rows) -> None:
    with watch(rows.path.parent.parent) as watching:
        assert watching.stdout is not None
        assert [watching.stdout.readline() for _ in range(2)] == ["\n", "clients: 0\n"]
        seen = dict(line.rstrip().split(": ") for line in iter(watching.stdout.readline, "\n"))
        assert seen["access tokens"] == "0"
        for name in ("database", "log", "room"):
            assert re.fullmatch(r"[0-9]+ bytes|[0-9]+\.[0-9] [kMG]B", seen[name]), name
        watching.stdout.close()
        assert watching.wait(20) == 0


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "1e9"])
def test_what_is_no_pause_is_wrong_usage(run: Run, seconds: str) -> None:
    assert run("stats", "--watch", seconds).status == 2
