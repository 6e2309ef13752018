"""MCP Streamable HTTP on aiohttp, over the SDK's kernel."""
