"""The operator's commands, run in this process on a database of their own."""

import io
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.cli import main
from server.storage.migrate import migrate
from tests.commands.rows import Rows


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(nothing_set: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:  # noqa: ARG001 - for its effect
    """Give a function that runs a command in an empty directory; ``stdin`` is what it may read."""
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            status = main(arguments)
        except SystemExit as stop:
            status = int(str(stop.code))
        finally:
            logging.basicConfig(handlers=handlers, level=level, force=True)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Done(status, printed.out, printed.err)

    return run


@pytest.fixture
def rows(nothing_set: None) -> Rows:  # noqa: ARG001 - for its effect
    """Give a database where the commands look for it, and what can be put into it."""
    path = Path("data/server.db").absolute()
    migrate(path, 0)
    return Rows(path)
