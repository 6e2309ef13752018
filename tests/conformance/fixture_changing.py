"""What the suite changes while it listens, what it mirrors into headers, and a schema that must come through whole."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.tools import Tool
from pydantic import Field

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


async def test_logging_tool(ctx: Context) -> str:
    await ctx.info("Seen only by a client that set a level.")
    return "Logged."


async def test_trigger_tool_change(ctx: Context) -> str:
    """Add a tool or take it away again."""
    server = ctx.mcp_server
    if any(tool.name == "a_new_tool" for tool in await server.list_tools()):
        server.remove_tool("a_new_tool")
    else:
        server.add_tool(lambda: "new", name="a_new_tool", description="Comes and goes")
    await ctx.notify_tools_changed()
    return "The tools have changed."


async def test_trigger_prompt_change(ctx: Context) -> str:
    """Add a prompt or take it away again."""
    server = ctx.mcp_server
    if any(prompt.name == "a_new_prompt" for prompt in await server.list_prompts()):
        server.remove_prompt("a_new_prompt")
    else:
        server.add_prompt(Prompt.from_function(lambda: "new", name="a_new_prompt", description="Comes and goes"))
    await ctx.notify_prompts_changed()
    return "The prompts have changed."


def test_x_mcp_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
    return region


def with_schema() -> Tool:
    """Give a tool whose input schema is written by hand."""
    tool = Tool.from_function(lambda: "ok", name="json_schema_2020_12_tool", description="JSON Schema 2020-12")
    return tool.model_copy(update={"parameters": SCHEMA})


TOOLS = (test_logging_tool, test_trigger_tool_change, test_trigger_prompt_change, test_x_mcp_header)
