"""POST /token, /revoke and /introspect: the endpoints at which a client authenticates."""

import logging

from aiohttp import web

from server import keys
from server.handlers import requests
from server.oauth import authentication, grants, introspection, revocation
from server.oauth.audit import Kind, presented
from server.oauth.context import Context
from server.oauth.errors import InvalidClient
from server.oauth.model import Client, Held
from server.oauth.parameters import Parameters
from server.transport.refusals import NO_STORE

log = logging.getLogger(__name__)


async def token(request: web.Request) -> web.Response:
    """Exchange a code, a refresh token or the client's own credentials for tokens (RFC 6749 section 3.2)."""
    params = await _parameters(request)
    client, held, ctx = await _authenticated(request, params, grants.presented(params))
    answer = await grants.token(params, client, held, ctx)
    request.app[keys.METER].issued[params.require("grant_type")] += 1
    if params.get("grant_type") == "authorization_code":
        log.info("Exchanged authorization code for tokens")
    return web.json_response(answer, headers={**NO_STORE, "Pragma": "no-cache"})


async def revoke(request: web.Request) -> web.Response:
    """End a token (RFC 7009 section 2)."""
    client, held, ctx = await _holder(request)
    await revocation.revoke(held, client, ctx)
    return web.json_response({}, headers=NO_STORE)


async def introspect(request: web.Request) -> web.Response:
    """Describe a token (RFC 7662 section 2)."""
    client, held, ctx = await _holder(request)
    return web.json_response(introspection.introspect(held, client, ctx), headers=NO_STORE)


async def _parameters(request: web.Request) -> Parameters:
    params = await requests.form(request)
    params.refuse_repeated()
    return params


async def _holder(request: web.Request) -> tuple[Client, Held | None, Context]:
    """Find out who asks about a token, and about which; the token must be there (RFC 7009 2.1, RFC 7662 2.1)."""
    params = await _parameters(request)
    client, held, ctx = await _authenticated(request, params, params.get("token"))
    params.require("token")
    return client, held, ctx


async def _authenticated(
    request: web.Request, params: Parameters, secret: str | None
) -> tuple[Client, Held | None, Context]:
    ctx = requests.context(request)
    client_id = params.get("client_id")
    try:
        credentials = requests.credentials(request, params)
        client_id = credentials.named
        client, held = await authentication.authenticate(credentials, secret, ctx)
    except InvalidClient as error:
        event = ctx.event(Kind.CLIENT_AUTHENTICATION_FAILED, client_id=presented(client_id), detail=error.description)
        request.app[keys.RECORDER].offer(event)
        raise
    return client, held, ctx
