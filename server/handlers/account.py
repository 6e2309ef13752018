"""/account: who I am, what I allowed, my password; behind sign-in."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web

from server import keys
from server.handlers import account_passkeys, cookies, csrf, pages, requests, sessions
from server.handlers.authorize import SIGN_IN
from server.handlers.errors import redirect
from server.handlers.limits import attempt
from server.identity import local, users
from server.identity.local import SignInError
from server.identity.model import Application, SignedIn
from server.identity.passwords import SHORTEST
from server.identity.users import LOCAL
from server.oauth import documents, remembered, scopes
from server.oauth.errors import PageError, TooManyRequests
from server.oauth.parameters import Parameters

REASON = "revoked by the user"

_NOTICES = {
    "revoked": "It is taken back: the application has no access any more.",
    "all-revoked": "All is taken back: no application has access any more.",
    "passkey-added": "The passkey is added. You can sign in with it from now on.",
    "password-removed": "Your password is removed: you sign in with a passkey from now on.",
    "passkey-removed": "The passkey is removed here: it signs nobody in any more. Delete it on your device as well.",
    "password": "Your password is changed, and you are signed out everywhere else.",
}
_METHODS = {
    "password": "by password",
    "invitation": "by invitation",
    "passkey": "by passkey",
    "oidc": "at your provider",
}


async def account(request: web.Request) -> web.StreamResponse:
    """Show whoever is signed in what is theirs, or lead to where to sign in."""
    if request.app[keys.SETTINGS].oauth_provider == "demo":
        return pages.render(request, "account_demo.html", {})
    found = await sessions.signed_in(request)
    if found is None:
        return redirect(request, SIGN_IN)
    return await page(request, found, notice=_NOTICES.get(request.query.get("notice", ""), ""))


async def revoke(request: web.Request) -> web.StreamResponse:
    """Take back what one application may do, or every one: consents, unused codes and grants."""
    params, found = await posted(request)
    if found is None:
        return redirect(request, SIGN_IN)
    ctx, user_id, client_id = requests.context(request), found.user.user_id, params.get("client_id")
    if params.get("all"):
        for one in await request.app[keys.STORE].list_applications(user_id, ctx.now):
            await remembered.forget_application(user_id, one.client_id, REASON, ctx)
        return redirect(request, f"{sessions.ACCOUNT}?notice=all-revoked")
    if client_id is None:
        raise PageError("This form cannot be read", "It names no application.", "Open your account page again.")
    await remembered.forget_application(user_id, client_id, REASON, ctx)
    return redirect(request, f"{sessions.ACCOUNT}?notice=revoked")


async def change_password(request: web.Request) -> web.StreamResponse:
    """Set another password, which signs this user out everywhere but here; here the session gets a new id."""
    params, found = await posted(request)
    if found is None:
        return redirect(request, SIGN_IN)
    current, new, again = (params.get(name) or "" for name in ("current", "new", "again"))
    if new != again:
        return await page(request, found, "The two new passwords differ.", HTTPStatus.BAD_REQUEST)
    app, ctx = request.app, requests.context(request)
    try:
        attempt(request, found.user.user_id)
        problem = await local.change_password(found.user, current, new, app[keys.STORE], app[keys.PASSWORDS], ctx)
    except SignInError as error:
        sessions.failed(request, error.reason, error.user_id)
        return await page(request, found, "That is not your current password.", HTTPStatus.FORBIDDEN)
    except TooManyRequests as error:
        problem = f"Too many attempts were made. Wait {error.wait} seconds, then try again."
        return await page(request, found, problem, HTTPStatus.TOO_MANY_REQUESTS)
    if problem is not None:
        return await page(request, found, problem, HTTPStatus.BAD_REQUEST)
    response = await sessions.sign_in(request, found.user, found.session.method)
    response.headers["Location"] = f"{sessions.ACCOUNT}?notice=password"
    return response


async def posted(request: web.Request) -> tuple[Parameters, SignedIn | None]:
    """Read a form of this page, and who posts it."""
    params = await requests.form(request)
    csrf.require(cookies.session_id(request), params, csrf.ACCOUNT)
    return params, await sessions.signed_in(request)


async def page(
    request: web.Request, found: SignedIn, problem: str = "", status: HTTPStatus = HTTPStatus.OK, notice: str = ""
) -> web.Response:
    """Show the page, and what was wrong with the last attempt."""
    store, now = request.app[keys.STORE], request.app[keys.CLOCK]()
    applications = await store.list_applications(found.user.user_id, now)
    content = {
        **await account_passkeys.section(request, found),
        "user": _described(found),
        "applications": [await _shown(request, one) for one in applications],
        "has_password": await _has_password(request, found),
        "shortest": SHORTEST,
        "csrf": csrf.token(cookies.session_id(request) or "", csrf.ACCOUNT),
        "problem": problem,
        "notice": notice,
    }
    return pages.render(request, "account.html", content, status)


async def _has_password(request: web.Request, found: SignedIn) -> bool:
    if found.user.issuer != LOCAL:
        return False
    account = await request.app[keys.STORE].get_account(found.user.user_id)
    return account is not None and account.password_hash is not None


def _described(found: SignedIn) -> dict[str, Any]:
    user, session = found.user, found.session
    return {
        "name": user.label,
        "username": users.username(user),
        "email": user.email,
        "signed_in": at(session.created_at),
        "method": _METHODS.get(session.method, ""),
        "address": session.address,
    }


async def _shown(request: web.Request, one: Application) -> dict[str, Any]:
    client = await request.app[keys.STORE].get_client(one.client_id)
    return {
        "client_id": one.client_id,
        "name": one.client_name or one.client_id,
        "host": documents.host(client) if client else None,
        "scopes": [{"name": scope, "description": scopes.describe(scope)} for scope in one.scopes],
        "grants": one.grants,
        "first": at(one.first_used_at),
        "last": None if one.last_used_at is None else at(one.last_used_at),
        "address": one.last_address,
    }


def at(time: int) -> str:
    """Write a time for a person; their browser is not asked where they are, so it is UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0")
