"""GET /oauth/stats, /health and /health/ready."""

from aiohttp import web

from server import keys


async def stats(request: web.Request) -> web.Response:
    """Count what is live."""
    settings = request.app[keys.SETTINGS]
    if not settings.oauth_enabled:
        return web.json_response({"oauth_enabled": False})
    counts = await request.app[keys.STORE].count_live(request.app[keys.CLOCK]())
    content = {
        "oauth_enabled": True,
        "issuer_url": settings.issuer,
        "valid_scopes": list(settings.oauth_valid_scopes),
        "default_scopes": list(settings.oauth_default_scopes),
        "clients": counts.clients,
        "authorization_codes": counts.authorization_codes,
        "access_tokens": counts.access_tokens,
        "refresh_tokens": counts.refresh_tokens,
        "provider": settings.oauth_provider,
    }
    return web.json_response(content, headers={"Cache-Control": "no-store"})


async def health(_request: web.Request) -> web.Response:
    """Say that the process answers."""
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})


async def ready(request: web.Request) -> web.Response:
    """Say that the database can be written; `StoreUnavailable` becomes a 503 where errors are mapped."""
    await request.app[keys.STORE].ping_writable()
    return web.json_response({"status": "ready"}, headers={"Cache-Control": "no-store"})
