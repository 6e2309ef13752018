"""What each tool of the plugged server asks of its callers, read from the server's own listing."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from mcp.shared.inbound import find_invalid_x_mcp_header, x_mcp_header_map
from mcp_types import INTERNAL_ERROR

from server.settings import Settings
from server.transport.refusals import Rejection

logger = logging.getLogger(__name__)

MAX_PAGES = 100

ListPage = Callable[[web.Request, str | None], Awaitable[dict[str, Any]]]
"""Gives the result of ``tools/list`` to the caller of a POST, for a cursor."""


@dataclass(frozen=True, slots=True)
class ToolRules:
    """What a tool's metadata declares: the scopes it needs, and whether it is open in ``mixed`` mode."""

    scopes: tuple[str, ...] = ()
    noauth: bool = False
    header_schema: Mapping[str, Any] | None = None
    """Its input schema, if that mirrors arguments into ``Mcp-Param-*`` headers."""


_NO_RULES = ToolRules()


def read_rules(tool: Mapping[str, Any]) -> ToolRules:
    """Read the rules off one listed tool.

    Raises:
        TypeError: ``scopes`` is no list of names; such a tool is not guessed about.
    """
    meta = tool.get("_meta") or {}
    scopes = meta.get("scopes", [])
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise TypeError(f"tool {tool.get('name')!r}: meta 'scopes' must be a list of scope names")
    schema = tool.get("inputSchema")
    mirrored = find_invalid_x_mcp_header(schema) is None and x_mcp_header_map(schema)
    return ToolRules(tuple(dict.fromkeys(scopes)), meta.get("noauth") is True, schema if mirrored else None)


class Catalogue:
    """The rules of every tool seen so far; the server is asked again for a name not seen yet."""

    def __init__(self, settings: Settings, list_page: ListPage) -> None:
        """Start empty: a server may show each caller other tools, so it is read under a caller's own context."""
        self._settings = settings
        self._list_page = list_page
        self.known: dict[str, ToolRules] = {}
        """The rules of every tool that the server has listed, by name."""

    async def rules(self, name: str, http: web.Request) -> ToolRules:
        """Ask the server for the rules of a tool that is not known; one that it does not list has none.

        Raises:
            Rejection: 500, when the server fails to list its tools: nothing is let through unread.
        """
        try:
            await self._read(name, http)
        except Exception:
            logger.exception("tools/list failed")
            raise Rejection(500, INTERNAL_ERROR, "Internal server error") from None
        return self.known.get(name, _NO_RULES)

    async def _read(self, wanted: str, http: web.Request) -> None:
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await self._list_page(http, cursor)
            self._learn(page)
            cursor = page.get("nextCursor")
            if wanted in self.known or not isinstance(cursor, str):
                return
        logger.warning("tools/list did not end within %d pages", MAX_PAGES)

    def _learn(self, page: Mapping[str, Any]) -> None:
        for tool in page.get("tools", ()):
            self.known[tool["name"]] = read_rules(tool)

    def publish(self, page: dict[str, Any]) -> dict[str, Any]:
        """Learn from a listing on its way out, and write each tool's ``securitySchemes`` into it.

        The SDK's model of a tool has no such member, so it is put in here and mirrored in ``_meta``.
        """
        self._learn(page)
        return {**page, "tools": [self._with_schemes(tool) for tool in page.get("tools", ())]}

    def _with_schemes(self, tool: dict[str, Any]) -> dict[str, Any]:
        schemes = self._schemes(self.known[tool["name"]])
        return {**tool, "securitySchemes": schemes, "_meta": {**(tool.get("_meta") or {}), "securitySchemes": schemes}}

    def _schemes(self, rules: ToolRules) -> list[dict[str, Any]]:
        noauth: dict[str, Any] = {"type": "noauth"}
        oauth2 = {"type": "oauth2", "scopes": list(rules.scopes)}
        if not self._settings.oauth_enabled:
            return [noauth]
        if self._settings.oauth_mode == "required" or not rules.noauth:
            return [oauth2]
        return [noauth, oauth2] if rules.scopes else [noauth]
