"""The log: one line an event, as text or as JSON, each with its request's id."""

import json
import logging
import sys
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

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
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for chatty in ("aiosqlite", "asyncio", "mcp"):
        logging.getLogger(chatty).setLevel(max(logging.INFO, logging.getLevelName(settings.log_level)))
    logging.getLogger("aiohttp.server").addFilter(_without_request)


def _with_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    return True


def _without_request(record: logging.LogRecord) -> bool:
    """Name a request that could not be parsed by its fault alone: aiohttp shows its bytes, secrets included."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError | web.RequestPayloadError):
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        record.msg, record.args = "Malformed request refused: %s", (type(error).__name__,)
        record.exc_info = None
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
