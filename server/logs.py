"""The log: one line an event, as text or as JSON, each with its request's id."""

import json
import logging
import sys
from datetime import UTC, datetime

from server.handlers.access import request_id
from server.settings import Settings

_TEXT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"


def set_up(settings: Settings) -> None:
    """Send every record to standard error in the form that the settings ask for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if settings.log_format == "json" else logging.Formatter(_TEXT))
    handler.addFilter(_with_request_id)
    # No form of a line names its thread or process, and to find them out is a third of what it costs.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(handlers=[handler], force=True)
    set_level(settings.log_level)


def set_level(level: str) -> None:
    """Log from a level upwards; libraries that would say too much stay at INFO."""
    logging.getLogger().setLevel(level)
    for chatty in ("aiosqlite", "asyncio", "mcp"):
        logging.getLogger(chatty).setLevel(max(logging.INFO, logging.getLevelName(level)))


def _with_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    return True


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
