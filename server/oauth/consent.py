"""The user's decision about an authorization request, and the way back to the client (RFC 6749 section 4.1.2)."""

from typing import NoReturn

from server.oauth import redirect, tokens
from server.oauth.authorize import ADVICE
from server.oauth.context import Context
from server.oauth.errors import AccessDenied, PageError, RedirectError
from server.oauth.model import UNOPENED, AuthorizationCode, AuthorizationRequest, Client, User


async def open_first(handle: str, browser: str, ctx: Context) -> None:
    """Bind a request that no browser has opened yet to the first one that does; any other stays as it is.

    Args:
        handle: The request's handle.
        browser: The random id that the browser's cookie has, or will have.
        ctx: The request's context.
    """
    request = await ctx.store.get_authorization_request(tokens.digest(handle))
    if request is not None and request.browser_digest == UNOPENED:
        await ctx.store.open_authorization_request(request.handle_digest, tokens.digest(browser), ctx.now)


async def pending(handle: str, browser: str | None, ctx: Context) -> tuple[AuthorizationRequest, Client]:
    """Give the request that waits under a handle, and its client, to the browser that began it.

    Raises:
        PageError: There is no such request, it is over, or another browser began it.
    """
    request = await ctx.store.get_authorization_request(tokens.digest(handle))
    if request is None or request.expires_at <= ctx.now:
        raise PageError("This page has expired", "A request for access waits ten minutes and no longer.", ADVICE)
    if request.decided_at is not None:
        raise PageError("You have already answered", "This request for access was approved or denied before.", ADVICE)
    if browser is None or tokens.digest(browser) != request.browser_digest:
        raise PageError(
            "This page belongs to another browser",
            "The request for access was started in another browser, or this one did not keep its cookie.",
            "Allow cookies for this site, then " + ADVICE[0].lower() + ADVICE[1:],
        )
    client = await ctx.store.get_client(request.client_id)
    if client is None:
        raise PageError("This app is not known here", "Its registration was removed meanwhile.", ADVICE)
    return request, client


async def approve(request: AuthorizationRequest, kept: tuple[str, ...], user: User, ctx: Context) -> str:
    """Approve a request for the scopes that the user kept.

    Args:
        request: The pending request.
        kept: Scopes from the form; those that were not asked for count for nothing.
        user: Who approves.
        ctx: The request's context.

    Returns:
        The authorization code, to be stored by nobody (RFC 6749 section 4.1.2).

    Raises:
        RedirectError: Every scope was unticked, which is a denial.
        PageError: The request was decided meanwhile.
    """
    granted = tuple(scope for scope in request.scopes if scope in kept)
    if not granted:
        await deny(request, ctx)
    code = tokens.make(tokens.CODE, ctx.entropy)
    stored = AuthorizationCode(
        code_digest=tokens.digest(code),
        hint=tokens.hint(code),
        client_id=request.client_id,
        user_id=user.user_id,
        redirect_uri=request.redirect_uri,
        scopes=granted,
        audience=request.audience,
        code_challenge=request.code_challenge,
        created_at=ctx.now,
        expires_at=ctx.now + ctx.settings.oauth_auth_code_ttl,
    )
    if not await ctx.store.approve_authorization_request(request.handle_digest, user, stored, ctx.now):
        raise _decided_meanwhile()
    return code


async def deny(request: AuthorizationRequest, ctx: Context) -> NoReturn:
    """Deny a request.

    Raises:
        RedirectError: Always when it was still pending: the client is told ``access_denied``.
        PageError: It was decided meanwhile.
    """
    if not await ctx.store.deny_authorization_request(request.handle_digest, ctx.now):
        raise _decided_meanwhile()
    raise RedirectError(AccessDenied("the user did not grant access"), request.redirect_uri, request.state)


def _decided_meanwhile() -> PageError:
    return PageError("This request is over", "It was answered elsewhere or its app was removed meanwhile.", ADVICE)


def success_uri(request: AuthorizationRequest, code: str, issuer: str) -> str:
    """Write the way back to the client after approval (RFC 6749 section 4.1.2, RFC 9207 section 2)."""
    state = {} if request.state is None else {"state": request.state}
    return redirect.with_parameters(request.redirect_uri, {"code": code, **state, "iss": issuer})


def error_uri(error: RedirectError, issuer: str) -> str:
    """Write the way back to the client after a failure (RFC 6749 section 4.1.2.1, RFC 9207 section 2)."""
    state = {} if error.state is None else {"state": error.state}
    outcome = {"error": error.error.code, "error_description": error.error.description}
    return redirect.with_parameters(error.redirect_uri, {**outcome, **state, "iss": issuer})
