"""How a row of the catalogue is named, linked to and read by people."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from server.toolkit.money import money
from server.toolkit.shelf import Found, Shelves

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEMICOLON = re.compile(r";(?=\S)")
_LEFT_OUT = frozenset({"id", "type", "ref", "$schema", "hex"})


def key_of(found: Found) -> str:
    """Give the id by which a row of any kind is known, such as ``plans/demo-internet-300``."""
    return f"{found.kind}/{found.id}"


def url_of(found: Found, server_url: str) -> str:
    """Give the address of the page that shows a row."""
    return f"{server_url}/catalogue/{found.kind}/{quote(found.id, safe='')}"


async def find(shelves: Shelves, key: str) -> Found | None:
    """Give the row with such an id, or ``None``."""
    kind, _, item_id = key.partition("/")
    return await shelves.get_item(kind, item_id)


def text_of(found: Found) -> str:
    """Write a row as plain text: its title, what it says, and what a reader has to be told of it."""
    row = json.loads(found.document)
    lines = [found.title, row.pop("text")] if "text" in row else [found.title]
    row.pop("title", None)
    for said in (row, row.get("properties", {})):
        if said.get("name") == found.title:
            del said["name"]
    return "\n".join([*lines, *_lines(row), *([found.notice] if found.notice else [])])


def _lines(value: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Write the fields of an object, a line for each; objects inside are indented."""
    for name, inner in value.items():
        label = _HUMP.sub(" ", name.partition(":")[2] or name).replace("_", " ").capitalize()
        if name in _LEFT_OUT or inner is None or _is_outline(inner):
            continue
        if isinstance(inner, Mapping):
            yield from _lines(inner, indent)
        elif isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
            yield f"{indent}{label}:"
            for one in inner:
                first, *rest = _lines(one, f"{indent}  ")
                yield f"{indent}- {first.strip()}"
                yield from rest
        elif isinstance(inner, list):
            yield f"{indent}{label}: {'; '.join(map(str, inner))}"
        elif name.endswith("Cents"):
            yield f"{indent}{label.removesuffix(' cents')}: {money(inner)['formatted']}"
        else:
            yield f"{indent}{label}: {_SEMICOLON.sub('; ', str(inner))}"


def _is_outline(value: object) -> bool:
    """Tell the corners of an area, which say nothing to a reader."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)
