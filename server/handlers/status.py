"""GET /oauth/stats, /health and /health/ready."""

from aiohttp import web

from server import keys
from server.handlers import requests
from server.oauth.statistics import statistics


async def stats(request: web.Request) -> web.Response:
    """Count what is live."""
    if not request.app[keys.SETTINGS].oauth_enabled:
        return web.json_response({"oauth_enabled": False})
    content = await statistics(requests.context(request))
    return web.json_response(content, headers={"Cache-Control": "no-store"})


async def health(_request: web.Request) -> web.Response:
    """Say that the process answers."""
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})


async def ready(request: web.Request) -> web.Response:
    """Say that the database can be written; `StoreUnavailable` becomes a 503 where errors are mapped."""
    await request.app[keys.STORE].ping_writable()
    return web.json_response({"status": "ready"}, headers={"Cache-Control": "no-store"})
