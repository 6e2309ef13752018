"""What is known of the request at hand below the web too, for what is noted of it."""

from contextvars import ContextVar

client_address: ContextVar[str | None] = ContextVar("client_address", default=None)
"""From where the request came; ``None`` outside one."""
