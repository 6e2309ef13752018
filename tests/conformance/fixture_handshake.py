"""What only the revisions with a handshake have: requests to the client, levels of logging, watched resources."""

import asyncio

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import Context
from mcp_types import (
    EmptyResult,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel, Field, JsonValue

SINGLE: list[JsonValue] = ["option1", "option2", "option3"]


class Person(BaseModel):
    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


class Defaults(BaseModel):
    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: str = Field("active", json_schema_extra={"enum": ["active", "inactive", "pending"]})
    verified: bool = True


def titled(*pairs: tuple[str, str]) -> list[JsonValue]:
    """Write choices with their titles."""
    return [{"const": value, "title": title} for value, title in pairs]


ORDINALS = titled(("value1", "First Option"), ("value2", "Second Option"), ("value3", "Third Option"))


class Enums(BaseModel):
    untitledSingle: str = Field(json_schema_extra={"enum": SINGLE})  # noqa: N815 - the suite's name
    titledSingle: str = Field(json_schema_extra={"oneOf": ORDINALS})  # noqa: N815
    legacyEnum: str = Field(  # noqa: N815
        json_schema_extra={
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        }
    )
    untitledMulti: list[str] = Field(  # noqa: N815
        json_schema_extra={"items": {"type": "string", "enum": SINGLE}}
    )
    titledMulti: list[str] = Field(json_schema_extra={"items": {"anyOf": ORDINALS}})  # noqa: N815


async def test_sampling(prompt: str, ctx: Context) -> str:
    question = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    answer = await ctx.session.create_message(messages=[question], max_tokens=100)
    return f"LLM response: {getattr(answer.content, 'text', '')}"


async def test_elicitation(message: str, ctx: Context) -> str:
    return f"User response: {await _elicit(ctx, message, Person)}"


async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
    return f"Elicitation completed: {await _elicit(ctx, 'Who are you?', Defaults)}"


async def test_elicitation_sep1330_enums(ctx: Context) -> str:
    return f"Elicitation completed: {await _elicit(ctx, 'Which ones?', Enums)}"


async def _elicit(ctx: Context, message: str, schema: type[BaseModel]) -> str:
    answer = await ctx.elicit(message, schema)
    content = answer.data.model_dump_json() if answer.action == "accept" else "{}"
    return f"action={answer.action}, content={content}"


async def test_reconnection(ctx: Context) -> str:
    """Close the stream in the middle, so that the client has to come back for the rest."""
    await ctx.close_sse_stream()
    await asyncio.sleep(0.1)
    return "Reconnection test completed successfully"


TOOLS = (
    test_sampling,
    test_elicitation,
    test_elicitation_sep1034_defaults,
    test_elicitation_sep1330_enums,
    test_reconnection,
)


async def _acknowledge(_: ServerRequestContext, __: object) -> EmptyResult:
    return EmptyResult()


def add_handlers(server: Server) -> None:
    """Serve the methods that the comfortable server of the SDK leaves out, since 2026-07-28 has none of them."""
    methods: tuple[tuple[str, type[BaseModel]], ...] = (
        ("logging/setLevel", SetLevelRequestParams),
        ("resources/subscribe", SubscribeRequestParams),
        ("resources/unsubscribe", UnsubscribeRequestParams),
    )
    for method, parameters in methods:
        server.add_request_handler(method, parameters, _acknowledge)
