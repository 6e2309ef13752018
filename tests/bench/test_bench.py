"""The benchmarks run and print their figures; how high those are is never tested."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OPERATIONS = (
    "registration",
    "login",
    "login of a URL client",
    "refresh",
    "introspection",
    "call in a session echo",
    "the SDK's with sessions",
    *(f"call {era} {tool}" for era in ("2026-07-28", "2025-11-25") for tool in ("echo", "att-plans-list")),
)

pytestmark = [
    pytest.mark.xdist_group("bench"),  # one worker runs it once
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    options = (
        "--rounds",
        "1",
        "--seconds",
        "0.05",
        "--rows",
        "300",
        "--directory",
        str(tmp_path_factory.mktemp("disk")),
    )
    command = [sys.executable, "-m", "bench", "--quick", *options, *OPERATIONS, "memory", "start", "purge", "catalogue"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_is_compared_with_bare_aiohttp(printed: str, operation: str) -> None:
    line = re.search(rf"^{operation} +(\d+) +(\d+\.\d+)", printed, re.MULTILINE)
    assert line, printed
    assert float(line[2]) > 0


@pytest.mark.parametrize(
    "figure",
    [
        "memory with stored tokens",
        "start with stored tokens",
        "slowest request during a purge",
        "import of stores",
        "nearest ten, in the database",
    ],
)
def test_what_grows_with_the_rows_is_measured(printed: str, figure: str) -> None:
    line = re.search(rf"^{figure} +(\d+\.\d+)", printed, re.MULTILINE)
    assert line, printed
    assert float(line[1]) > 0
