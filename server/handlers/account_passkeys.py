"""The account page's section on passkeys."""

from typing import Any

from aiohttp import web

from server.identity.model import SignedIn


async def section(request: web.Request, found: SignedIn) -> dict[str, Any]:  # noqa: ARG001 - none so far
    """Give what ``account_passkeys.html`` shows."""
    return {}
