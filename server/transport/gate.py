"""The scope gate: may this caller do this? Decided once, before a tool runs; told in the form the client reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from mcp_types import INVALID_REQUEST

from server.oauth.bearer import Caller, challenge
from server.oauth.errors import InsufficientScope, InvalidToken, OAuthError
from server.oauth.scopes import with_implied
from server.settings import Settings
from server.transport.catalogue import Catalogue, ToolRules
from server.transport.message import Message, Reply, Request
from server.transport.origin import may_call_openly
from server.transport.refusals import Challenged, Rejection

_OPEN_METHODS = frozenset({"server/discover", "initialize", "ping"})


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides over one POST: the caller, if any, against what the operation needs."""

    settings: Settings
    catalogue: Catalogue
    caller: Caller | None
    http: web.Request

    async def admit(self, messages: Sequence[Message]) -> dict[str, Any] | None:
        """Let messages through, or refuse all of them.

        Returns:
            ``None`` to go on, or the result of a tool call that stands in for it, for a client that
            reads challenges there.

        Raises:
            Challenged: 401 or 403 with every scope needed.
            Rejection: 403 for a page that may not use what is open.
        """
        needs = await self.needs(messages)
        if not self.settings.oauth_enabled:
            return None
        if self.caller is None and needs is None:
            self.require_open_origin()
            return None
        scopes = needs or ()
        if self.caller is None:
            scopes = scopes or self.settings.oauth_default_scopes
            return self._refuse(InvalidToken("Sign in to continue: this needs an access token."), scopes, messages)
        if not with_implied(self.caller.access.scopes, self.settings).issuperset(scopes):
            error = InsufficientScope("This needs permissions that were not granted: " + " ".join(scopes))
            return self._refuse(error, scopes, messages)
        return None

    async def needs(self, messages: Sequence[Message]) -> tuple[str, ...] | None:
        """Give every scope that messages need together, or ``None`` when all of them are open."""
        scopes: dict[str, None] | None = None
        for message in messages:
            rules = await self._rules(message)
            if not rules.noauth or self.settings.oauth_mode == "required":
                scopes = (scopes or {}) | dict.fromkeys(rules.scopes)
        return None if scopes is None else tuple(scopes)

    def require_open_origin(self) -> None:
        """Refuse a page from elsewhere where no token protects.

        Raises:
            Rejection: 403.
        """
        if not may_call_openly(self.http.headers.getall("Origin", ()), self.settings):
            raise Rejection(403, INVALID_REQUEST, "This Origin may not call without a token")

    async def _rules(self, message: Message) -> ToolRules:
        """Say what a message needs, with ``noauth`` for whatever `mixed` mode opens."""
        match message:
            case Request(method="tools/call", params={"name": str() as name}):
                return self.catalogue.known.get(name) or await self.catalogue.rules(name, self.http)
            case Request(method="resources/read", params={"uri": str() as uri}):
                return ToolRules(noauth=uri.startswith("ui://"))
            case Request(method="tools/call" | "resources/read") | Reply():
                return ToolRules()
        method = message.method
        return ToolRules(
            noauth=method in _OPEN_METHODS or method.startswith("notifications/") or method.endswith("/list")
        )

    def _refuse(self, error: OAuthError, scopes: Sequence[str], messages: Sequence[Message]) -> dict[str, Any]:
        """Refuse in the form that the client reads: HTTP, or for ChatGPT's tool calls a tool error."""
        url = self.settings.resource_metadata_url
        only = messages[0] if len(messages) == 1 else None
        as_tool_error = self.http.headers.get("User-Agent", "").startswith("openai-mcp")
        if as_tool_error and isinstance(only, Request) and only.method == "tools/call":
            value = challenge(url, scopes, error.code, error.description)
            return {
                "content": [{"type": "text", "text": error.description}],
                "isError": True,
                "_meta": {"mcp/www_authenticate": [value]},
            }
        code = error.code if self.caller is not None else ""
        raise Challenged.by(error, challenge(url, scopes, code))
