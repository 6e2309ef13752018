"""POST /token, /revoke and /introspect: the endpoints at which a client authenticates."""

import logging

from aiohttp import web

from server import keys
from server.handlers import requests
from server.oauth import authentication, grants, introspection, revocation
from server.oauth.audit import Kind, presented
from server.oauth.context import Context
from server.oauth.errors import InvalidClient
from server.oauth.model import Client
from server.oauth.parameters import Parameters
from server.transport.refusals import NO_STORE

log = logging.getLogger(__name__)


async def token(request: web.Request) -> web.Response:
    """Exchange a code, a refresh token or the client's own credentials for tokens (RFC 6749 section 3.2)."""
    params, client, ctx = await _authenticated(request)
    answer = await grants.token(params, client, ctx)
    if params.get("grant_type") == "authorization_code":
        log.info("Exchanged authorization code for tokens")
    return web.json_response(answer, headers={**NO_STORE, "Pragma": "no-cache"})


async def revoke(request: web.Request) -> web.Response:
    """End a token (RFC 7009 section 2)."""
    await revocation.revoke(*await _authenticated(request))
    return web.json_response({}, headers=NO_STORE)


async def introspect(request: web.Request) -> web.Response:
    """Describe a token (RFC 7662 section 2)."""
    return web.json_response(await introspection.introspect(*await _authenticated(request)), headers=NO_STORE)


async def _authenticated(request: web.Request) -> tuple[Parameters, Client, Context]:
    params = await requests.form(request)
    params.refuse_repeated()
    ctx = requests.context(request)
    client_id = params.get("client_id")
    try:
        credentials = requests.credentials(request, params)
        client_id = credentials.named
        return params, await authentication.authenticate(credentials, ctx), ctx
    except InvalidClient as error:
        event = ctx.event(Kind.CLIENT_AUTHENTICATION_FAILED, client_id=presented(client_id), detail=error.description)
        request.app[keys.RECORDER].offer(event)
        raise
