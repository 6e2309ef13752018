"""Consent that is remembered: for whom and what it was given, when it stands for an answer, and how it ends.

It is remembered per user, client, redirect URI and scope, for thirty days, apart from the grants that
come of it, and only where somebody signed in.
"""

import json

from server.oauth import redirect, scopes, tokens
from server.oauth.audit import Kind
from server.oauth.context import Context
from server.oauth.errors import ConsentRequired, LoginRequired, RedirectError
from server.oauth.model import AuthorizationRequest, Client, Consent, Visitor

CONSENT_TTL = 30 * 86_400
"""Seconds for which a consent is remembered, unless the longest grant is shorter."""

NOBODY = "nobody is signed in; send the user without prompt=none"

MUST_ASK = "the user has to be asked; send them without prompt=none"

_KEYS = ("jwks", "jwks_uri")


def prompts(request: AuthorizationRequest) -> tuple[str, ...]:
    """Give the prompts that a request names (OpenID Connect Core section 3.1.2.1)."""
    return scopes.split(request.prompt)


def fingerprint(client: Client) -> str:
    """Digest what a consent depends on: the client's redirect URIs, and how it proves who it is.

    Keys that are kept at a URL are known by that URL: they are there to be exchanged without asking anybody.
    """
    proof = [sorted(client.auth_methods), client.secret_digest, *map(client.metadata.get, _KEYS)]
    return tokens.digest(json.dumps([sorted(client.redirect_uris), proof], sort_keys=True))


async def allowed_before(
    request: AuthorizationRequest, client: Client, visitor: Visitor, ctx: Context
) -> tuple[str, ...]:
    """Give those of a request's scopes that its user allowed before, or that such a scope implies.

    They were allowed to the same client with the same redirect URIs and keys, for the same redirect URI.
    """
    if not visitor.signed_in:
        return ()
    redirect_uri = redirect.without_loopback_port(request.redirect_uri)
    remembered = await ctx.store.get_consented_scopes(
        visitor.user.user_id, client.client_id, redirect_uri, fingerprint(client), ctx.now
    )
    held = scopes.with_implied(remembered, ctx.settings)
    return tuple(scope for scope in request.scopes if scope in held)


def stands(request: AuthorizationRequest, allowed: tuple[str, ...]) -> bool:
    """Tell whether what was allowed before answers a request, so that nobody need be asked.

    Never where any program on the user's computer could be behind the redirect URI (RFC 8252 section 8.6).
    """
    covered = set(request.scopes) <= set(allowed)
    return covered and redirect.leads_to_the_web(request.redirect_uri) and "consent" not in prompts(request)


def divide(request: AuthorizationRequest, allowed: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Divide a request's scopes into those to ask for, and those that were allowed before and are kept.

    Where nothing is new, or the client wants its user to be asked, all of them are asked for.
    """
    new = tuple(scope for scope in request.scopes if scope not in allowed)
    return (new, allowed) if new and "consent" not in prompts(request) else (request.scopes, ())


def decision(
    request: AuthorizationRequest,
    client: Client,
    visitor: Visitor | None,
    granted: tuple[str, ...],
    refused: tuple[str, ...],
    ctx: Context,
) -> Consent | None:
    """Say what to remember of a decision; ``None`` where nobody signed in.

    A scope that was shown and allowed is remembered for thirty days from now; one that was refused no
    longer, nor any other that implies it.
    """
    if visitor is None or not visitor.signed_in:
        return None
    withdrawn = (
        scope
        for scope in ctx.settings.oauth_valid_scopes
        if scope not in granted and not scopes.with_implied([scope], ctx.settings).isdisjoint(refused)
    )
    return Consent(
        user_id=visitor.user.user_id,
        client_id=client.client_id,
        redirect_uri=redirect.without_loopback_port(request.redirect_uri),
        fingerprint=fingerprint(client),
        scopes=granted,
        withdrawn=tuple(withdrawn),
        created_at=ctx.now,
        expires_at=ctx.now + min(CONSENT_TTL, ctx.settings.oauth_grant_max_age or CONSENT_TTL),
    )


def require_somebody(request: AuthorizationRequest) -> None:
    """Hold ``prompt=none`` to its word where nobody is signed in any more (OpenID Connect Core section 3.1.2.6).

    Raises:
        RedirectError: The page for signing in would have to be shown, but the request says ``prompt=none``.
    """
    if "none" in prompts(request):
        raise RedirectError(LoginRequired(NOBODY), request.redirect_uri, request.state)


async def require_silence(request: AuthorizationRequest, client: Client, visitor: Visitor | None, ctx: Context) -> None:
    """Hold ``prompt=none`` to its word: nothing may be shown (OpenID Connect Core section 3.1.2.6).

    Raises:
        LoginRequired: Nobody is signed in.
        ConsentRequired: The user would have to be asked.
    """
    if visitor is None or not visitor.signed_in:
        raise LoginRequired(NOBODY)
    if not stands(request, await allowed_before(request, client, visitor, ctx)):
        raise ConsentRequired(MUST_ASK)


async def forget_application(user_id: str, client_id: str, reason: str, ctx: Context) -> int:
    """End what a user allowed a client, consents and grants; a code that was not used yet is over too.

    Args:
        user_id: Whose consents and grants.
        client_id: The client; it need not exist any more.
        reason: Kept with each grant, for the operator.
        ctx: The request's context.

    Returns:
        How many grants it ended.
    """
    event = ctx.event(Kind.APPLICATION_FORGOTTEN, client_id=client_id, user_id=user_id, detail=reason)
    return await ctx.store.forget_application(user_id, client_id, reason, ctx.now, event)
