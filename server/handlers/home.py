"""The pages that are not part of signing in."""

from typing import Any

from aiohttp import web

import server
from server import keys
from server.handlers import pages
from server.settings import Settings


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
        "tools": [_described(tool) for tool in await kernel.tools(request)] if _lists_openly(settings) else [],
    }
    return pages.render(request, "index.html", content)


def _lists_openly(settings: Settings) -> bool:
    """Show here what ``tools/list`` itself shows without a token, and no more."""
    return not settings.oauth_enabled or settings.oauth_mode == "mixed"


def _described(tool: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": tool["name"],
        "title": tool.get("title") or tool["name"],
        "description": tool.get("description") or "",
        "scopes": (tool.get("_meta") or {}).get("scopes", []),
    }
