"""/invitation: the one-time link by which somebody sets the password of a local account."""

from http import HTTPStatus

from aiohttp import web

from server import keys
from server.handlers import cookies, csrf, pages, requests, sessions
from server.handlers.limits import attempt
from server.identity import local
from server.identity.passwords import SHORTEST
from server.oauth.errors import PageError
from server.oauth.model import User
from server.oauth.parameters import Parameters

PATH = "/invitation"


async def show(request: web.Request) -> web.Response:
    """Show the form. Opening the link uses nothing up: programs open links too."""
    token, user = await _invited(request, requests.query(request))
    return _page(request, token, user)


async def accept(request: web.Request) -> web.Response:
    """Take the form: set the password, and sign in."""
    params = await requests.form(request)
    csrf.require(cookies.browser_id(request), params, csrf.SIGN_IN)
    token, user = await _invited(request, params)
    password = params.get("password") or ""
    if password != (params.get("again") or ""):
        return _page(request, token, user, "The two passwords differ.")
    attempt(request, user.user_id)
    app, ctx = request.app, requests.context(request)
    problem = await local.accept(token, user, password, app[keys.STORE], app[keys.PASSWORDS], ctx)
    if problem is not None:
        return _page(request, token, user, problem)
    return await sessions.sign_in(request, user, "invitation")


async def _invited(request: web.Request, params: Parameters) -> tuple[str, User]:
    token = params.get("token") or ""
    user = await local.invited(token, request.app[keys.STORE], request.app[keys.CLOCK]())
    if user is None:
        raise PageError(
            "This link is over",
            "It was used, replaced by a newer one, or is older than seven days.",
            "If you have set a password, sign in with it. Otherwise ask those who run this server for a new link.",
        )
    return token, user


def _page(request: web.Request, token: str, user: User, problem: str = "") -> web.Response:
    browser = cookies.browser_id(request) or request.app[keys.ENTROPY](32).hex()
    content = {
        "username": user.subject,
        "person": user.label,
        "shortest": SHORTEST,
        "token": token,
        "csrf": csrf.token(browser, csrf.SIGN_IN),
        "action": PATH,
        "problem": problem,
    }
    status = HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK
    response = pages.render(request, "invitation.html", content, status)
    cookies.set_browser(request, response, browser)
    return response
