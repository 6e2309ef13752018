"""The forms by which somebody signs in with a passkey, adds one to their account, and removes one."""

import logging
from http import HTTPStatus

from aiohttp import web

from server import keys
from server.handlers import account, cookies, csrf, requests, sessions, signin
from server.handlers.account_passkeys import METHOD, by_passkey, is_recent
from server.handlers.authorize import SIGN_IN
from server.handlers.errors import redirect
from server.handlers.limits import attempt
from server.handlers.signin_more import ceremony
from server.identity import ceremonies
from server.identity.passkeys import Ceremony, PasskeyError
from server.oauth import tokens
from server.oauth.audit import Kind
from server.oauth.errors import PageError, TooManyRequests
from server.oauth.parameters import Parameters

log = logging.getLogger(__name__)

_NOT_KNOWN = "That passkey does not sign anybody in here. Try again, use another one, or type your password."
_NOT_ADDED = "That passkey could not be added. Try again, and if it stays so, try another device."
_LAST = "That is the only way in which you can sign in. Add another passkey first."
_BY_PASSKEY = "Sign in with a passkey first, so that it is certain that you can."
_AGAIN = "Sign in once more to add a passkey: your last sign-in lies too far back."


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Take what the page's script got from an authenticator, and sign in whoever it is."""
    params = await requests.form(request)
    browser = cookies.browser_id(request)
    csrf.require(browser, params, csrf.SIGN_IN)
    waiting = await sessions.waiting(request, params)
    asked, answer = _taken(request, params, browser)
    try:
        attempt(request, tokens.digest(answer))
        user = await ceremonies.authenticate(answer, asked, request.app[keys.STORE])
    except PasskeyError as error:
        sessions.failed(request, f"passkey: {error.reason}", error.user_id)
        return await signin.page(request, waiting, _NOT_KNOWN, HTTPStatus.FORBIDDEN)
    except TooManyRequests as error:
        return await signin.too_many(request, waiting, error)
    return await sessions.sign_in(request, user, METHOD, handle=waiting.handle if waiting else None)


async def add(request: web.Request) -> web.StreamResponse:
    """Take what the page's script got from an authenticator, and keep it as a passkey of whoever is signed in."""
    params, found = await account.posted(request)
    if found is None:
        return redirect(request, SIGN_IN)
    if not is_recent(request, found):
        return await account.page(request, found, _AGAIN, HTTPStatus.FORBIDDEN)
    asked, answer = _taken(request, params, cookies.session_id(request))
    try:
        await ceremonies.add(answer, params.get("name") or "", found.user, asked, request.app[keys.STORE])
    except PasskeyError as error:
        log.info("Passkey not added: %s (user %s)", error.reason, found.user.user_id)
        return await account.page(request, found, _NOT_ADDED, HTTPStatus.BAD_REQUEST)
    return redirect(request, f"{sessions.ACCOUNT}?notice=passkey-added")


async def remove(request: web.Request) -> web.StreamResponse:
    """Remove a passkey of whoever is signed in."""
    params, found = await account.posted(request)
    if found is None:
        return redirect(request, SIGN_IN)
    user_id, ctx = found.user.user_id, requests.context(request)
    event = ctx.event(Kind.PASSKEY_REMOVED, user_id=user_id)
    if not await request.app[keys.STORE].remove_passkey(user_id, params.get("credential_id") or "", event):
        return await account.page(request, found, _LAST, HTTPStatus.BAD_REQUEST)
    return redirect(request, f"{sessions.ACCOUNT}?notice=passkey-removed")


async def remove_password(request: web.Request) -> web.StreamResponse:
    """Let whoever signed in with a passkey just now do without a password."""
    _, found = await account.posted(request)
    if found is None:
        return redirect(request, SIGN_IN)
    event = requests.context(request).event(Kind.PASSWORD_REMOVED, user_id=found.user.user_id)
    if not by_passkey(request, found) or not await request.app[keys.STORE].remove_password(found.user.user_id, event):
        return await account.page(request, found, _BY_PASSKEY, HTTPStatus.FORBIDDEN)
    return redirect(request, f"{sessions.ACCOUNT}?notice=password-removed")


def _taken(request: web.Request, params: Parameters, cookie: str | None) -> tuple[Ceremony, str]:
    """Give what was asked for with, and what the authenticator said.

    Raises:
        PageError: There are no passkeys at this address, or the form came without the page's script.
    """
    asked, answer = ceremony(request, cookie or ""), params.get("credential")
    if asked is None or answer is None:
        raise PageError(
            "There is no passkey in this form",
            "It is filled in by the page's own script, which did not run, or there are no passkeys at this address.",
            "Go back, allow the page to run its script, or sign in with your password.",
        )
    return asked, answer
