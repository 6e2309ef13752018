"""Reading requests: parameters, bodies, client credentials, and what deciding takes."""

import base64
from urllib.parse import unquote_plus

from aiohttp import web

from server import keys
from server.oauth.authentication import Credentials
from server.oauth.context import Context
from server.oauth.errors import InvalidClient, InvalidRequest
from server.oauth.parameters import Parameters
from server.transport.body import read_at_most

FORM_TYPE = "application/x-www-form-urlencoded"

MAX_FORM = 64 * 1024
"""The most bytes that a form may have."""


def context(request: web.Request) -> Context:
    """Put together what deciding about this request takes; its time is read here, once."""
    app = request.app
    return Context(
        app[keys.STORE],
        app[keys.SETTINGS],
        app[keys.ENTROPY],
        app[keys.CLOCK](),
        app[keys.REMOTE],
        request[keys.ADDRESS],
        app[keys.SIGNER],
    )


def query(request: web.Request) -> Parameters:
    """Give the parameters of the query, decoded strictly.

    Raises:
        InvalidRequest: They are not UTF-8, or too many.
    """
    return Parameters.parse(request.rel_url.raw_query_string)


async def form(request: web.Request) -> Parameters:
    """Give the parameters of a form, which is the only body that the OAuth endpoints take.

    Raises:
        InvalidRequest: The body is something else, not UTF-8, or has too many fields.
    """
    if request.content_type != FORM_TYPE:
        raise InvalidRequest(f"send the parameters as {FORM_TYPE}")
    if (request.charset or "utf-8").lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise InvalidRequest("the parameters must be UTF-8")
    content = await read_at_most(request, MAX_FORM)
    try:
        return Parameters.parse(content.decode("ascii"))
    except UnicodeDecodeError:
        raise InvalidRequest("the parameters must be percent-encoded UTF-8") from None


def credentials(request: web.Request, params: Parameters) -> Credentials:
    """Take from a request what authenticates its client (RFC 6749 section 2.3.1, RFC 7521 section 4.2).

    Raises:
        InvalidRequest: There are several ``Authorization`` headers.
        InvalidClient: The header is not well-formed ``Basic``.
    """
    headers = request.headers.getall("Authorization", [])
    if len(headers) > 1:
        raise InvalidRequest("there are several Authorization headers")
    basic = _basic(headers[0]) if headers else None
    return Credentials(
        basic,
        params.get("client_id"),
        params.get("client_secret"),
        params.get("client_assertion"),
        params.get("client_assertion_type"),
    )


def _basic(header: str) -> tuple[str, str]:
    """Decode ``Basic`` credentials; both parts are form-urlencoded within (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        text = ""
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise InvalidClient("the Authorization header is not well-formed Basic")
    return unquote_plus(client_id), unquote_plus(secret)
