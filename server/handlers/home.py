"""The pages that are not part of signing in."""

from aiohttp import web

import server
from server import keys
from server.handlers import pages


async def index(request: web.Request) -> web.Response:
    """Say what this server is, and which URL to paste into a client."""
    settings, kernel = request.app[keys.SETTINGS], request.app[keys.KERNEL]
    content = {
        "name": kernel.title,
        "connector_url": settings.resource,
        "issuer": settings.issuer,
        "oauth_enabled": settings.oauth_enabled,
        "demo": settings.oauth_provider == "demo",
        "version": server.__version__,
        "tools": await kernel.describe_tools(),
    }
    return pages.render(request, "index.html", content)


async def account(request: web.Request) -> web.Response:
    """Say that nobody signs in here, so that there is nothing to list."""
    return pages.render(request, "account.html", {})
