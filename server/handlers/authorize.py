"""GET and POST /authorize, the consent page and its form."""

import logging
from functools import partial
from typing import Any
from urllib.parse import quote_plus

from aiohttp import web

from server import keys
from server.handlers import cookies, pages, requests
from server.handlers.errors import redirect
from server.identity import Waiting
from server.oauth import authorize as endpoint
from server.oauth import consent, documents, remembered, scopes, tokens
from server.oauth.authorize import ADVICE
from server.oauth.errors import PageError
from server.oauth.model import AuthorizationRequest, Client, Visitor
from server.oauth.parameters import Parameters
from server.oauth.redirect import destination, is_on_loopback
from server.settings import Settings

SIGN_IN = "/signin"
PAGE = "/oauth/authorize/page"
FORM = "/oauth/authorize/approve"

log = logging.getLogger(__name__)


async def authorize(request: web.Request) -> web.Response:
    """Check an authorization request, keep it, and lead to the page."""
    params = await requests.form(request) if request.method == "POST" else requests.query(request)
    ctx = requests.context(request)
    browser = cookies.browser_id(request) or ctx.entropy(32).hex()
    who = partial(request.app[keys.IDENTITY].visitor, request)
    return _lead_to_page(request, await endpoint.begin(params, browser, ctx, who), browser)


async def begin(request: web.Request) -> web.Response:
    """Open a request that another server checked and kept; the first browser to come owns it."""
    handle = _handle(requests.query(request))
    ctx = requests.context(request)
    browser = cookies.browser_id(request) or ctx.entropy(32).hex()
    await consent.open_first(handle, browser, ctx)
    return _lead_to_page(request, handle, browser)


async def page(request: web.Request) -> web.StreamResponse:
    """Show who asks for what, once somebody is signed in; or lead straight back, where that was allowed before."""
    handle = _handle(requests.query(request))
    ctx = requests.context(request)
    identity = request.app[keys.IDENTITY]
    waiting, client = await consent.pending(handle, cookies.browser_id(request), ctx, identity.everyone)
    visitor = await identity.visitor(request, waiting)
    if visitor is None:
        remembered.require_somebody(waiting)
        return await identity.challenge(request, Waiting(handle, waiting, client))
    allowed = await remembered.allowed_before(waiting, client, visitor, ctx)
    code = await consent.answered_before(waiting, visitor, allowed, ctx)
    if code is not None:
        return _lead_back(request, waiting, code)
    content = _content(waiting, client, allowed, ctx.settings)
    shown = {"user": _named(visitor, handle), "handle": handle, "seen": _seen(visitor, handle), "action": FORM}
    return pages.render(request, "consent.html", {**content, **shown})


async def decide(request: web.Request) -> web.Response:
    """Take the user's decision and lead back to the client."""
    params = await requests.form(request)
    ctx = requests.context(request)
    handle = _handle(params)
    waiting, client = await consent.pending(handle, cookies.browser_id(request), ctx)
    visitor = await request.app[keys.IDENTITY].visitor(request, waiting)
    if params.get("decision") == "deny":
        await consent.deny(waiting, client, visitor, ctx)
    if visitor is None:
        raise PageError("You are not signed in", "Only somebody who is signed in can allow this.", ADVICE, status=403)
    if params.get("decision") != "approve" or "decision" in params.repeated:
        raise PageError("This answer cannot be read", "It is neither approval nor denial.", "Go back and choose one.")
    if params.get("seen") not in {None, _seen(visitor, handle)}:
        return _to_page(request, handle)
    return _lead_back(request, waiting, await consent.approve(waiting, client, params.all("scope"), visitor, ctx))


def _seen(visitor: Visitor, handle: str) -> str:
    """Give what a page's form sends back, by which it is known whom the page named: another may be signed in since."""
    return tokens.digest(f"{handle} {visitor.user.user_id}") if visitor.signed_in else ""


def _lead_back(request: web.Request, waiting: AuthorizationRequest, code: str) -> web.Response:
    log.info("Generated authorization code for client: %s", waiting.client_id)
    return redirect(request, consent.success_uri(waiting, code, request.app[keys.SETTINGS].issuer))


def _content(
    waiting: AuthorizationRequest, client: Client, allowed: tuple[str, ...], settings: Settings
) -> dict[str, Any]:
    """Put together what the page shows; its form carries nothing that decides."""
    asked, kept = remembered.divide(waiting, allowed)
    return {
        **about(waiting, client),
        "scopes": [described(scope, settings) for scope in asked],
        "kept": [described(scope, settings) for scope in kept],
    }


def _named(visitor: Visitor, handle: str) -> dict[str, Any]:
    """Give what the page says about who is signed in; the address tells two accounts of one name apart."""
    user = visitor.user
    return {
        "name": user.label,
        "email": user.email if user.email != user.label else None,
        "demo": not visitor.signed_in,
        "switch": f"{SIGN_IN}?request={quote_plus(handle)}" if visitor.signed_in else None,
    }


def about(waiting: AuthorizationRequest, client: Client) -> dict[str, Any]:
    """Give what a page says about who asks, and where the answer goes."""
    return {
        "client_name": client.client_name or client.client_id,
        "client_id": client.client_id,
        "verified": client.document is not None or client.created_by == "operator",
        "client_host": documents.host(client),
        "redirect_host": destination(waiting.redirect_uri),
        "loopback_only": all(is_on_loopback(uri) for uri in client.redirect_uris),
    }


def described(scope: str, settings: Settings) -> dict[str, Any]:
    """Give what a page says about a scope."""
    implied = scopes.with_implied([scope], settings) - {scope}
    return {
        "name": scope,
        "description": scopes.describe(scope),
        "implied": [scopes.describe(name) for name in settings.oauth_valid_scopes if name in implied],
    }


def _to_page(request: web.Request, handle: str) -> web.Response:
    return redirect(request, f"{PAGE}?request={quote_plus(handle)}")


def _lead_to_page(request: web.Request, handle: str, browser: str) -> web.Response:
    response = _to_page(request, handle)
    cookies.set_browser(request, response, browser)
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
