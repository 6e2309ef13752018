"""The token endpoint's grants (RFC 6749 sections 4.1.3, 4.4 and 6): one grant, one function.

Each one checks, decides, and then writes once by compare-and-set; who loses a race decides anew.
"""

from collections.abc import Awaitable, Callable

from server.oauth import issue, openid, pkce, resource, scopes, tokens
from server.oauth.audit import Kind
from server.oauth.clients import CLIENT_CREDENTIALS, NO_SECRET
from server.oauth.context import Context
from server.oauth.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    TemporarilyUnavailable,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from server.oauth.issue import TokenAnswer
from server.oauth.model import (
    AccessToken,
    AuthorizationCode,
    Client,
    Grant,
    Held,
    HeldRefreshToken,
    RefreshToken,
)
from server.oauth.parameters import Parameters
from server.oauth.rotation import Refresh, decide_refresh

_ATTEMPTS = 3
_OVER = "the authorization code is unknown, expired or used; send the user through /authorize again"
_REFRESH_OVER = "the refresh token is unknown, expired or revoked; send the user through /authorize again"


async def token(params: Parameters, client: Client, held: Held | None, ctx: Context) -> TokenAnswer:
    """Serve a token request of an authenticated client.

    Args:
        params: The request's parameters.
        client: Who makes it.
        held: What is kept of the code or token that it presents.
        ctx: The request's context.

    Raises:
        OAuthError: As RFC 6749 section 5.2 has it.
    """
    grant_type = params.require("grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise UnsupportedGrantType(f"grant_type must be one of {' '.join(GRANTS)}")
    if grant_type not in client.grant_types:
        raise UnauthorizedClient(f"this client is not registered for the {grant_type} grant")
    return await grant(params, client, held, ctx)


def presented(params: Parameters) -> str | None:
    """Give the code or token that a token request presents, if it presents one."""
    return params.get(_PRESENTED.get(params.get("grant_type") or "", ""))


async def authorization_code(params: Parameters, client: Client, held: Held | None, ctx: Context) -> TokenAnswer:
    """Exchange a code for tokens; a replay revokes what came of it (RFC 6749 section 4.1.2).

    Raises:
        InvalidRequest: The code or its verifier is missing or malformed.
        InvalidGrant: The code is not this client's, over, or bound to something else.
        InvalidTarget: The resource is not this server.
    """
    params.require("code")
    verifier = params.require("code_verifier")
    if not pkce.is_well_formed(verifier):
        raise InvalidRequest("code_verifier must be 43 to 128 unreserved characters")
    audience = resource.audience(params.all("resource"), ctx.settings)
    stored = await unused_code(held, client, ctx)
    _check_bindings(stored, params, verifier, audience)
    return await redeem(stored, client, ctx)


async def redeem(stored: AuthorizationCode, client: Client, ctx: Context) -> TokenAnswer:
    """Use up a code whose bindings were checked; of several at once, one gets the tokens.

    Raises:
        InvalidGrant: It was used meanwhile, which is a replay; or its client or user has gone.
    """
    grant = _new_grant(stored, ctx)
    access, access_row = issue.access_token(grant, grant.scopes, ctx)
    refresh, refresh_row = (
        issue.refresh_token(tokens.make(tokens.REFRESH, ctx.entropy), grant, ctx)
        if "refresh_token" in client.grant_types
        else (None, None)
    )
    answer = issue.answer(access, access_row, refresh, ctx)
    answer = await openid.with_id_token(answer, access_row, grant.auth_time, ctx, stored.nonce)
    event = ctx.grant_event(Kind.TOKENS_ISSUED, grant, scopes.join(grant.scopes))
    redeemed = await ctx.store.redeem_authorization_code(
        stored.code_digest, grant, access_row, refresh_row, ctx.now, event
    )
    if not redeemed:
        await unused_code(await ctx.store.get_authorization_code(stored.code_digest), client, ctx)
        raise InvalidGrant(_OVER, detail="its client or user has gone")
    return answer


async def unused_code(stored: Held | None, client: Client, ctx: Context) -> AuthorizationCode:
    """Give a client's code if it is unused and unexpired; a replay revokes what came of it (RFC 6749 section 4.1.2).

    Raises:
        InvalidGrant: It is not.
    """
    if not isinstance(stored, AuthorizationCode):
        raise InvalidGrant(_OVER, detail="unknown code")
    if stored.client_id != client.client_id:
        raise InvalidGrant(_OVER, detail=f"code of client {stored.client_id}")
    if stored.used_at is not None:
        if stored.grant_id is not None:
            event = ctx.grant_event(Kind.CODE_REUSED, stored, "its grant was revoked")
            await ctx.store.revoke_grant(stored.grant_id, "authorization code replayed", ctx.now, event)
        raise InvalidGrant(_OVER, detail=f"code replayed; grant {stored.grant_id} revoked")
    if stored.expires_at <= ctx.now:
        raise InvalidGrant(_OVER, detail="expired code")
    return stored


def _check_bindings(stored: AuthorizationCode, params: Parameters, verifier: str, audience: str) -> None:
    """Hold the exchange to what the code was issued for (RFC 6749 4.1.3, RFC 7636 4.6, RFC 8707 2.2)."""
    if params.get("redirect_uri") not in {None, stored.redirect_uri}:
        raise InvalidGrant("redirect_uri is not the one that the code was issued for")
    if audience != stored.audience:
        raise InvalidGrant("the code was issued for another resource")
    if not pkce.verify(stored.code_challenge, verifier):
        raise InvalidGrant("code_verifier does not match the code_challenge")


async def refresh_token(params: Parameters, client: Client, held: Held | None, ctx: Context) -> TokenAnswer:
    """Exchange a refresh token for an access token and the token's one successor (RFC 6749 section 6).

    Raises:
        InvalidRequest: The refresh token is missing.
        InvalidGrant: It is not this client's, over, or was used before the grace.
        InvalidScope: More is asked for than was granted.
        InvalidTarget: The resource is not this server.
    """
    sent = params.require("refresh_token")
    resource.audience(params.all("resource"), ctx.settings)
    found = held if isinstance(held, HeldRefreshToken) else None
    for _ in range(_ATTEMPTS):
        decision = decide_refresh(found, client.client_id, ctx.settings.oauth_refresh_grace, ctx.now)
        if found is None or decision is Refresh.REFUSE:
            raise InvalidGrant(_REFRESH_OVER, detail="unknown, over, or of another client")
        if decision is Refresh.REUSE:
            event = ctx.grant_event(Kind.REFRESH_TOKEN_REUSED, found.grant, "its grant was revoked")
            await ctx.store.revoke_grant(found.grant.grant_id, "refresh token reused", ctx.now, event)
            raise InvalidGrant(_REFRESH_OVER, detail=f"reused; grant {found.grant.grant_id} revoked")
        granted = scopes.narrowed(params.get("scope"), found.grant.scopes, ctx.settings)
        access, access_row = issue.access_token(found.grant, granted, ctx)
        successor = tokens.successor(sent, found.token.successor_salt)
        answer = issue.answer(access, access_row, successor, ctx)
        answer = await openid.with_id_token(answer, access_row, found.grant.auth_time, ctx)
        successor_row = issue.refresh_token(successor, found.grant, ctx)[1]
        if await _keep(decision, found.token.token_digest, access_row, successor_row, ctx):
            return answer
        found = await ctx.store.get_refresh_token(found.token.token_digest, ctx.now)
    raise TemporarilyUnavailable("the refresh token is in use by many requests at once; try again")


async def _keep(
    decision: Refresh, token_digest: str, access: AccessToken, successor: RefreshToken, ctx: Context
) -> bool:
    granted = scopes.join(access.scopes)
    if decision is Refresh.ROTATE:
        event = ctx.grant_event(Kind.TOKENS_REFRESHED, access, granted)
        return await ctx.store.rotate_refresh_token(token_digest, successor, access, ctx.now, event)
    event = ctx.grant_event(Kind.TOKENS_REFRESHED, access, f"{granted}; repeated within the grace")
    return await ctx.store.add_access_token(access, ctx.now, event)


def _new_grant(code: AuthorizationCode, ctx: Context) -> Grant:
    max_age = ctx.settings.oauth_grant_max_age
    return Grant(
        grant_id=issue.grant_id(ctx),
        client_id=code.client_id,
        user_id=code.user_id,
        scopes=code.scopes,
        audience=code.audience,
        created_at=ctx.now,
        expires_at=ctx.now + max_age if max_age else None,
        auth_time=code.auth_time,
    )


async def client_credentials(params: Parameters, client: Client, _held: Held | None, ctx: Context) -> TokenAnswer:
    """Issue an access token to a client for itself: no user, no refresh token (RFC 6749 section 4.4).

    Raises:
        UnauthorizedClient: The client was not created by the operator, or has no secret.
        InvalidScope: It may not have a scope that it asks for.
        InvalidTarget: The resource is not this server.
        InvalidClient: It was deleted meanwhile.
    """
    if client.created_by != "operator" or client.token_endpoint_auth_method == NO_SECRET:
        raise UnauthorizedClient("client credentials are for confidential clients that the operator created")
    audience = resource.audience(params.all("resource"), ctx.settings)
    granted = scopes.allowed(params.get("scope"), client.scope, ctx.settings)
    ends = ctx.now + ctx.settings.oauth_access_token_ttl + issue.ROUNDING
    grant = Grant(issue.grant_id(ctx), client.client_id, None, granted, audience, ctx.now, ends)
    access, access_row = issue.access_token(grant, granted, ctx)
    event = ctx.grant_event(Kind.TOKENS_ISSUED, grant, scopes.join(granted))
    if not await ctx.store.add_machine_grant(grant, access_row, ctx.now, event):
        raise InvalidClient("this client has been deleted")
    return issue.answer(access, access_row, None, ctx)


_PRESENTED = {"authorization_code": "code", "refresh_token": "refresh_token"}
GRANTS: dict[str, Callable[[Parameters, Client, Held | None, Context], Awaitable[TokenAnswer]]] = {
    "authorization_code": authorization_code,
    "refresh_token": refresh_token,
    CLIENT_CREDENTIALS: client_credentials,
}
