"""The one mapping from an error's class to a status and to JSON, a redirect or a page."""

import errno
import logging
from collections.abc import Awaitable, Callable
from functools import singledispatch
from http import HTTPStatus

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from server import keys
from server.handlers import pages
from server.handlers.reasons import reason
from server.oauth import consent
from server.oauth.authorize import ADVICE
from server.oauth.errors import (
    InsufficientScope,
    InvalidToken,
    OAuthError,
    PageError,
    RedirectError,
    TemporarilyUnavailable,
    TooManyRequests,
)
from server.oauth.store import StoreUnavailable
from server.transport.refusals import NO_STORE, UNREAD

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

RETRY_AFTER = "5"
_SHOWN = 200  # characters of a path that the log shows

_PAGES = frozenset(
    {
        "/",
        "/account",
        "/authorize",
        "/invitation",
        "/oauth/authorize/approve",
        "/oauth/authorize/begin",
        "/oauth/authorize/page",
        "/oauth/azure/callback",
        "/oauth/callback",
        "/oauth/google/callback",
        "/signin",
        "/signout",
    }
)
_PAGES_BELOW = ("/account/", "/signin/", "/signout/")
_BUSY = PageError(
    "The server is busy",
    "It cannot read or write its data just now, and nothing was changed.",
    "Wait a moment, then reload this page.",
    status=503,
)
_LIMITED = PageError(
    "Too many requests",
    "More requests have come from your address than this server takes at once.",
    "Wait a moment, then reload this page.",
    status=429,
)
_BROKEN = PageError(
    "Something went wrong here", "The server failed; it is not your doing.", "Go back and try again.", status=500
)

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What the system has too little of for now: descriptors, memory."""

_RENAMED = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Request Entity Too Large"}
"""What Python 3.13 has another name for: clients read the same one, whatever the server runs on."""

log = logging.getLogger(__name__)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into the answer that the client can use."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - this is where every one of them ends
        if request.path == "/token":
            request.app[keys.METER].refused[reason(error)] += 1
        return answer(error, request)


@singledispatch
def answer(error: Exception, request: web.Request) -> web.StreamResponse:
    """Answer a failure of ours: the log says exactly what, the client only that."""
    log.error("%s %s failed", request.method, _path(request), exc_info=error)
    return _failure(request, _BROKEN, "server_error")


@answer.register
def _(error: RedirectError, request: web.Request) -> web.StreamResponse:
    log.info("Authorization refused: %s: %s", error.error.code, error.error.description)
    return redirect(request, consent.error_uri(error, request.app[keys.SETTINGS].issuer))


@answer.register
def _page(error: PageError, request: web.Request) -> web.StreamResponse:
    log.info("Page shown: %s: %s", error.status, error.message)
    content = {
        "title": error.title,
        "message": error.message,
        "advice": error.advice,
        "status": error.status,
        "request_id": request[keys.REQUEST_ID],
    }
    return pages.render(request, "error.html", content, error.status)


@answer.register
def oauth_error(error: OAuthError, request: web.Request) -> web.StreamResponse:
    """Answer as RFC 6749 section 5.2 has it, or with a page where a person is waiting."""
    why = "; ".join(filter(None, (error.description, error.detail)))
    log.info("%s refused: %s: %s", _path(request), error.code, why)
    if _is_page(request):
        return _page(PageError("This request cannot be served", f"{error.description}.", ADVICE), request)
    response = web.json_response(
        {"error": error.code, "error_description": error.description}, status=error.status, headers=NO_STORE
    )
    if error.status == HTTPStatus.UNAUTHORIZED and "Authorization" in request.headers:
        response.headers["WWW-Authenticate"] = f'Basic realm="{request.app[keys.SETTINGS].issuer}"'
    return response


@answer.register
def _(error: TemporarilyUnavailable, request: web.Request) -> web.StreamResponse:
    """Say that it may be tried again, and when (RFC 9110 section 10.2.3)."""
    response = oauth_error(error, request)
    if _is_page(request):
        said = f"{error.description[:1].upper()}{error.description[1:]}."
        response = _page(PageError(_BUSY.title, said, "Wait a moment, then try again.", status=503), request)
    response.headers["Retry-After"] = RETRY_AFTER
    return response


@answer.register(InsufficientScope)
@answer.register(InvalidToken)
def _(error: OAuthError, request: web.Request) -> web.StreamResponse:
    """Ask for a bearer token, or a better one, wherever but at the MCP endpoint (RFC 6750 section 3)."""
    response = oauth_error(error, request)
    challenge = f'Bearer realm="{request.app[keys.SETTINGS].issuer}"'
    if "Authorization" in request.headers:
        challenge += f', error="{error.code}", error_description="{error.description}"'
    response.headers["WWW-Authenticate"] = challenge
    return response


@answer.register
def _(error: TooManyRequests, request: web.Request) -> web.StreamResponse:
    """Say when to come back (RFC 6585 section 4)."""
    log.info("%s refused: %s", _path(request), error.description)
    response = _failure(request, _LIMITED, error.code)
    response.headers["Retry-After"] = str(error.wait)
    return response


@answer.register
def _(error: StoreUnavailable, request: web.Request) -> web.StreamResponse:
    log.error("The database is not available: %s", error)
    return _unavailable(request)


@answer.register
def _(error: OSError, request: web.Request) -> web.StreamResponse:
    """Let the client come back where the system has run out of something; any other failure is ours."""
    if error.errno not in _EXHAUSTED:
        return answer.dispatch(Exception)(error, request)
    log.error("The system has run out of something: %s", error)
    return _unavailable(request)


@answer.register
def _(error: web.HTTPException, request: web.Request) -> web.StreamResponse:
    """Keep aiohttp's own status, and the headers that go with it, under a body of ours."""
    phrase = _RENAMED.get(HTTPStatus(error.status)) or HTTPStatus(error.status).phrase
    kept = {name: value for name, value in error.headers.items() if name in {"Allow", "Retry-After"}}
    if _is_page(request) or "text/html" in request.headers.get("Accept", ""):
        page = PageError(phrase, f"The server answered: {phrase}.", "Check the address.", status=error.status)
        response = _page(page, request)
    else:
        content = {"error": phrase.lower().replace(" ", "_"), "error_description": phrase}
        response = web.json_response(content, status=error.status, headers=NO_STORE)
    response.headers.update(kept)
    if error.status in UNREAD:
        response.force_close()
    return response


