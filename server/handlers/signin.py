"""``OAUTH_PROVIDER=local``: the page where somebody signs in, its form, and signing out."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from server import keys
from server.handlers import cookies, csrf, pages, requests, sessions
from server.handlers.authorize import FORM, SIGN_IN
from server.handlers.limits import attempt
from server.handlers.sessions import everyone, visitor
from server.handlers.signin_more import more
from server.identity import Waiting, local, users
from server.identity.local import SignInError
from server.identity.sessions import may_be_chosen
from server.oauth import tokens
from server.oauth.errors import TooManyRequests

__all__ = ("challenge", "everyone", "show", "sign_in", "sign_out", "sign_out_everywhere", "visitor")

_NOTICES = {"signed-out": "You are signed out."}
_WRONG = "That is not a username with its password. Check both, capitals too, and try again."


async def challenge(http: web.Request, waiting: Waiting | None) -> web.Response:
    """Show the form."""
    return await page(http, waiting)


async def show(request: web.Request) -> web.StreamResponse:
    """Show where to sign in, for an authorization request that waits or for the person's own account."""
    return await request.app[keys.IDENTITY].challenge(request, await sessions.waiting(request, requests.query(request)))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Take the form: a username and a password, or the wish to go on as who is signed in."""
    params = await requests.form(request)
    csrf.require(cookies.browser_id(request), params, csrf.SIGN_IN)
    waiting = await sessions.waiting(request, params)
    if params.get("as"):
        return await _go_on_as_before(request, waiting)
    username, password = params.get("username"), params.get("password")
    if username is None or password is None:
        return await page(request, waiting, "Type your username and your password.", HTTPStatus.BAD_REQUEST)
    try:
        attempt(request, tokens.digest(users.normal(username)))
        app = request.app
        user = await local.authenticate(username, password, app[keys.STORE], app[keys.PASSWORDS])
    except SignInError as error:
        sessions.failed(request, error.reason, error.user_id)
        return await page(request, waiting, _WRONG, HTTPStatus.FORBIDDEN)
    except TooManyRequests as error:
        return await too_many(request, waiting, error)
    return await sessions.sign_in(request, user, "password", handle=waiting.handle if waiting else None)


async def sign_out(request: web.Request) -> web.Response:
    """Take the form that ends this browser's session."""
    params = await requests.form(request)
    csrf.require(cookies.session_id(request), params, csrf.ACCOUNT)
    found = await sessions.signed_in(request)
    return await sessions.sign_out(request, found) if found else sessions.go_on(request, None)


async def sign_out_everywhere(request: web.Request) -> web.Response:
    """Take the form that ends every session of whoever is signed in."""
    params = await requests.form(request)
    csrf.require(cookies.session_id(request), params, csrf.ACCOUNT)
    found = await sessions.signed_in(request)
    return await sessions.sign_out_everywhere(request, found) if found else sessions.go_on(request, None)


async def _go_on_as_before(request: web.Request, waiting: Waiting | None) -> web.StreamResponse:
    """Let whoever is signed in be the one who answers, if the request takes such an old sign-in."""
    found, ctx = await sessions.signed_in(request), requests.context(request)
    if found is None or (waiting and not may_be_chosen(found.session, waiting.request, ctx.now)):
        return await page(request, waiting, "Sign in once more.", HTTPStatus.FORBIDDEN)
    if waiting is None:
        return sessions.go_on(request, None)
    chosen = found.session.session_digest
    await request.app[keys.STORE].choose_session(chosen, tokens.digest(waiting.handle), ctx.now)
    return sessions.go_on(request, waiting.handle)


async def too_many(request: web.Request, waiting: Waiting | None, error: TooManyRequests) -> web.Response:
    """Show the page to somebody who has tried too often."""
    problem = f"Too many attempts were made. Wait {error.wait} seconds, then try again."
    response = await page(request, waiting, problem, HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(error.wait)
    return response


async def page(
    request: web.Request, waiting: Waiting | None, problem: str = "", status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    """Show where to sign in, and what was wrong with the last attempt."""
    browser = cookies.browser_id(request) or request.app[keys.ENTROPY](32).hex()
    content = {
        **await _content(request, waiting),
        **await more(request, browser),
        "csrf": csrf.token(browser, csrf.SIGN_IN),
        "problem": problem,
        "notice": _NOTICES.get(request.query.get("notice", ""), ""),
    }
    response = pages.render(request, "signin.html", content, status)
    cookies.set_browser(request, response, browser)
    return response


async def _content(request: web.Request, waiting: Waiting | None) -> dict[str, Any]:
    found, now = await sessions.signed_in(request), request.app[keys.CLOCK]()
    if found and waiting and not may_be_chosen(found.session, waiting.request, now):
        found = None
    return {
        "action": SIGN_IN,
        "deny": FORM,
        "waiting": waiting is not None,
        "handle": waiting.handle if waiting else "",
        "client_name": (waiting.client.client_name or waiting.client.client_id) if waiting else "",
        "hint": (waiting.request.login_hint if waiting else None) or "",
        "signed_in_as": found.user.label if found else None,
    }
