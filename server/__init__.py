"""An OAuth 2.1 authorization server and MCP endpoint for any Python MCP server."""

__version__ = "0.1.0"
