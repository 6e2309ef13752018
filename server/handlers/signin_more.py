"""Signing in by passkey, as the page offers it beside the password."""

from typing import Any

from aiohttp import web

from server import keys
from server.handlers import requests
from server.identity import passkeys


async def more(request: web.Request, browser: str) -> dict[str, Any]:
    """Give what ``signin_more.html`` shows.

    Args:
        request: The request being answered.
        browser: The random id that the browser's cookie has, or will have.
    """
    ctx = requests.context(request)
    rp_id = passkeys.host(ctx.settings)
    options = rp_id and passkeys.sign_in_options(rp_id, browser, request.app[keys.SEALER], ctx)
    return {"passkey_options": options}
