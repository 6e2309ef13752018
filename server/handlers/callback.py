"""The way back from the provider: its answer, taken once; who signed in; or a page that says why nobody did."""

import logging
from contextlib import suppress
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlencode

from aiohttp import web

from server import keys
from server.handlers import cookies, csrf, pages, requests, sessions
from server.handlers.authorize import SIGN_IN
from server.handlers.errors import answer
from server.identity import Waiting, users
from server.identity.allowed import is_allowed
from server.identity.oidc import answer as answers
from server.identity.oidc import logout
from server.identity.oidc.errors import KINDS, Disabled, NotAllowed, StateError, UpstreamError
from server.identity.oidc.hop import Hop
from server.identity.oidc.upstream import SignedIn
from server.oauth import consent
from server.oauth.audit import Kind
from server.oauth.authorize import ADVICE
from server.oauth.errors import PageError
from server.oauth.model import User
from server.oauth.parameters import Parameters
from server.oauth.redirect import destination
from server.oauth.remote import FAILURE_TTL

CALLBACKS = ("/oauth/callback", "/oauth/google/callback", "/oauth/azure/callback")
"""Any of them will do: the provider leads back to the one that it was given."""

LEAVE = "/signin/provider/failed"

log = logging.getLogger(__name__)


async def callback(request: web.Request) -> web.StreamResponse:
    """Take the provider's answer, once, and sign in whom it names."""
    app, ctx = request.app, requests.context(request)
    params, registration = requests.query(request), app[keys.UPSTREAM].registration
    browser = cookies.browser_id(request)
    hop = await answers.take(params, browser, registration, app[keys.STORE], app[keys.SEALER], ctx.now)
    try:
        signed_in = await _identify(request, params, hop)
        user = await _known(request, signed_in)
    except UpstreamError as error:
        error.waiting = await _still_waiting(request, hop)
        raise
    sealed = logout.remember(signed_in.id_token, registration, app[keys.SEALER])
    return await sessions.sign_in(request, user, "oidc", handle=hop.handle, upstream=sealed)


async def _identify(request: web.Request, params: Parameters, hop: Hop) -> SignedIn:
    upstream, now = request.app[keys.UPSTREAM], request.app[keys.CLOCK]()
    code = answers.code(params, await upstream.metadata(now))
    needed = bool(request.app[keys.SETTINGS].oauth_allowed_users)
    return await upstream.sign_in(code, hop, now, email_needed=needed)


async def _known(request: web.Request, signed_in: SignedIn) -> User:
    """Give the user's row, made at their first sign-in; of those who may not sign in nothing is kept."""
    person, ctx = signed_in.person, requests.context(request)
    user = User(users.new_id(ctx.entropy), person.issuer, person.subject, person.name, person.email)
    if not is_allowed(user, ctx.settings):
        known = f"{person.subject!r} of {person.issuer}, without an address that is vouched for,"
        raise NotAllowed(f"{person.email or known} is not among OAUTH_ALLOWED_USERS", user.label)
    new = ctx.event(Kind.USER_ADDED, user_id=user.user_id, detail="oidc")
    kept = await request.app[keys.STORE].keep_user(user, ctx.now, new)
    if kept.disabled_at is not None:
        raise Disabled(f"the user {kept.user_id} is disabled", kept.label)
    return kept


async def _still_waiting(request: web.Request, hop: Hop) -> Waiting | None:
    """Find the authorization request that a failed sign-in was for, unless it is over by now."""
    if hop.handle is None:
        return None
    with suppress(PageError):
        found = await consent.pending(hop.handle, cookies.browser_id(request), requests.context(request))
        return Waiting(hop.handle, *found)
    return None


@answer.register
def _(error: UpstreamError, request: web.Request) -> web.StreamResponse:
    """Say what happened and what to do; a button takes the right error back to the client."""
    waiting = error.waiting
    client_id = waiting.client.client_id if waiting else None
    level = logging.WARNING if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    log.log(level, "Sign-in failed: %s", error.detail)
    event = requests.context(request).event(Kind.SIGN_IN_FAILED, client_id=client_id, detail=type(error).__name__)
    request.app[keys.RECORDER].offer(event)
    title = request.app[keys.UPSTREAM].registration.title
    content = {
        **{name: _filled(getattr(error, name), title, error.who) for name in ("title", "message", "advice")},
        "status": error.status,
        "request_id": request[keys.REQUEST_ID],
        "again": "" if isinstance(error, StateError) else _again(waiting),
        "waiting": waiting is not None,
        **(_way_back(error, waiting, request) if waiting else {}),
    }
    response = pages.render(request, "failure.html", content, error.status)
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(FAILURE_TTL)
    return response


def _filled(text: str, provider: str, who: str) -> str:
    return text.replace("{provider}", provider).replace("{who}", who)


def _again(waiting: Waiting | None) -> str:
    return SIGN_IN if waiting is None else f"{SIGN_IN}?{urlencode({'request': waiting.handle})}"


def _way_back(error: UpstreamError, waiting: Waiting, request: web.Request) -> dict[str, str]:
    return {
        "action": LEAVE,
        "csrf": csrf.token(cookies.browser_id(request) or "", csrf.SIGN_IN),
        "handle": waiting.handle,
        "because": type(error).__name__,
        "back_to": destination(waiting.request.redirect_uri),
    }


async def leave(request: web.Request) -> NoReturn:
    """Take the button of a failure's page: tell the client why nobody signed in (RFC 6749 section 4.1.2.1)."""
    params = await requests.form(request)
    csrf.require(cookies.browser_id(request), params, csrf.SIGN_IN)
    waiting = await sessions.waiting(request, params)
    kind = KINDS.get(params.get("because") or "")
    if waiting is None or kind is None:
        raise PageError("This answer cannot be read", "It does not say what it is about.", ADVICE)
    await consent.leave(waiting.request, kind.error(kind.description), requests.context(request))
