"""The whole URL map."""

from collections.abc import Iterable

from aiohttp import web

from server.handlers import access, authorize, home, mcp, metadata, register, status, token
from server.oauth.provider import BEGIN
from server.settings import Settings

OAUTH_ENDPOINTS = ("/authorize", "/token", "/revoke", "/introspect")

_WELL_KNOWN = "/.well-known"


def routes(settings: Settings) -> Iterable[web.RouteDef]:
    """Give every route that these settings open; with OAuth off its endpoints are 404."""
    yield web.get("/", home.index)
    yield web.get("/health", status.health)
    yield web.get("/health/ready", status.ready)
    yield web.get("/oauth/stats", status.stats)
    yield web.options("/mcp", access.preflight)
    yield web.post("/mcp", mcp.post)
    yield web.route("*", "/mcp", mcp.other)
    yield web.options(_WELL_KNOWN + "/{document:.*}", access.preflight)
    yield web.get(f"{_WELL_KNOWN}/openai-apps-challenge", metadata.openai_apps_challenge)
    if settings.oauth_enabled:
        yield from _oauth(settings)
    yield web.route("*", _WELL_KNOWN + "/{rest:.*}", metadata.unknown)


def _oauth(settings: Settings) -> Iterable[web.RouteDef]:
    for document in ("oauth-authorization-server", "openid-configuration"):
        yield web.get(f"{_WELL_KNOWN}/{document}", metadata.authorization_server)
        yield web.get(f"{_WELL_KNOWN}/{document}/mcp", metadata.authorization_server)
    yield web.get(f"{_WELL_KNOWN}/oauth-protected-resource", metadata.protected_resource)
    yield web.get(f"{_WELL_KNOWN}/oauth-protected-resource/mcp", metadata.protected_resource)
    if settings.oauth_dcr != "off":
        yield web.options("/register", access.preflight)
        yield web.post("/register", register.register)
    yield web.get("/authorize", authorize.authorize)
    yield web.post("/authorize", authorize.authorize)
    yield web.get(BEGIN, authorize.begin, allow_head=False)
    yield web.get(authorize.PAGE, authorize.page)
    yield web.post(authorize.FORM, authorize.decide)
    for path, handler in (("/token", token.token), ("/revoke", token.revoke)):
        yield web.options(path, access.preflight)
        yield web.post(path, handler)
    yield web.post("/introspect", token.introspect)
    yield web.get("/account", home.account)
