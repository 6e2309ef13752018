"""The tools, resources and prompts that the conformance suite asks for, as a server for ``MCP_SERVER``."""

import asyncio
import json
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp_types import (
    AudioContent,
    Completion,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
IMAGE = ImageContent(type="image", data=PIXEL, mime_type="image/png")

server = MCPServer("conformance-fixture")


def embedded(uri: str, text: str, mime_type: str = "text/plain") -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


@server.tool(structured_output=False)
def test_simple_text() -> str:
    """Test simple text, as the suite asks for."""
    return "This is a simple text response for testing."


@server.tool(structured_output=False)
def test_image_content() -> ImageContent:
    """Test image content, as the suite asks for."""
    return IMAGE


@server.tool(structured_output=False)
def test_audio_content() -> AudioContent:
    """Test audio content, as the suite asks for."""
    return AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")


@server.tool(structured_output=False)
def test_embedded_resource() -> EmbeddedResource:
    """Test embedded resource, as the suite asks for."""
    return embedded("test://embedded-resource", "This is an embedded resource content.")


@server.tool(structured_output=False)
def test_multiple_content_types() -> list[Any]:
    """Test multiple content types, as the suite asks for."""
    text = TextContent(type="text", text="Multiple content types test:")
    data = json.dumps({"test": "data", "value": 123})
    return [text, IMAGE, embedded("test://mixed-content-resource", data, "application/json")]


@server.tool(structured_output=False)
async def test_tool_with_logging(ctx: Context) -> str:
    """Test tool with logging, as the suite asks for."""
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(text)
        await asyncio.sleep(0.05)
    return "Logged three times."


@server.tool(structured_output=False)
async def test_tool_with_progress(ctx: Context) -> str:
    """Test tool with progress, as the suite asks for."""
    for progress in (0, 50, 100):
        await ctx.report_progress(progress, 100)
        await asyncio.sleep(0.05)
    return "Progress was reported three times."


@server.tool(structured_output=False)
def test_error_handling() -> str:
    """Test error handling, as the suite asks for."""
    raise RuntimeError("This tool intentionally returns an error for testing")


@server.resource("test://static-text", mime_type="text/plain")
def static_text() -> str:
    """Static text, as the suite asks for."""
    return "This is the content of the static text resource."


@server.resource("test://static-binary", mime_type="image/png")
def static_binary() -> bytes:
    """Static binary, as the suite asks for."""
    return b"\x89PNG"


@server.resource("test://template/{id}/data", mime_type="application/json")
def template(id: str) -> str:  # noqa: A002 - the parameter's name is part of the URI template
    """Template, as the suite asks for."""
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


@server.prompt()
def test_simple_prompt() -> str:
    """Test simple prompt, as the suite asks for."""
    return "This is a simple prompt for testing."


@server.prompt()
def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """Test prompt with arguments, as the suite asks for."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


@server.prompt()
def test_prompt_with_embedded_resource(resourceUri: str) -> list[Any]:  # noqa: N803 - the suite's name
    """Test prompt with embedded resource, as the suite asks for."""
    resource = embedded(resourceUri, "Embedded resource content for testing.")
    return [UserMessage(resource), UserMessage("Please process the embedded resource above.")]


@server.prompt()
def test_prompt_with_image() -> list[Any]:
    """Test prompt with image, as the suite asks for."""
    return [UserMessage(IMAGE), UserMessage("Please analyze the image above.")]


@server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # the SDK has none
async def complete(*_: object) -> Completion:
    return Completion(values=["paris", "park", "party"], total=3, has_more=False)
