"""POST /register (RFC 7591), and GET, PUT and DELETE below it (RFC 7592)."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from aiohttp import web

from server import keys
from server.handlers import requests
from server.oauth import clients, registration
from server.oauth.audit import Kind, presented
from server.oauth.context import Context
from server.oauth.errors import InvalidClientMetadata, InvalidToken
from server.oauth.model import Client
from server.transport.body import read_at_most
from server.transport.refusals import NO_STORE

MAX_METADATA = 16 * 1024

log = logging.getLogger(__name__)


async def register(request: web.Request) -> web.Response:
    """Register a client (RFC 7591 section 3)."""
    ctx = requests.context(request)
    with _failures_noted(request, ctx, "the initial access token is missing or wrong"):
        registration.check_may_register(_authorization(request), ctx.settings)
    answer = await clients.register(await _metadata(request), ctx)
    log.info("Registered client: %s", answer["client_id"])
    return web.json_response(answer, status=HTTPStatus.CREATED, headers=NO_STORE)


async def read(request: web.Request) -> web.Response:
    """Tell a client what it has registered (RFC 7592 section 2.1)."""
    client, token, ctx = await _managed(request)
    return web.json_response(registration.read(client, token, ctx.settings), headers=NO_STORE)


async def update(request: web.Request) -> web.Response:
    """Replace what a client has registered (RFC 7592 section 2.2)."""
    client, token, ctx = await _managed(request)
    answer = await registration.update(client, await _metadata(request), token, ctx)
    log.info("Updated client: %s", client.client_id)
    return web.json_response(answer, headers=NO_STORE)


async def delete(request: web.Request) -> web.Response:
    """Remove a client that asks for it (RFC 7592 section 2.3)."""
    client, _, ctx = await _managed(request)
    await registration.delete(client, ctx)
    log.info("Deleted client: %s", client.client_id)
    return web.Response(status=HTTPStatus.NO_CONTENT, headers=NO_STORE)


async def _managed(request: web.Request) -> tuple[Client, str, Context]:
    ctx = requests.context(request)
    with _failures_noted(request, ctx, "the registration access token is missing or wrong"):
        return *await registration.authenticate(request.match_info["client_id"], _authorization(request), ctx), ctx


@contextmanager
def _failures_noted(request: web.Request, ctx: Context, detail: str) -> Iterator[None]:
    """Offer a failed authentication to the audit log, with nothing of the token in it."""
    try:
        yield
    except InvalidToken:
        client_id = presented(request.match_info.get("client_id"))
        event = ctx.event(Kind.CLIENT_AUTHENTICATION_FAILED, client_id=client_id, detail=detail)
        request.app[keys.RECORDER].offer(event)
        raise


def _authorization(request: web.Request) -> list[str]:
    return request.headers.getall("Authorization", [])


async def _metadata(request: web.Request) -> dict[str, object]:
    if request.content_type != "application/json":
        raise InvalidClientMetadata("send the client's metadata as application/json")
    return _json_object(await read_at_most(request, MAX_METADATA))


def _json_object(body: bytes) -> dict[str, object]:
    try:
        decoded = json.loads(body.decode())
        if b"\\u" in body:  # a lone surrogate can only come as an escape, and could not be stored or sent back
            json.dumps(decoded, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InvalidClientMetadata("the body is not JSON in UTF-8") from None
    if not isinstance(decoded, dict):
        raise InvalidClientMetadata("the body is not a JSON object")
    return decoded
