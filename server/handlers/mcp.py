"""The MCP endpoint's door: origin, host and token are checked here, before anything else is read."""

from aiohttp import hdrs, web
from mcp_types import INVALID_REQUEST

from server.keys import CLOCK, KERNEL, SESSIONS, SETTINGS, STORE
from server.oauth.bearer import Caller, challenge, read_token, verify
from server.oauth.errors import InvalidRequest, InvalidToken, OAuthError
from server.settings import Settings
from server.transport import endpoint, stateful
from server.transport.origin import is_origin, is_our_host, may_call_openly
from server.transport.refusals import Challenged, Rejection


async def post(request: web.Request) -> web.StreamResponse:
    """Serve one JSON-RPC message, or a batch of them where the revision has those."""
    app = request.app
    settings = app[SETTINGS]
    try:
        caller = await _admit(request, app, settings)
        return await endpoint.post(request, app[KERNEL], app[SESSIONS], settings, caller)
    except (Rejection, Challenged) as refusal:
        return refusal.response()


async def other(request: web.Request) -> web.StreamResponse:
    """Serve the methods that need a session, once it is known who asks."""
    app = request.app
    try:
        caller = await _admit(request, app, app[SETTINGS])
        return await stateful.other(request, app[SESSIONS], caller)
    except (Rejection, Challenged) as refusal:
        return refusal.response()


async def _admit(request: web.Request, app: web.Application, settings: Settings) -> Caller | None:
    """Find out who calls; ``None`` where no token is needed, or may yet turn out not to be."""
    _check_site(request, settings)
    if not settings.oauth_enabled:
        return None
    try:
        if "access_token" in request.query:
            raise InvalidRequest("An access token belongs in the Authorization header, not in the URL.")
        token = read_token(request.headers.getall(hdrs.AUTHORIZATION, ()))
        if token is not None:
            return await verify(app[STORE], token, settings.resource, app[CLOCK]())
    except OAuthError as error:
        scopes = await endpoint.challenge_scopes(request, app[KERNEL], settings)
        raise Challenged.by(error, challenge(settings.resource_metadata_url, scopes, error.code)) from None
    _check_anonymous(request, settings)
    return None


def _check_site(request: web.Request, settings: Settings) -> None:
    """Refuse rebound hosts and odd origins (MCP Streamable HTTP, "Security & Endpoint")."""
    if not is_our_host(request.headers.getall(hdrs.HOST, ()), settings):
        raise Rejection(403, INVALID_REQUEST, "This Host is not served here")
    origins = request.headers.getall(hdrs.ORIGIN, ())
    if not is_origin(origins):
        raise Rejection(403, INVALID_REQUEST, "Origin is not an origin")
    if not settings.oauth_enabled and not may_call_openly(origins, settings):
        raise Rejection(403, INVALID_REQUEST, "This Origin may not call")


def _check_anonymous(request: web.Request, settings: Settings) -> None:
    """Let a request without a token go on to what `mixed` mode leaves open, if anything."""
    if settings.oauth_mode == "required":
        value = challenge(settings.resource_metadata_url, settings.oauth_default_scopes)
        raise Challenged.by(InvalidToken("This needs an access token."), value)
    if request.method != "POST" and not may_call_openly(request.headers.getall(hdrs.ORIGIN, ()), settings):
        raise Rejection(403, INVALID_REQUEST, "This Origin may not call without a token")
