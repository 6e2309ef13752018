"""GET and POST /authorize, the consent page and its form."""

import logging
import re
from urllib.parse import urlencode

from aiohttp import web

from server import keys
from server.handlers import pages, requests
from server.handlers.errors import redirect
from server.identity import demo
from server.oauth import authorize as endpoint
from server.oauth import consent, scopes
from server.oauth.authorize import ADVICE
from server.oauth.errors import PageError
from server.oauth.parameters import Parameters
from server.oauth.redirect import destination, is_on_loopback

PAGE = "/oauth/authorize/page"
FORM = "/oauth/authorize/approve"

_BROWSER_ID = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger(__name__)


async def authorize(request: web.Request) -> web.Response:
    """Check an authorization request, keep it, and lead to the page."""
    params = await requests.form(request) if request.method == "POST" else requests.query(request)
    ctx = requests.context(request)
    browser = _browser(request) or ctx.entropy(32).hex()
    return _lead_to_page(request, await endpoint.begin(params, browser, ctx), browser)


async def begin(request: web.Request) -> web.Response:
    """Open a request that another server checked and kept; the first browser to come owns it."""
    handle = _handle(requests.query(request))
    ctx = requests.context(request)
    browser = _browser(request) or ctx.entropy(32).hex()
    await consent.open_first(handle, browser, ctx)
    return _lead_to_page(request, handle, browser)


async def page(request: web.Request) -> web.Response:
    """Show who asks for what."""
    handle = _handle(requests.query(request))
    waiting, client = await consent.pending(handle, _browser(request), requests.context(request))
    content = {
        "client_name": client.client_name or client.client_id,
        "client_id": client.client_id,
        "verified": False,
        "redirect_host": destination(waiting.redirect_uri),
        "loopback_only": all(is_on_loopback(uri) for uri in client.redirect_uris),
        "scopes": [{"name": scope, "description": scopes.describe(scope)} for scope in waiting.scopes],
        "user": {"name": demo.USER.name, "demo": True},
        "handle": handle,
        "action": FORM,
    }
    return pages.render(request, "consent.html", content)


async def decide(request: web.Request) -> web.Response:
    """Take the user's decision and lead back to the client."""
    params = await requests.form(request)
    ctx = requests.context(request)
    waiting, client = await consent.pending(_handle(params), _browser(request), ctx)
    if params.get("decision") == "deny":
        await consent.deny(waiting, ctx)
    if params.get("decision") != "approve" or "decision" in params.repeated:
        raise PageError("This answer cannot be read", "It is neither approval nor denial.", "Go back and choose one.")
    code = await consent.approve(waiting, params.all("scope"), demo.USER, ctx)
    log.info("Generated authorization code for client: %s", client.client_id)
    return redirect(request, consent.success_uri(waiting, code, ctx.settings.issuer))


def _lead_to_page(request: web.Request, handle: str, browser: str) -> web.Response:
    response = redirect(request, f"{PAGE}?{urlencode({'request': handle})}")
    secure = request.app[keys.SETTINGS].secure
    response.set_cookie(_cookie(request), browser, secure=secure, httponly=True, samesite="Lax", path="/")
    return response


def _handle(params: Parameters) -> str:
    handle = params.get("request")
    if handle is None or "request" in params.repeated:
        raise PageError(
            "This page cannot be opened by itself",
            "It shows a request for access, and this address names none; an app starts one at /authorize.",
            ADVICE,
        )
    return handle


def _cookie(request: web.Request) -> str:
    """Name the browser's cookie; ``__Host-`` binds it to this very host (RFC 6265bis section 4.1.3.2)."""
    return "__Host-att_browser" if request.app[keys.SETTINGS].secure else "att_browser"


def _browser(request: web.Request) -> str | None:
    value = request.cookies.get(_cookie(request), "")
    return value if _BROWSER_ID.fullmatch(value) else None
