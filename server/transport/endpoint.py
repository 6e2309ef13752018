"""The MCP endpoint: which era a POST speaks, and who makes it."""

from aiohttp import web
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER, unsupported_protocol_version_rejection
from mcp_types import DEFAULT_NEGOTIATED_VERSION, PROTOCOL_VERSION_META_KEY
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from server.oauth.bearer import Caller
from server.oauth.provider.words import Holder
from server.settings import Settings
from server.transport import stateful
from server.transport.body import read_body
from server.transport.exchange import exchange
from server.transport.gate import Gate
from server.transport.handshake import handshake
from server.transport.kernel import Kernel
from server.transport.message import Request, decode, read_message
from server.transport.refusals import Rejection
from server.transport.revisions import with_served
from server.transport.sessions import Sessions


async def post(
    http: web.Request, kernel: Kernel, sessions: Sessions, settings: Settings, caller: Caller | None
) -> web.StreamResponse:
    """Serve one POST; the plugged server can learn its caller by the SDK's own `get_access_token`.

    Args:
        http: The request.
        kernel: The server at work.
        sessions: Its sessions, for the revisions that have them.
        settings: Say what is open.
        caller: Who makes it; ``None`` where that is nobody's business, or not known.

    Raises:
        Rejection: It is not served.
        Challenged: It needs a token, or a better one.
    """
    gate = Gate(settings, kernel.catalogue, caller, http)
    decoded = decode(await read_body(http))
    version = http.headers.get(MCP_PROTOCOL_VERSION_HEADER)
    acting = auth_context_var.set(None if caller is None else Holder(caller, settings))
    try:
        if _is_modern(version, decoded):
            return await exchange(http, kernel, gate, read_message(decoded))
        session_id = stateful.session_id_of(http)
        if session_id is not None:
            return await stateful.post(http, sessions, gate, session_id, decoded)
        match decoded:
            case {"method": "initialize"}:
                return await stateful.initialize(http, sessions, gate, read_message(decoded))
        return await handshake(http, kernel, gate, version or DEFAULT_NEGOTIATED_VERSION, decoded)
    finally:
        auth_context_var.reset(acting)


async def challenge_scopes(http: web.Request, kernel: Kernel, settings: Settings) -> tuple[str, ...]:
    """Give the scopes to name in a 401: in ``mixed`` mode those of the operation, if it can be told."""
    if http.method != "POST" or settings.oauth_mode != "mixed":
        return settings.oauth_default_scopes
    try:
        message = read_message(decode(await read_body(http)))
        scopes = await Gate(settings, kernel.catalogue, None, http).needs((message,))
    except Rejection:
        scopes = None
    return scopes or settings.oauth_default_scopes


def _is_modern(version: str | None, decoded: object) -> bool:
    """Tell the era: the header says it, or an envelope that only 2026-07-28 has.

    Raises:
        Rejection: 400 for a revision that nobody knows ("Protocol Version Header").
    """
    if version in MODERN_PROTOCOL_VERSIONS:
        return True
    match decoded:
        case {"method": method, "params": {"_meta": {**meta}}} if PROTOCOL_VERSION_META_KEY in meta:
            if method != "initialize":
                return True
    if version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS:
        rejection = unsupported_protocol_version_rejection(version)
        if rejection is not None:
            message = read_message(decoded)
            request_id = message.id if isinstance(message, Request) else None
            data = with_served(rejection.data)
            raise Rejection(400, rejection.code, rejection.message, data=data, request_id=request_id)
    return False
