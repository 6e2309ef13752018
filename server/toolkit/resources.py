"""What can be read besides the tools: resources by their URI, and templates of URIs with an id."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from server.oauth.store import StoreUnavailable

MOST_COMPLETIONS = 100
"""So many values a completion may have (MCP specification, "Completion")."""

_LONGEST_ECHO = 200
_JSON = "application/json"

Context = ServerRequestContext[Any]
Complete = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the values that begin with a text; one more than a completion may have shows that there are more."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that can be read."""

    uri: str
    name: str
    title: str
    description: str
    read: Callable[[], Awaitable[str]]
    mime_type: str = _JSON
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What goes into its ``_meta``, in the listing and beside its text."""


@dataclass(frozen=True, slots=True)
class Template:
    """Things that can be read by an id, which is the last part of their URI."""

    prefix: str
    """The URI without the id."""
    variable: str
    """What the id is called."""
    name: str
    title: str
    description: str
    read: Callable[[str], Awaitable[str | None]]
    """Gives the text of an id; ``None`` when there is no such thing."""
    complete: Complete
    mime_type: str = _JSON

    @property
    def uri_template(self) -> str:
        """The URI with the id as a variable (RFC 6570)."""
        return f"{self.prefix}{{{self.variable}}}"

    def uri(self, item_id: str) -> str:
        """Give the URI of an id."""
        return self.prefix + quote(item_id, safe="")


class Resources:
    """Answers what clients ask of resources and templates."""

    def __init__(self, resources: Sequence[Resource], templates: Sequence[Template]) -> None:
        """Answer for these."""
        self._resources = {resource.uri: resource for resource in resources}
        self._templates = {template.uri_template: template for template in templates}

    def add_to(self, server: Server[Any]) -> None:
        """Answer on this server."""
        server.add_request_handler("resources/list", types.PaginatedRequestParams, self.list)
        server.add_request_handler("resources/templates/list", types.PaginatedRequestParams, self.list_templates)
        server.add_request_handler("resources/read", types.ReadResourceRequestParams, self.read)

    async def list(self, _context: Context, _params: types.PaginatedRequestParams) -> types.ListResourcesResult:
        """Answer ``resources/list``."""
        return types.ListResourcesResult(
            resources=[
                types.Resource(
                    uri=one.uri,
                    name=one.name,
                    title=one.title,
                    description=one.description,
                    mime_type=one.mime_type,
                    _meta=dict(one.meta) or None,
                )
                for one in self._resources.values()
            ]
        )

    async def list_templates(
        self, _context: Context, _params: types.PaginatedRequestParams
    ) -> types.ListResourceTemplatesResult:
        """Answer ``resources/templates/list``."""
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=one.uri_template,
                    name=one.name,
                    title=one.title,
                    description=one.description,
                    mime_type=one.mime_type,
                )
                for one in self._templates.values()
            ]
        )

    async def read(self, _context: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """Answer ``resources/read``.

        Raises:
            MCPError: There is no such resource, or it cannot be read just now.
        """
        uri = str(params.uri)
        resource = self._resources.get(uri)
        try:
            if resource is not None:
                text, mime_type, meta = await resource.read(), resource.mime_type, dict(resource.meta) or None
            else:
                text, mime_type, meta = *await self._read_by_id(uri), None
        except StoreUnavailable:
            raise MCPError(types.INTERNAL_ERROR, "The data cannot be read just now; try again shortly") from None
        content = types.TextResourceContents(uri=uri, mime_type=mime_type, text=text, _meta=meta)
        return types.ReadResourceResult(contents=[content])

    async def _read_by_id(self, uri: str) -> tuple[str, str]:
        for template in self._templates.values():
            if uri.startswith(template.prefix):
                text = await template.read(unquote(uri.removeprefix(template.prefix)))
                if text is not None:
                    return text, template.mime_type
        raise MCPError(types.INVALID_PARAMS, f"Unknown resource: {uri[:_LONGEST_ECHO]}", {"uri": uri[:_LONGEST_ECHO]})

    async def complete(self, params: types.CompleteRequestParams) -> types.Completion:
        """Answer ``completion/complete`` for a template; what has no completions has an empty list."""
        template = self._templates.get(str(getattr(params.ref, "uri", "")))
        if template is None or params.argument.name != template.variable:
            return types.Completion(values=[])
        return completion(await template.complete(params.argument.value))


def completion(values: Sequence[str]) -> types.Completion:
    """Make a completion of values, of which there may be too many."""
    return types.Completion(values=list(values[:MOST_COMPLETIONS]), has_more=len(values) > MOST_COMPLETIONS)
