"""Signing in at the provider: what is asked before the hop, and the hop."""

from aiohttp import web

from server import keys
from server.handlers import cookies, csrf, pages, requests, sessions
from server.handlers.authorize import PAGE, about, described
from server.handlers.errors import redirect as lead
from server.handlers.limits import hold
from server.handlers.sessions import everyone, visitor
from server.identity import Waiting
from server.identity.oidc import hop, logout
from server.identity.oidc.errors import UpstreamError
from server.identity.oidc.hop import Wish
from server.identity.oidc.model import APPROVAL_TTL, Approval
from server.oauth import consent, redirect, remembered, tokens
from server.oauth.errors import PageError

__all__ = ("challenge", "everyone", "go", "visitor")

GO = "/signin/provider"

LIMIT = "/authorize"
"""Whose limit holds here too: the provider has limits of its own on what is guessed."""


async def challenge(http: web.Request, waiting: Waiting | None) -> web.StreamResponse:
    """Lead to the provider for a client that this browser approved; ask before that for any other.

    Where the person comes to sign in, and not an application for them, they are asked as well: they may
    have just signed out.
    """
    browser = cookies.browser_id(http)
    if waiting is None or browser is None or http.path != PAGE:
        return _page(http, waiting, browser)
    approval = _approval(http, waiting, browser)
    if not await http.app[keys.STORE].has_approval(approval):
        return _page(http, waiting, browser)
    return await _hop(http, waiting, browser, None)


async def go(request: web.Request) -> web.StreamResponse:
    """Take the page's form: go on to the provider, or deny the client what it asks for."""
    params = await requests.form(request)
    browser = cookies.browser_id(request)
    csrf.require(browser, params, csrf.SIGN_IN)
    waiting = await sessions.waiting(request, params)
    if waiting and params.get("decision") == "deny":
        await consent.deny(waiting.request, waiting.client, None, requests.context(request))
    if params.get("decision") != "approve" or "decision" in params.repeated or browser is None:
        raise PageError("This answer cannot be read", "It is neither to go on nor to stop.", "Go back and choose one.")
    approval = _approval(request, waiting, browser) if waiting else None
    return await _hop(request, waiting, browser, approval, another=params.get("another") is not None)


def _approval(request: web.Request, waiting: Waiting, browser: str) -> Approval:
    now = request.app[keys.CLOCK]()
    return Approval(
        browser_digest=tokens.digest(browser),
        client_id=waiting.client.client_id,
        redirect_uri=redirect.without_loopback_port(waiting.request.redirect_uri),
        fingerprint=remembered.fingerprint(waiting.client),
        created_at=now,
        expires_at=now + APPROVAL_TTL,
    )


async def _hop(
    request: web.Request,
    waiting: Waiting | None,
    browser: str,
    approval: Approval | None,
    *,
    another: bool = False,
) -> web.Response:
    """Keep a sign-in under way, and lead to the provider."""
    hold(request, LIMIT)
    ctx, upstream = requests.context(request), request.app[keys.UPSTREAM]
    try:
        metadata = await upstream.metadata(ctx.now)
    except UpstreamError as error:
        error.waiting = waiting
        raise
    location, attempt = hop.make(
        metadata,
        upstream.registration,
        browser,
        waiting.handle if waiting else None,
        Wish.of(waiting.request if waiting else None, another=another),
        request.app[keys.SEALER],
        (ctx.entropy(32) for _ in range(3)),
        ctx.now,
    )
    await request.app[keys.STORE].add_attempt(attempt, approval)
    return lead(request, location)


def _page(request: web.Request, waiting: Waiting | None, browser: str | None) -> web.Response:
    """Ask whether to go on to the provider, naming the client that wants it."""
    browser = browser or request.app[keys.ENTROPY](32).hex()
    signed_out = logout.SIGNED_OUT in {request.query.get("notice"), request.query.get("state")}
    content = {
        "provider": request.app[keys.UPSTREAM].registration.title,
        "action": GO,
        "csrf": csrf.token(browser, csrf.SIGN_IN),
        "waiting": waiting is not None,
        "handle": waiting.handle if waiting else "",
        "another": request.path != PAGE,
        "notice": "You are signed out." if signed_out else "",
    }
    if waiting:
        content |= about(waiting.request, waiting.client)
        content["scopes"] = [described(scope, request.app[keys.SETTINGS]) for scope in waiting.request.scopes]
    response = pages.render(request, "provider.html", content)
    cookies.set_browser(request, response, browser)
    return response
