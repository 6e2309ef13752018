"""The server that the conformance suite asks for, for ``MCP_SERVER``: everything that its scenarios name."""

from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts import Prompt

from tests.conformance import fixture_asking, fixture_changing, fixture_content, fixture_handshake

DESCRIPTION = "What the suite asks for"


def build() -> Server[Any]:
    """Build it, with the handlers that only the SDK's lowlevel server takes."""
    server = MCPServer("conformance-fixture", version="1", tools=[fixture_changing.with_schema()])
    for part in (fixture_content, fixture_asking, fixture_changing, fixture_handshake):
        for tool in part.TOOLS:
            server.add_tool(tool, description=DESCRIPTION, structured_output=False)
    for prompt in (*fixture_content.PROMPTS, *fixture_asking.PROMPTS):
        server.add_prompt(Prompt.from_function(prompt, description=DESCRIPTION))
    for uri, (resource, mime_type) in fixture_content.RESOURCES.items():
        server.resource(uri, mime_type=mime_type)(resource)
    server.completion()(fixture_content.complete)  # type: ignore[no-untyped-call]
    server.streamable_http_app()
    fixture_handshake.add_handlers(server.session_manager.app)
    return server.session_manager.app
