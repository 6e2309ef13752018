"""The authorization endpoint (RFC 6749 section 4.1.1): an ordered list of small checks, then a request kept.

Until the client and its redirect URI are known to be good, what is wrong is told to the person in a
page, never by a redirect. After that it goes back to the client.
"""

import re
from collections.abc import Awaitable, Callable

from server.oauth import directory, pkce, redirect, remembered, resource, scopes, tokens
from server.oauth.context import Context
from server.oauth.errors import (
    InvalidRequest,
    OAuthError,
    PageError,
    RedirectError,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from server.oauth.model import UNOPENED, AuthorizationRequest, Client, Visitor
from server.oauth.parameters import Parameters
from server.oauth.remote import RemoteError

REQUEST_TTL = 600
"""Seconds that a request waits for its user."""

_SECONDS = re.compile(r"[0-9]{1,9}")

ADVICE = "Go back to the app that sent you here and connect it again."

Who = Callable[[AuthorizationRequest], Awaitable[Visitor | None]]
"""Finds out who is at the browser."""


def no_repeated_parameter(params: Parameters, _client: Client) -> None:
    """Refuse a parameter sent twice (RFC 6749 section 3.1)."""
    params.refuse_repeated()


def no_request_object(params: Parameters, _client: Client) -> None:
    """Refuse request objects, which are not served (OpenID Connect Core section 6)."""
    if params.get("request"):
        raise RequestNotSupported("send the parameters themselves; request objects are not supported")
    if params.get("request_uri"):
        raise RequestUriNotSupported("send the parameters themselves; request_uri is not supported")


def response_type_is_code(params: Parameters, _client: Client) -> None:
    """Serve the authorization code flow alone (RFC 6749 section 3.1.1)."""
    if params.require("response_type") != "code":
        raise UnsupportedResponseType("response_type must be code")


def response_mode_is_query(params: Parameters, _client: Client) -> None:
    """Answer in the query alone (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1)."""
    if params.get("response_mode") not in {None, "query"}:
        raise InvalidRequest("response_mode must be query")


def client_may_use_codes(_params: Parameters, client: Client) -> None:
    """Hold the client to the grant types that it registered (RFC 7591 section 2)."""
    if "authorization_code" not in client.grant_types:
        raise UnauthorizedClient("this client is not registered for the authorization_code grant")


def challenge_is_s256(params: Parameters, _client: Client) -> None:
    """Require PKCE with ``S256`` of every client (RFC 7636 section 4.3, OAuth 2.1 section 7.5)."""
    if not pkce.is_well_formed(params.get("code_challenge") or ""):
        raise InvalidRequest("code_challenge is missing, or not 43 to 128 unreserved characters (PKCE is required)")
    if params.get("code_challenge_method") != "S256":
        raise InvalidRequest("code_challenge_method must be S256")


def prompt_can_be_met(params: Parameters, _client: Client) -> None:
    """Refuse ``prompt=none`` beside another prompt (OpenID Connect Core section 3.1.2.1)."""
    prompts = scopes.split(params.get("prompt"))
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequest("prompt=none cannot be combined with another prompt")


def max_age_is_seconds(params: Parameters, _client: Client) -> None:
    """Refuse a ``max_age`` that is no number of seconds (OpenID Connect Core section 3.1.2.1)."""
    if not _SECONDS.fullmatch(params.get("max_age") or "0"):
        raise InvalidRequest("max_age must be a whole number of seconds")


CHECKS: tuple[Callable[[Parameters, Client], None], ...] = (
    no_repeated_parameter,
    no_request_object,
    response_type_is_code,
    response_mode_is_query,
    client_may_use_codes,
    challenge_is_s256,
    prompt_can_be_met,
    max_age_is_seconds,
)


async def nobody(_request: AuthorizationRequest) -> None:
    """Find nobody at the browser."""


async def begin(params: Parameters, browser: str | None, ctx: Context, who: Who = nobody) -> str:
    """Check an authorization request and keep it for its user's decision.

    Nothing is decided here, whoever is at the browser: some clients fetch this address themselves before
    they open it, so each request arrives twice.

    Args:
        params: The request's parameters.
        browser: The random id in the browser's cookie, to which the request is bound; ``None`` leaves it to the first
            browser that opens it.
        ctx: The request's context.
        who: Finds out who is at the browser.

    Returns:
        The handle under which the page finds the request again: random, single use, 10 minutes.

    Raises:
        PageError: The client or its redirect URI is not known to be good.
        RedirectError: Something else is wrong; the client is told.
    """
    client = await _identified_client(params, ctx)
    redirect_uri = _redirect_uri(params, client)
    try:
        for check in CHECKS:
            check(params, client)
        handle = ctx.entropy(32).hex()
        request = _request(params, redirect_uri, handle, browser, ctx)
        if "none" in remembered.prompts(request):
            await remembered.require_silence(request, client, await who(request), ctx)
    except OAuthError as error:
        raise RedirectError(error, redirect_uri, _state(params)) from error
    await ctx.store.add_authorization_request(request)
    return handle


def _request(
    params: Parameters, redirect_uri: str, handle: str, browser: str | None, ctx: Context
) -> AuthorizationRequest:
    """Put together what is kept.

    Raises:
        InvalidScope: A scope cannot be granted.
        InvalidTarget: The resource is not this server.
    """
    return AuthorizationRequest(
        handle_digest=tokens.digest(handle),
        browser_digest=UNOPENED if browser is None else tokens.digest(browser),
        client_id=params.require("client_id"),
        redirect_uri=redirect_uri,
        state=_state(params),
        scopes=scopes.requested(params.get("scope"), ctx.settings),
        audience=resource.audience(params.all("resource"), ctx.settings),
        code_challenge=params.require("code_challenge"),
        created_at=ctx.now,
        expires_at=ctx.now + REQUEST_TTL,
        prompt=params.get("prompt"),
        login_hint=params.get("login_hint"),
        max_age=None if (max_age := params.get("max_age")) is None else int(max_age),
        nonce=params.get("nonce"),
    )


def _state(params: Parameters) -> str | None:
    return None if "state" in params.repeated else params.get("state")


async def _identified_client(params: Parameters, ctx: Context) -> Client:
    client_id = params.get("client_id")
    if client_id is None or "client_id" in params.repeated:
        raise PageError("This link is incomplete", "It does not say which app wants access (client_id).", ADVICE)
    try:
        client = await directory.described(client_id, ctx)
    except RemoteError as error:
        raise PageError(
            "This app does not say who it is",
            f"Its client id is a web address, and what should be there to describe it cannot be used. {error.reason}",
            "Try again in a minute. If it stays so, tell those who make the app.",
        ) from error
    if client is None:
        raise PageError(
            "This app is not known here",
            "The app that sent you is not registered with this server; its registration may have been removed.",
            "Remove the connection in the app and add it again, so that it registers anew.",
        )
    return client


def _redirect_uri(params: Parameters, client: Client) -> str:
    """Choose the redirect URI: the one sent if it is registered, or else the only one (RFC 6749 section 3.1.2.3)."""
    presented = params.get("redirect_uri")
    if "redirect_uri" in params.repeated or (presented is None and len(client.redirect_uris) != 1):
        raise PageError("This link is incomplete", "It does not say where to send you back (redirect_uri).", ADVICE)
    if presented is None:
        return client.redirect_uris[0]
    if not any(redirect.matches(registered, presented) for registered in client.redirect_uris):
        raise PageError(
            "This link leads to a place that is not allowed",
            "The app asked to send you back to an address that it has not registered (redirect_uri).",
            "Do not go on if you did not start this yourself. " + ADVICE,
        )
    return presented