@answer.register(HttpProcessingError)
@answer.register(web.RequestPayloadError)
def _(error: Exception, request: web.Request) -> web.StreamResponse:
    """Refuse a body whose encoding or framing is broken: that is the sender's fault (RFC 9110 section 15.5.1)."""
    log.info("%s %s could not be read: %s", request.method, _path(request), type(error).__name__)
    content = {"error": "invalid_request", "error_description": "the body could not be decoded"}
    return web.json_response(content, status=HTTPStatus.BAD_REQUEST, headers=NO_STORE)


def _is_page(request: web.Request) -> bool:
    """Tell whether a person is waiting for the answer."""
    return request.path in _PAGES or request.path.startswith(_PAGES_BELOW)


def _path(request: web.Request) -> str:
    """Give the path for the log as it was sent: decoded, it could begin a line of its own."""
    return request.rel_url.raw_path[:_SHOWN]


def redirect(request: web.Request, uri: str) -> web.Response:
    """Send the browser on: 302 after a GET, 303 after a POST, never 307 (RFC 9700 section 4.12)."""
    status = HTTPStatus.FOUND if request.method in {"GET", "HEAD"} else HTTPStatus.SEE_OTHER
    return web.Response(status=status, headers={"Location": uri, **NO_STORE})


def _unavailable(request: web.Request) -> web.StreamResponse:
    response = _failure(request, _BUSY, "temporarily_unavailable")
    response.headers["Retry-After"] = RETRY_AFTER
    return response


def _failure(request: web.Request, page: PageError, code: str) -> web.StreamResponse:
    if _is_page(request):
        return _page(page, request)
    content = {"error": code, "error_description": page.message, "request_id": request[keys.REQUEST_ID]}
    return web.json_response(content, status=page.status, headers=NO_STORE)
