"""search: the catalogue by words, in the form that deep research expects."""

import json
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from server.services import Services
from server.toolkit.catalogue import DATA
from server.toolkit.citations import key_of, url_of
from server.toolkit.shelf import Shelves
from server.toolkit.tool import Answer, Arguments, Call, Tool

_MOST = 20
_KINDS = ("stores", "devices", "plans", "services", "offers", "articles")


class SearchArguments(Arguments):
    """What the tool is called with."""

    query: str = Field(min_length=1, max_length=500, description="words to look for, as text of up to 500 characters")


class SearchResult(TypedDict):
    """Something that was found."""

    id: Annotated[str, Field(description="What fetch takes.")]
    title: str
    url: Annotated[str, Field(description="Where a person can see it.")]


class SearchOutput(TypedDict):
    """What was found, the best first."""

    results: list[SearchResult]


def tool(services: Services) -> Tool[SearchArguments]:
    """Make the tool; the words are looked for in the database."""
    shelves: Shelves = services.store

    async def search(call: Call[SearchArguments]) -> Answer:
        found = await shelves.search_catalogue(call.arguments.query, _KINDS, _MOST)
        results = [
            SearchResult(id=key_of(one), title=one.title, url=url_of(one, services.settings.server_url))
            for one in found
        ]
        output = SearchOutput(results=results)
        return Answer(json.dumps(output, ensure_ascii=False), output)

    return Tool(
        name="search",
        title="Search stores, products, plans and help",
        description=(
            "Search stores, phones, tablets, watches, plans, services and help articles by words; fetch then gives "
            f"the whole of a result. {DATA}"
        ),
        scopes=("read",),
        arguments=SearchArguments,
        output=SearchOutput,
        answer=search,
    )
