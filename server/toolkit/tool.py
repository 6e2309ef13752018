"""The form of a bundled tool, and how one is run."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import mcp_types as types
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema

from server.oauth.store import StoreUnavailable

logger = logging.getLogger(__name__)

_LONGEST_ECHO = 80
"""So many characters of a value are repeated in an error."""


class Arguments(BaseModel):
    """What a tool is called with: ``snake_case`` here, ``camelCase`` on the wire.

    A field's description is a noun phrase: it goes into the schema, and into errors after "it takes".
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Untitled(GenerateJsonSchema):
    """Leaves out the titles that would only repeat the fields' names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the overridden method's argument
        """Say no, whatever the field is."""
        return False


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Call(Generic[A]):
    """One call of a tool, its arguments checked."""

    arguments: A
    params: types.CallToolRequestParams
    """The call as it came: ``input_responses`` and ``request_state`` are there, when it is a second round."""
    context: ServerRequestContext[Any]
    """The SDK's: its session asks the client things, and reports progress."""

    @property
    def caller(self) -> AccessToken | None:
        """Whose call it is; ``None`` where no token was needed."""
        return get_access_token()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool says: text that is useful without a widget, and the same as data in the output schema's form."""

    text: str
    data: Mapping[str, Any]
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What only a widget needs; it goes into the result's ``_meta``, which clients keep from the model."""


def listing(head: str, lines: Iterable[str], data: Mapping[str, Any]) -> Answer:
    """Make the answer of a tool that lists: a sentence on the whole, then a line for each entry."""
    return Answer("\n".join([head, *(f"- {line}" for line in lines)]), data)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a client may take for granted of a tool (MCP specification, "ToolAnnotations")."""

    read_only: bool = True
    destructive: bool = False
    """Whether it may undo or use up something, rather than only add to it."""
    idempotent: bool = True
    """Whether the same call again changes nothing more."""
    open_world: bool = False
    """Whether it deals with more than what this server itself keeps."""


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """All that there is to know about a tool."""

    name: str
    title: str
    description: str
    scopes: tuple[str, ...]
    """What a token needs for a call, all of them."""
    arguments: type[A]
    output: type[Any]
    """A `TypedDict` whose keys are the wire's."""
    answer: Callable[[Call[A]], Awaitable[Answer | types.InputRequiredResult]]
    """Answers a call; raises `ToolError` with a sentence for the model."""
    hints: Hints = Hints()
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What else goes into its ``_meta``."""
    screen: Callable[[Any], None] | None = None
    """Looks at what a client sent before anything else does, and raises `ToolError`; then no error repeats a value."""
    choices: Mapping[str, Callable[[], Awaitable[Sequence[str]]]] = field(default_factory=dict)
    """What some of its arguments take at the moment, by their names on the wire: enums of its schema, if few enough."""

    def definition(self) -> types.Tool:
        """Give the tool's entry in ``tools/list``."""
        return types.Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=self.arguments.model_json_schema(schema_generator=Untitled),
            output_schema=TypeAdapter(self.output).json_schema(schema_generator=Untitled),
            annotations=types.ToolAnnotations(
                title=self.title,
                read_only_hint=self.hints.read_only,
                destructive_hint=self.hints.destructive,
                idempotent_hint=self.hints.idempotent,
                open_world_hint=self.hints.open_world,
            ),
            _meta={"scopes": list(self.scopes), **self.meta},
        )


async def run(
    tool: Tool[A], params: types.CallToolRequestParams, context: ServerRequestContext[Any]
) -> types.CallToolResult | types.InputRequiredResult:
    """Answer one call, whatever happens in it; a null argument counts as left out.

    A failure that the model can do something about becomes a tool error (MCP specification, "Tools",
    "Error Handling").
    """
    try:
        given = {name: value for name, value in (params.arguments or {}).items() if value is not None}
        if tool.screen is not None:
            tool.screen(given)
        answer = await tool.answer(Call(tool.arguments.model_validate(given, by_alias=True), params, context))
    except ValidationError as error:
        return _failure(" ".join(_explain(tool, fault) for fault in error.errors(include_url=False)))
    except ToolError as error:
        return _failure(str(error))
    except StoreUnavailable:
        return _failure("The data cannot be read just now, and nothing was changed. Try again shortly.")
    except Exception:
        logger.exception("Tool %s failed", tool.name)
        return _failure("This tool failed. It is not about the arguments; the same call may work later.")
    if isinstance(answer, types.InputRequiredResult):
        return answer
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=answer.text)],
        structured_content=dict(answer.data),
        _meta=dict(answer.beside) or None,
    )


def _failure(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)


def _explain(tool: Tool[Any], fault: Mapping[str, Any]) -> str:
    """Say in a sentence what was wrong with an argument, and what it takes."""
    fields = {field.alias or name: field for name, field in tool.arguments.model_fields.items()}
    name = str(fault["loc"][0]) if fault["loc"] else ""
    if name not in fields:
        known = f"the arguments are {', '.join(fields)}" if fields else "this tool takes none"
        given = "of that name" if tool.screen is not None else repr(name[:_LONGEST_ECHO])
        return f"There is no argument {given}; {known}."
    if fault["type"] == "missing":
        return f"{name} is missing; it takes {fields[name].description}."
    if tool.screen is not None:
        return f"{name} cannot be what was given; it takes {fields[name].description}."
    value = json.dumps(fault["input"], ensure_ascii=False, default=str)
    echo = value if len(value) <= _LONGEST_ECHO else f"{value[:_LONGEST_ECHO]}…"
    return f"{name} cannot be {echo}; it takes {fields[name].description}."
