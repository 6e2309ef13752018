"""POST /register (RFC 7591)."""

import json
import logging
from http import HTTPStatus

from aiohttp import web

from server.handlers import requests
from server.handlers.errors import NO_STORE
from server.oauth import clients
from server.oauth.errors import InvalidClientMetadata
from server.transport.body import read_at_most

MAX_BODY = 16 * 1024

log = logging.getLogger(__name__)


async def register(request: web.Request) -> web.Response:
    """Register a client."""
    if request.content_type != "application/json":
        raise InvalidClientMetadata("send the client's metadata as application/json")
    metadata = _json_object(await read_at_most(request, MAX_BODY))
    answer = await clients.register(metadata, requests.context(request))
    log.info("Registered client: %s", answer["client_id"])
    return web.json_response(answer, status=HTTPStatus.CREATED, headers=NO_STORE)


def _json_object(body: bytes) -> dict[str, object]:
    try:
        decoded = json.loads(body.decode())
        json.dumps(decoded, ensure_ascii=False).encode()  # a lone surrogate could not be stored or sent back
    except (ValueError, RecursionError):
        raise InvalidClientMetadata("the body is not JSON in UTF-8") from None
    if not isinstance(decoded, dict):
        raise InvalidClientMetadata("the body is not a JSON object")
    return decoded
