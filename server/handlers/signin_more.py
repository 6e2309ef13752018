"""Further ways to sign in, beside the password."""

from typing import Any

from aiohttp import web

from server.identity import Waiting


async def more(request: web.Request, waiting: Waiting | None) -> dict[str, Any]:  # noqa: ARG001 - none so far
    """Give what ``signin_more.html`` shows."""
    return {}
