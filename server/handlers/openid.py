"""GET and POST /userinfo, and GET /jwks: what OpenID Connect adds to the OAuth endpoints."""

from aiohttp import web

from server import keys
from server.handlers import requests
from server.oauth import openid, signing
from server.oauth.bearer import read_token, verify
from server.oauth.errors import InvalidRequest, InvalidToken
from server.transport.refusals import NO_STORE

_CACHED = {"Cache-Control": "public, max-age=300"}


async def userinfo(request: web.Request) -> web.Response:
    """Say who holds the access token in the header; a body is not looked at (OpenID Connect Core section 5.3)."""
    settings = request.app[keys.SETTINGS]
    if "access_token" in request.query:
        raise InvalidRequest("an access token belongs in the Authorization header, not in the URL")
    token = read_token(request.headers.getall("Authorization", ()))
    if token is None:
        raise InvalidToken("this needs an access token in the Authorization header")
    ctx = requests.context(request)
    caller = await verify(ctx.store, token, settings.resource, ctx.now)
    return web.json_response(openid.userinfo(caller, settings), headers=NO_STORE)


async def jwks(request: web.Request) -> web.Response:
    """Give the keys that verify ID tokens (OpenID Connect Core section 10.1)."""
    published = await request.app[keys.STORE].list_signing_keys(request.app[keys.CLOCK]())
    return web.json_response(signing.published(published), headers=_CACHED)
