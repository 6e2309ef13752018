"""The whole URL map."""

from collections.abc import Iterable

from aiohttp import web

from server.handlers import (
    access,
    account,
    authorize,
    callback,
    catalogue,
    home,
    invitation,
    mcp,
    metadata,
    metrics,
    openapi,
    openid,
    register,
    signin,
    status,
    token,
    upstream,
)
from server.handlers.limits import limited
from server.oauth.provider import BEGIN
from server.oauth.scopes import identity
from server.settings import Settings
from server.upstreams import PROVIDERS

OAUTH_ENDPOINTS = ("/authorize", "/token", "/revoke", "/introspect")
OPENID_ENDPOINTS = ("/userinfo", "/jwks")

_WELL_KNOWN = "/.well-known"


def routes(settings: Settings) -> Iterable[web.RouteDef]:
    """Give every route that these settings open; with OAuth off its endpoints are 404."""
    yield web.get("/", home.index)
    yield web.get("/catalogue/{kind}/{id}", catalogue.item)
    yield web.get("/health", status.health)
    yield web.get("/health/ready", status.ready)
    yield web.get("/metrics", metrics.metrics)
    yield web.get("/oauth/stats", status.stats)
    yield web.options("/mcp", access.preflight)
    yield web.post("/mcp", mcp.post)
    yield web.get("/mcp", mcp.other, allow_head=False)
    yield web.delete("/mcp", mcp.other)
    yield web.route("*", "/mcp", mcp.other)
    yield web.options(_WELL_KNOWN + "/{document:.*}", access.preflight)
    yield web.get(f"{_WELL_KNOWN}/openai-apps-challenge", metadata.openai_apps_challenge)
    if settings.oauth_enabled:
        yield from _oauth(settings)
    yield web.route("*", _WELL_KNOWN + "/{rest:.*}", metadata.unknown)


def _oauth(settings: Settings) -> Iterable[web.RouteDef]:
    yield from _metadata()
    if settings.oauth_dcr != "off":
        yield from _registration()
    yield web.get("/authorize", limited("/authorize", authorize.authorize))
    yield web.post("/authorize", limited("/authorize", authorize.authorize))
    # These change something, or may yield a code where nobody need be asked, so a HEAD must not be answered by them.
    yield web.get(BEGIN, limited("/authorize", authorize.begin), allow_head=False)
    yield web.get(authorize.PAGE, authorize.page, allow_head=False)
    yield web.post(authorize.FORM, authorize.decide)
    for path, authenticated in (("/token", limited("/token", token.token)), ("/revoke", token.revoke)):
        yield web.options(path, access.preflight)
        yield web.post(path, authenticated)
    yield web.post("/introspect", token.introspect)
    if identity(settings):
        yield from _openid()
    yield web.get("/account", account.account)
    if settings.oauth_provider != "demo":
        yield from _sign_in(settings)
    yield web.get("/openapi.json", openapi.openapi)


def _metadata() -> Iterable[web.RouteDef]:
    for document, handler in (
        ("oauth-authorization-server", metadata.authorization_server),
        ("openid-configuration", metadata.authorization_server),
        ("oauth-protected-resource", metadata.protected_resource),
    ):
        for path in (f"{_WELL_KNOWN}/{document}", f"{_WELL_KNOWN}/{document}/mcp"):
            yield web.get(path, handler)
            yield web.options(path, access.preflight)
            yield web.route("*", path, metadata.read_only)


def _registration() -> Iterable[web.RouteDef]:
    yield web.options("/register", access.preflight)
    yield web.post("/register", limited("/register", register.register))
    yield web.options("/register/{client_id}", access.preflight)
    yield web.get("/register/{client_id}", limited("/register", register.read))
    yield web.put("/register/{client_id}", limited("/register", register.update))
    yield web.delete("/register/{client_id}", limited("/register", register.delete))


def _openid() -> Iterable[web.RouteDef]:
    for path in OPENID_ENDPOINTS:
        yield web.options(path, access.preflight)
    yield web.get("/userinfo", openid.userinfo)
    yield web.post("/userinfo", openid.userinfo)
    yield web.get("/jwks", openid.jwks)


def _sign_in(settings: Settings) -> Iterable[web.RouteDef]:
    yield web.get("/signin", signin.show, allow_head=False)
    yield web.post("/signout", signin.sign_out)
    yield web.post("/signout/everywhere", signin.sign_out_everywhere)
    yield web.post("/account/revoke", account.revoke)
    if settings.oauth_provider == "local":
        from server.handlers import passkeys  # noqa: PLC0415 - what it needs takes memory, and no other provider uses it

        yield web.post("/signin", signin.sign_in)
        yield web.post("/signin/passkey", passkeys.sign_in)
        yield web.post("/account/passkeys", passkeys.add)
        yield web.post("/account/passkeys/remove", passkeys.remove)
        yield web.post("/account/password/remove", passkeys.remove_password)
        yield web.post("/account/password", account.change_password)
        yield web.get("/invitation", invitation.show, allow_head=False)
        yield web.post("/invitation", invitation.accept)
    if settings.oauth_provider in PROVIDERS:
        yield web.post(upstream.GO, upstream.go)
        yield web.post(callback.LEAVE, callback.leave)
        for path in callback.CALLBACKS:
            yield web.get(path, limited("/authorize", callback.callback), allow_head=False)
