"""What clients discover under ``/.well-known/`` (RFC 8414, RFC 9728)."""

from http import HTTPStatus

from aiohttp import web

from server import keys
from server.oauth import metadata
from server.oauth.store import StoreUnavailable

_CACHED = {"Cache-Control": "public, max-age=300"}


async def authorization_server(request: web.Request) -> web.Response:
    """Give the authorization server's metadata."""
    app = request.app
    try:
        machines = await app[keys.STORE].has_machine_client()
    except StoreUnavailable:  # discovery goes on without the database; machines know their grant anyway
        machines = False
    return web.json_response(metadata.authorization_server(app[keys.SETTINGS], machines=machines), headers=_CACHED)


async def protected_resource(request: web.Request) -> web.Response:
    """Give the protected resource's metadata."""
    app = request.app
    return web.json_response(metadata.protected_resource(app[keys.SETTINGS], app[keys.KERNEL].title), headers=_CACHED)


async def read_only(request: web.Request) -> web.Response:
    """Refuse to do anything to a document but read it (RFC 9110 section 15.5.6)."""
    raise web.HTTPMethodNotAllowed(request.method, ("GET", "HEAD", "OPTIONS"))


async def openai_apps_challenge(request: web.Request) -> web.Response:
    """Give the token by which OpenAI verifies the domain, alone in the body."""
    token = request.app[keys.SETTINGS].openai_apps_challenge
    return web.Response(text=token) if token else await unknown(request)


async def unknown(_request: web.Request) -> web.Response:
    """Say that there is no such document, in JSON: a page would make clients take it for metadata."""
    content = {"error": "not_found", "error_description": "there is no such well-known document here"}
    return web.json_response(content, status=HTTPStatus.NOT_FOUND)
