"""fetch: one thing of the catalogue as a whole, in the form that deep research expects."""

import json
from typing import Annotated

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from server.services import Services
from server.toolkit.catalogue import DATA
from server.toolkit.citations import find, key_of, text_of, url_of
from server.toolkit.shelf import Shelves
from server.toolkit.tool import Answer, Arguments, Call, Tool


class FetchArguments(Arguments):
    """What the tool is called with."""

    id: str = Field(min_length=1, max_length=200, description="the id of a result, as search gives it")


class FetchOutput(TypedDict):
    """One thing of the catalogue."""

    id: str
    title: str
    text: Annotated[str, Field(description="All that is known of it.")]
    url: Annotated[str, Field(description="Where a person can see it.")]
    metadata: Annotated[dict[str, str], Field(description="Its kind, and what a reader has to be told of it.")]


def tool(services: Services) -> Tool[FetchArguments]:
    """Make the tool."""
    shelves: Shelves = services.store

    async def fetch(call: Call[FetchArguments]) -> Answer:
        found = await find(shelves, call.arguments.id)
        if found is None:
            raise ToolError(f'There is nothing with the id "{call.arguments.id[:80]}"; take one that search gives.')
        output = FetchOutput(
            id=key_of(found),
            title=found.title,
            text=text_of(found),
            url=url_of(found, services.settings.server_url),
            metadata={"kind": found.kind} | ({} if found.notice is None else {"notice": found.notice}),
        )
        return Answer(json.dumps(output, ensure_ascii=False), output)

    return Tool(
        name="fetch",
        title="Read a search result",
        description=f"Give all that is known of one search result, by its id. {DATA}",
        scopes=("read",),
        arguments=FetchArguments,
        output=FetchOutput,
        answer=fetch,
    )
