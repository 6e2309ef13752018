"""Makes ``data/*.schema.json`` of the rows' types; ``make schemas`` runs it."""

import json
from typing import Any

from server import shipped
from server.catalogue.files import KINDS
from server.catalogue.geo import Feature
from server.toolkit.tool import Untitled


def schema(kind: str) -> dict[str, Any]:
    """Give the schema of a kind's file (JSON Schema 2020-12)."""
    row_type, member = KINDS[kind]
    row = row_type.model_json_schema(schema_generator=Untitled)
    defs = row.pop("$defs", {})
    is_geojson = issubclass(row_type, Feature)
    if is_geojson:
        row["required"].remove("id")  # the ``ref`` among the properties will do
        row["properties"]["id"] = {"anyOf": [{"$ref": "#/$defs/Key"}, {"type": "integer"}]}
        defs["Key"] = row_type.model_json_schema(schema_generator=Untitled)["properties"]["id"]
    beside: dict[str, Any] = {"type": {"const": "FeatureCollection"}} if is_geojson else {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.capitalize(),
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            "notice": {"type": "string", "description": "What a reader has to be told of the rows, if anything."},
            **beside,
            member: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Row"}},
        },
        "required": [*beside, member],
        "additionalProperties": is_geojson,
        "$defs": {"Row": row, **defs},
    }


def written(kind: str) -> str:
    """Give the text of a kind's schema file."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in KINDS:
        (shipped.directory("data") / f"{name}.schema.json").write_text(written(name), encoding="utf-8")
