"""What surrounds every request: its id, its line in the log, and the headers of every answer."""

import contextvars
import logging
import time
from http import HTTPStatus

from aiohttp import HttpVersion11, web

from server import current, keys
from server.handlers.address import client_address
from server.handlers.errors import Handler
from server.meter import NO_ROUTE
from server.transport.calls import CALLS
from server.transport.refusals import NO_STORE

CROSS_ORIGIN = ("/.well-known/", "/register", "/token", "/revoke", "/userinfo", "/jwks", "/mcp", "/openapi.json")
"""Where browser clients of any origin may call (CLIENTS: the Inspector runs OAuth in its page)."""

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
SERVER = "att-mcp-server"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, Retry-After",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Max-Age": "7200",
}
_ALLOWED_HEADERS = (
    "Authorization, Content-Type, Accept, Mcp-Method, Mcp-Name, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID"
)

HUNG_UP = 499
"""Logged in place of a status when the client did not wait for one."""

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")
log = logging.getLogger("server.access")


@web.middleware
async def access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id and log it: method, path, status, address and calls, and never a query string."""
    request[keys.REQUEST_ID] = identity = f"{request.app[keys.REQUEST_NUMBERS]():012x}"
    request[keys.ADDRESS] = address = _address(request)
    request[keys.IS_STREAM] = False
    current.client_address.set(address)
    token = request_id.set(identity)
    started = time.perf_counter()
    status = HUNG_UP
    try:
        response = await handler(request)
        status = response.status
    finally:
        seconds = time.perf_counter() - started
        _count(request, status, seconds)
        level = logging.DEBUG if request.path.startswith("/health") else logging.INFO
        line = "%s %s %d %.1f ms %s"
        values: tuple[object, ...] = (request.method, request.rel_url.raw_path, status, seconds * 1000, address)
        calls = request.get(CALLS)
        if calls is not None:
            calls.logged = True
            line, values = f"{line} %s", (*values, str(calls))
        log.log(level, line, *values)
        request_id.reset(token)
    return response


def _count(request: web.Request, status: int, seconds: float) -> None:
    meter, resource = request.app[keys.METER], request.match_info.route.resource
    route = NO_ROUTE if resource is None else resource.canonical
    if request[keys.IS_STREAM]:
        meter.streams -= 1
        meter.answered(request.method, route, status, None)
    else:
        meter.answered(request.method, route, status, seconds)


def _address(request: web.Request) -> str:
    settings = request.app[keys.SETTINGS]
    forwarded = request.headers.getall(settings.client_ip_header or "X-Forwarded-For", ())
    return client_address(request.remote, forwarded, settings.trusted_proxies)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers, and the CORS ones where browser clients call; fires on every answer."""
    headers = response.headers
    headers.merge(SECURITY)
    headers["Server"] = SERVER
    headers["X-Request-Id"] = request.get(keys.REQUEST_ID, "-")
    if request.app[keys.SETTINGS].secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.path.startswith(CROSS_ORIGIN):
        headers.update(_CORS)
    if type(response) is web.StreamResponse:
        request[keys.IS_STREAM] = True
        request.app[keys.METER].streams += 1


async def expect(request: web.Request) -> web.Response | None:
    """Tell a client that waits for it to send its body; no other expectation is met (RFC 9110 section 10.1.1).

    aiohttp asks this before the middlewares, so the refusal is made here.
    """
    if request.headers["Expect"].lower() != "100-continue":
        content = {"error": "expectation_failed", "error_description": "only 100-continue can be expected"}
        return web.json_response(content, status=HTTPStatus.EXPECTATION_FAILED, headers=NO_STORE)
    if request.version >= HttpVersion11 and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return None


async def preflight(request: web.Request) -> web.Response:
    """Answer a CORS preflight (Fetch standard, section 3.3)."""
    asked = request.headers.get("Access-Control-Request-Headers", "")
    parameters = [name for name in (part.strip() for part in asked.split(",")) if _is_mcp_param(name)]
    allowed = ", ".join((_ALLOWED_HEADERS, *parameters))
    return web.Response(status=204, headers={**_PREFLIGHT, "Access-Control-Allow-Headers": allowed})


def _is_mcp_param(name: str) -> bool:
    """Tell an ``Mcp-Param-*`` header's name; the asterisk means nothing in the answer, so each is named."""
    return name.lower().startswith("mcp-param-") and name.replace("-", "").replace("_", "").isalnum() and name.isascii()
