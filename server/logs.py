"""The log: one line an event, as text or as JSON, each with its request's id."""

import json
import logging
import sys
import time
from datetime import UTC, datetime

from server.handlers.access import request_id
from server.settings import Settings


def set_up(settings: Settings) -> None:
    """Send every record to standard error in the form that the settings ask for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if settings.log_format == "json" else _TextFormatter())
    # No form of a line names its thread, process or place in the code, and to find them out is half of what it costs.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # there is one since Python 3.12
    logging._srcfile = None  # noqa: SLF001 - as the logging HOWTO has it, "Optimization"
    logging.basicConfig(handlers=[handler], force=True)
    set_level(settings.log_level)


def set_level(level: str) -> None:
    """Log from a level upwards; libraries that would say too much stay at INFO."""
    logging.getLogger().setLevel(level)
    for chatty in ("aiosqlite", "asyncio", "mcp"):
        logging.getLogger(chatty).setLevel(max(logging.INFO, logging.getLevelName(level)))


class _TextFormatter(logging.Formatter):
    """Writes ``2026-01-31 12:00:00,123 INFO logger [request id] message``, in local time."""

    _second = -1
    _written = ""

    def format(self, record: logging.LogRecord) -> str:
        second = int(record.created)
        if second != self._second:
            self._second, self._written = second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        line = (
            f"{self._written},{int(record.msecs):03} {record.levelname} {record.name} "
            f"[{request_id.get()}] {record.getMessage()}"
        )
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": request_id.get(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
