"""Who is signed in in a browser: the session's cookie, signing in, and signing out."""

import logging
from contextlib import suppress
from urllib.parse import urlencode

from aiohttp import web

from server import keys
from server.handlers import cookies, pages, requests
from server.handlers.authorize import FORM, PAGE, SIGN_IN
from server.handlers.errors import answer, redirect
from server.identity import Waiting, sessions
from server.identity.allowed import is_allowed
from server.identity.model import Session, SignedIn
from server.identity.oidc import logout
from server.identity.oidc.errors import UpstreamError
from server.identity.users import LOCAL
from server.oauth import consent, tokens
from server.oauth.audit import Kind
from server.oauth.errors import PageError
from server.oauth.model import AuthorizationRequest, User, Visitor
from server.oauth.parameters import Parameters
from server.oauth.store import StoreUnavailable

ACCOUNT = "/account"

everyone: User | None = None
"""Nobody in particular: people sign in."""

log = logging.getLogger(__name__)


class RefusedError(PageError):
    """Somebody proved who they are, but may not sign in."""

    def __init__(self, title: str, message: str, advice: str, handle: str | None) -> None:
        """Say why, and for which authorization request they wanted to, if for any."""
        super().__init__(title, message, advice, status=403)
        self.handle = handle


async def signed_in(request: web.Request) -> SignedIn | None:
    """Give who is signed in in this browser: a live session of a user who is neither disabled nor shut out."""
    value = cookies.session_id(request)
    if value is None:
        return None
    store, now, settings = request.app[keys.STORE], request.app[keys.CLOCK](), request.app[keys.SETTINGS]
    found = await store.get_session(tokens.digest(value), now)
    if found is None or not _belongs(found, request.app) or not is_allowed(found.user, settings):
        return None
    if now - found.session.last_used_at >= sessions.TOUCH:
        with suppress(StoreUnavailable):  # what is only read does not wait for what cannot be written
            await store.touch_session(found.session.session_digest, now)
    return found


async def visitor(http: web.Request, asked: AuthorizationRequest) -> Visitor | None:
    """Give who decides about an authorization request: whoever is signed in, if that will do for it."""
    found = await signed_in(http)
    if found is None or not sessions.answers(found.session, asked, http.app[keys.CLOCK]()):
        return None
    return Visitor(found.user, signed_in=True, authenticated_at=found.session.created_at)


async def sign_in(
    request: web.Request, user: User, method: str, *, handle: str | None = None, upstream: str | None = None
) -> web.Response:
    """Sign a user in: a session with a new id, in the place of the one that this browser had.

    Args:
        request: The request that proved who they are.
        user: Who they are, as the store has them.
        method: How they proved it.
        handle: The authorization request that waits for it, bound to this browser.
        upstream: What the provider has to remember with the session, sealed.

    Returns:
        The way back to that request's page, or to the person's own account, with the cookie.

    Raises:
        RefusedError: They are disabled, or may not sign in here.
    """
    ctx = requests.context(request)
    if not is_allowed(user, ctx.settings):
        failed(request, "not among OAUTH_ALLOWED_USERS", user.user_id)
        raise _not_allowed(user, handle)
    value = ctx.entropy(32).hex()
    former, waiting = (
        None if secret is None else tokens.digest(secret) for secret in (cookies.session_id(request), handle)
    )
    session = sessions.new(value, user.user_id, method, ctx, upstream)
    event = ctx.event(Kind.SIGNED_IN, user_id=user.user_id, detail=method)
    if not await request.app[keys.STORE].start_session(session, former, waiting, ctx.now, event):
        failed(request, "the account is disabled or gone", user.user_id)
        raise RefusedError(
            "This account is closed",
            "It was disabled or removed by those who run this server.",
            "Ask them, if you did not expect this.",
            handle,
        )
    log.info("Signed in: user %s by %s", user.user_id, method)
    response = go_on(request, handle)
    cookies.set_session(request, response, value)
    return response


async def waiting(request: web.Request, params: Parameters) -> Waiting | None:
    """Give the authorization request that a form or query names, if it names one.

    Raises:
        PageError: It does not wait in this browser.
    """
    handle = params.get("request")
    if handle is None:
        return None
    return Waiting(handle, *await consent.pending(handle, cookies.browser_id(request), requests.context(request)))


def go_on(request: web.Request, handle: str | None) -> web.Response:
    """Lead to where somebody who is signed in wanted to go."""
    return redirect(request, ACCOUNT if handle is None else f"{PAGE}?{urlencode({'request': handle})}")


def failed(request: web.Request, reason: str, user_id: str | None = None) -> None:
    """Note that somebody was not signed in, and exactly why; never what they typed."""
    log.info("Sign-in failed: %s (user %s)", reason, user_id or "unknown")
    event = requests.context(request).event(Kind.SIGN_IN_FAILED, user_id=user_id, detail=reason)
    request.app[keys.RECORDER].offer(event)


async def sign_out(request: web.Request, found: SignedIn) -> web.Response:
    """End a browser's session, and lead to where that is said."""
    event = requests.context(request).event(Kind.SIGNED_OUT, user_id=found.user.user_id)
    await request.app[keys.STORE].end_session(found.session.session_digest, event)
    response = redirect(request, await after_sign_out(request, found.session))
    cookies.drop_session(request, response)
    return response


async def sign_out_everywhere(request: web.Request, found: SignedIn) -> web.Response:
    """End every session of a user, this one too, and lead to where that is said."""
    event = requests.context(request).event(Kind.SESSIONS_ENDED, user_id=found.user.user_id)
    await request.app[keys.STORE].end_sessions(found.user.user_id, None, event)
    response = redirect(request, await after_sign_out(request, found.session))
    cookies.drop_session(request, response)
    return response


async def after_sign_out(request: web.Request, session: Session) -> str:
    """Say where to go after signing out here: to the provider, if that can end its session too."""
    address = None
    if keys.UPSTREAM in request.app:
        upstream, now = request.app[keys.UPSTREAM], request.app[keys.CLOCK]()
        with suppress(UpstreamError):  # it cannot be asked; here at least they are signed out
            metadata = await upstream.metadata(now)
            address = logout.address(session.upstream, metadata, upstream.registration, request.app[keys.SEALER])
    return address or f"{SIGN_IN}?notice={logout.SIGNED_OUT}"


def _belongs(found: SignedIn, app: web.Application) -> bool:
    """Tell whether somebody signed in as the settings have it now, and not as they had it before."""
    if keys.UPSTREAM in app:
        return logout.belongs(found.session.upstream, app[keys.UPSTREAM].registration, app[keys.SEALER])
    return found.user.issuer == LOCAL


def _not_allowed(user: User, handle: str | None) -> RefusedError:
    known = f"You signed in as {user.email}, " if user.email else f"You signed in as {user.label}, without an address, "
    return RefusedError(
        "You may not use this server",
        known + "and only some people may: those who run it keep a list of addresses. Nothing was given to any app.",
        "Ask those who run this server to add your address, or use another account.",
        handle,
    )


@answer.register
def _(error: RefusedError, request: web.Request) -> web.StreamResponse:
    """Say why, and offer another account, or the way back to the application, which is told ``access_denied``."""
    content = {
        **{name: getattr(error, name) for name in ("title", "message", "advice", "status", "handle")},
        "request_id": request[keys.REQUEST_ID],
        "again": SIGN_IN if error.handle is None else f"{SIGN_IN}?{urlencode({'request': error.handle})}",
        "deny": FORM,
    }
    return pages.render(request, "refused.html", content, error.status)
