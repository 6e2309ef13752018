"""The benchmarks run and print their figures; how high those are is never tested."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    options = ("--rounds", "1", "--seconds", "0.05", "--rows", "300", "--directory", tmp_path_factory.mktemp("disk"))
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", *options], cwd=ROOT, capture_output=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize(
    "operation",
    [
        "registration",
        "login",
        "refresh",
        "introspection",
        *(f"call {era} {server}" for era in ("2026-07-28", "2025-11-25") for server in ("echo", "att-plans-list")),
    ],
)
def test_each_operation_is_compared_with_bare_aiohttp(printed: str, operation: str) -> None:
    line = re.search(rf"^{operation} +(\d+) +(\d+\.\d+)", printed, re.MULTILINE)
    assert line, printed
    assert float(line[2]) > 0


@pytest.mark.parametrize(
    "figure", ["memory with stored tokens", "start with stored tokens", "slowest request during a purge"]
)
def test_what_grows_with_the_rows_is_measured(printed: str, figure: str) -> None:
    line = re.search(rf"^{figure} +(\d+\.\d+)", printed, re.MULTILINE)
    assert line, printed
    assert float(line[1]) > 0
