"""Whether anything traces here, and the SDK's own spans, which are taken out where nothing does."""

from typing import Any

from mcp.server.lowlevel import Server
from opentelemetry import trace


def is_traced() -> bool:
    """Tell whether a tracer provider was set up, by whoever started the program."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)


def drop_idle_tracing(server: Server[Any]) -> None:
    """Take the SDK's tracing out where nothing traces: it costs a third of a call even so."""
    if not is_traced():
        server.middleware[:] = [m for m in server.middleware if not _is_sdk_tracing(m)]


def _is_sdk_tracing(middleware: object) -> bool:
    """Tell by its name, since the SDK has it in a private module only."""
    kind = type(middleware)
    return kind.__name__ == "OpenTelemetryMiddleware" and kind.__module__.startswith("mcp.")
