"""Signing in by passkey, as the page offers it beside the password."""

from typing import Any

from aiohttp import web

from server import keys
from server.handlers import requests
from server.identity import passkeys
from server.identity.passkeys import Ceremony


async def more(request: web.Request, browser: str) -> dict[str, Any]:
    """Give what ``signin_more.html`` shows.

    Args:
        request: The request being answered.
        browser: The random id that the browser's cookie has, or will have.
    """
    asking = ceremony(request, browser)
    if asking is None:
        return {"passkey_options": None}
    from server.identity import ceremonies  # noqa: PLC0415 - see there

    return {"passkey_options": ceremonies.sign_in_options(asking)}


def ceremony(request: web.Request, cookie: str) -> Ceremony | None:
    """Give what a passkey is asked for with, bound to a cookie's value; ``None`` where there can be no passkeys."""
    ctx = requests.context(request)
    rp_id = passkeys.host(ctx.settings)
    return None if rp_id is None else Ceremony(rp_id, cookie, request.app[keys.SEALER], ctx)
