"""The user's decision about an authorization request, and the way back to the client (RFC 6749 section 4.1.2)."""

from typing import NoReturn

from server.oauth import redirect, remembered, scopes, tokens
from server.oauth.audit import Kind
from server.oauth.authorize import ADVICE
from server.oauth.context import Context
from server.oauth.errors import AccessDenied, ConsentRequired, OAuthError, PageError, RedirectError
from server.oauth.model import UNOPENED, AuthorizationCode, AuthorizationRequest, Client, Consent, User, Visitor


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


async def pending(
    handle: str, browser: str | None, ctx: Context, everyone: User | None = None
) -> tuple[AuthorizationRequest, Client]:
    """Give the request that waits under a handle, and its client, to the browser that began it.

    Args:
        handle: The request's handle.
        browser: The random id in the browser's cookie.
        ctx: The request's context.
        everyone: Who is to decide where nobody signs in, and so must be able to allow something; a session's user is
            known to be live.

    Raises:
        PageError: There is no such request, it is over, another browser began it, or its client has gone or moved; or
            the user that everyone is has been disabled.
    """
    request, client, is_disabled = await ctx.store.get_request_and_client(
        tokens.digest(handle), everyone.user_id if everyone else None
    )
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
    if client is None:
        raise PageError("This app is not known here", "Its registration was removed meanwhile.", ADVICE)
    if not any(redirect.matches(registered, request.redirect_uri) for registered in client.redirect_uris):
        raise PageError("This link is over", "The app has meanwhile changed where it is to be found.", ADVICE)
    if everyone and is_disabled:
        raise PageError(
            "Nothing can be allowed here at present",
            f"Nobody signs in here: everyone is the user {everyone.label}, and that user is disabled.",
            f"Ask those who run this server to let everyone in again: “users enable {everyone.user_id}” does it.",
            status=403,
        )
    return request, client


async def answered_before(
    request: AuthorizationRequest, visitor: Visitor, allowed: tuple[str, ...], ctx: Context
) -> str | None:
    """Answer a request without asking, where a remembered consent stands for it; ``None`` to show the page.

    The request is used up, as by a decision, but the consent lasts no longer for it.

    Returns:
        The authorization code.

    Raises:
        RedirectError: The page would have to be shown, but the request says ``prompt=none``.
        PageError: The request was decided meanwhile.
    """
    if remembered.stands(request, allowed):
        return await _issue(request, request.scopes, visitor, None, Kind.CONSENT_REMEMBERED, ctx)
    if "none" in remembered.prompts(request):
        raise RedirectError(ConsentRequired(remembered.MUST_ASK), request.redirect_uri, request.state)
    return None


async def approve(
    request: AuthorizationRequest, client: Client, ticked: tuple[str, ...], visitor: Visitor, ctx: Context
) -> str:
    """Approve a request for the scopes that the user ticked, and those that the page said are kept.

    What the request does not ask for is not granted, whatever was allowed before.

    Args:
        request: The pending request.
        client: Its client.
        ticked: Scopes from the form; those that were not asked for count for nothing.
        visitor: Who approves.
        ctx: The request's context.

    Returns:
        The authorization code, to be stored by nobody (RFC 6749 section 4.1.2).

    Raises:
        RedirectError: Every scope was unticked, which is a denial.
        PageError: The request was decided meanwhile.
    """
    asked, kept = remembered.divide(request, await remembered.allowed_before(request, client, visitor, ctx))
    granted = tuple(scope for scope in request.scopes if scope in kept or scope in ticked)
    if not granted:
        await deny(request, client, visitor, ctx)
    refused = tuple(scope for scope in asked if scope not in granted)
    consent = remembered.decision(request, client, visitor, granted, refused, ctx)
    return await _issue(request, granted, visitor, consent, Kind.CONSENT_GIVEN, ctx)


async def _issue(
    request: AuthorizationRequest,
    granted: tuple[str, ...],
    visitor: Visitor,
    consent: Consent | None,
    kind: Kind,
    ctx: Context,
) -> str:
    user, code = visitor.user, tokens.make(tokens.CODE, ctx.entropy)
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
        nonce=request.nonce,
        auth_time=visitor.authenticated_at,
    )
    event = ctx.event(kind, client_id=request.client_id, user_id=user.user_id, detail=scopes.join(granted))
    if not await ctx.store.approve_authorization_request(request.handle_digest, user, stored, ctx.now, consent, event):
        raise _decided_meanwhile()
    return code


async def deny(request: AuthorizationRequest, client: Client, visitor: Visitor | None, ctx: Context) -> NoReturn:
    """Deny a request. What the page asked for is remembered no longer; what it said is kept stays.

    Raises:
        RedirectError: Always when it was still pending: the client is told ``access_denied``.
        PageError: It was decided meanwhile.
    """
    user_id = visitor.user.user_id if visitor else None
    asked = scopes.join(request.scopes)
    event = ctx.event(Kind.CONSENT_DENIED, client_id=request.client_id, user_id=user_id, detail=asked)
    allowed = await remembered.allowed_before(request, client, visitor, ctx) if visitor else ()
    consent = remembered.decision(request, client, visitor, (), remembered.divide(request, allowed)[0], ctx)
    if not await ctx.store.deny_authorization_request(request.handle_digest, ctx.now, consent, event):
        raise _decided_meanwhile()
    raise RedirectError(AccessDenied("the user did not grant access"), request.redirect_uri, request.state)


async def leave(request: AuthorizationRequest, error: OAuthError, ctx: Context) -> NoReturn:
    """End a request that nobody could sign in for; nobody has decided, so nothing is remembered or forgotten.

    Raises:
        RedirectError: Always when it was still pending: the client is told the error.
        PageError: It was decided meanwhile.
    """
    if not await ctx.store.deny_authorization_request(request.handle_digest, ctx.now):
        raise _decided_meanwhile()
    raise RedirectError(error, request.redirect_uri, request.state)


def _decided_meanwhile() -> PageError:
    return PageError(
        "This request is over",
        "It was answered elsewhere, its app was removed, or the account was disabled meanwhile.",
        ADVICE,
    )


def success_uri(request: AuthorizationRequest, code: str, issuer: str) -> str:
    """Write the way back to the client after approval (RFC 6749 section 4.1.2, RFC 9207 section 2)."""
    state = {} if request.state is None else {"state": request.state}
    return redirect.with_parameters(request.redirect_uri, {"code": code, **state, "iss": issuer})


def error_uri(error: RedirectError, issuer: str) -> str:
    """Write the way back to the client after a failure (RFC 6749 section 4.1.2.1, RFC 9207 section 2)."""
    state = {} if error.state is None else {"state": error.state}
    outcome = {"error": error.error.code, "error_description": error.error.description}
    return redirect.with_parameters(error.redirect_uri, {**outcome, **state, "iss": issuer})
