"""What a user may begin a conversation with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from server.toolkit.resources import Complete, completion

Context = ServerRequestContext[Any]


@dataclass(frozen=True, slots=True)
class Argument:
    """What a prompt asks its user for."""

    name: str
    title: str
    description: str
    required: bool = True
    said: str = "{}"
    """How the message says it; one that is left out is not said."""
    complete: Complete | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A way to begin: the first message, with what its user gave put into it."""

    name: str
    title: str
    description: str
    message: str
    """With the arguments' names in braces."""
    arguments: tuple[Argument, ...] = ()

    def write(self, given: Mapping[str, str]) -> str:
        """Write the message; only arguments that were given and are not blank are there."""
        said = {one.name: one.said.format(given[one.name]) if one.name in given else "" for one in self.arguments}
        return self.message.format_map(said)


class Prompts:
    """Answers what clients ask of prompts."""

    def __init__(self, prompts: Sequence[Prompt]) -> None:
        """Answer for these."""
        self._prompts = {prompt.name: prompt for prompt in prompts}

    def add_to(self, server: Server[Any]) -> None:
        """Answer on this server."""
        server.add_request_handler("prompts/list", types.PaginatedRequestParams, self.list)
        server.add_request_handler("prompts/get", types.GetPromptRequestParams, self.get)

    async def list(self, _context: Context, _params: types.PaginatedRequestParams) -> types.ListPromptsResult:
        """Answer ``prompts/list``."""
        return types.ListPromptsResult(
            prompts=[
                types.Prompt(
                    name=prompt.name,
                    title=prompt.title,
                    description=prompt.description,
                    arguments=[
                        types.PromptArgument(
                            name=one.name, title=one.title, description=one.description, required=one.required
                        )
                        for one in prompt.arguments
                    ],
                )
                for prompt in self._prompts.values()
            ]
        )

    async def get(self, _context: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """Answer ``prompts/get``.

        Raises:
            MCPError: There is no such prompt, or an argument is missing.
        """
        prompt = self._prompts.get(params.name)
        if prompt is None:
            raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name[:80]}")
        given = {name: text.strip() for name, text in (params.arguments or {}).items() if text.strip()}
        missing = [one.name for one in prompt.arguments if one.required and one.name not in given]
        if missing:
            raise MCPError(types.INVALID_PARAMS, f"The prompt {prompt.name} needs: {', '.join(missing)}")
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=prompt.write(given)))
        return types.GetPromptResult(description=prompt.description, messages=[message])

    async def complete(self, params: types.CompleteRequestParams) -> types.Completion:
        """Answer ``completion/complete`` for an argument; what has no completions has an empty list."""
        prompt = self._prompts.get(str(getattr(params.ref, "name", "")))
        arguments: Mapping[str, Argument] = {one.name: one for one in prompt.arguments} if prompt else {}
        argument = arguments.get(params.argument.name)
        if argument is None or argument.complete is None:
            return types.Completion(values=[])
        return completion(await argument.complete(params.argument.value))
