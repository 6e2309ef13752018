"""The catalogue as resources: each kind as a whole, but for the stores, and each row by its id."""

import json
from functools import partial

from server.catalogue.files import KINDS
from server.services import Services
from server.toolkit.resources import MOST_COMPLETIONS, Resource, Template
from server.toolkit.shelf import Shelves

_SINGULAR = {
    "stores": "store",
    "areas": "coverage area",
    "plans": "plan",
    "devices": "device",
    "services": "service",
    "offers": "internet backup offer",
    "articles": "help article",
    "recommendations": "recommendation",
}
_BY_ID_ONLY = frozenset({"stores"})
"""There may be so many that nobody wants to read them all."""


def kinds(services: Services) -> list[Resource]:
    """Make a resource of each kind."""
    return [
        Resource(
            uri=f"catalogue://{kind}",
            name=kind,
            title=f"All {_SINGULAR[kind]}s",
            description=f"Every {_SINGULAR[kind]} of the catalogue, as JSON.",
            read=partial(_read_all, services.store, kind),
        )
        for kind in KINDS
        if kind not in _BY_ID_ONLY
    ]


def templates(services: Services) -> list[Template]:
    """Make a template of each kind's URIs."""
    return [
        Template(
            prefix=f"catalogue://{kind}/",
            variable="id",
            name=kind,
            title=f"One {_SINGULAR[kind]}",
            description=f"A {_SINGULAR[kind]} of the catalogue by its id, as JSON.",
            read=partial(_read_one, services.store, kind),
            complete=partial(_complete, services.store, kind),
        )
        for kind in KINDS
    ]


async def _read_all(shelves: Shelves, kind: str) -> str:
    stock = await shelves.get_stock(kind, None)
    rows = [json.loads(document) for document in stock.documents] if stock else []
    return json.dumps({"notice": stock.notice if stock else None, kind: rows}, ensure_ascii=False)


async def _read_one(shelves: Shelves, kind: str, item_id: str) -> str | None:
    found = await shelves.get_item(kind, item_id)
    if found is None:
        return None
    return json.dumps({"notice": found.notice, **json.loads(found.document)}, ensure_ascii=False)


async def _complete(shelves: Shelves, kind: str, prefix: str) -> tuple[str, ...]:
    return await shelves.get_item_ids(kind, prefix, MOST_COMPLETIONS + 1)
