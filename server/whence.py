"""From where the request at hand came, for what is noted of it below the web."""

from contextvars import ContextVar

address: ContextVar[str | None] = ContextVar("address", default=None)
"""The client's address; ``None`` outside a request."""
