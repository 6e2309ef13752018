"""The JSON Schema of each kind of file, made of the rows' own types; ``data/*.schema.json`` are these."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from server.catalogue.files import KINDS
from server.catalogue.geo import Feature


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the overridden method's argument
        return False


def schema(kind: str) -> dict[str, Any]:
    """Give the schema of a kind's file (JSON Schema 2020-12)."""
    row_type, member = KINDS[kind]
    row = row_type.model_json_schema(schema_generator=_Untitled)
    defs = row.pop("$defs", {})
    is_geojson = issubclass(row_type, Feature)
    if is_geojson:
        row["required"].remove("id")  # the ``ref`` among the properties will do
        row["properties"]["id"] = {"anyOf": [{"$ref": "#/$defs/Key"}, {"type": "integer"}]}
        defs["Key"] = row_type.model_json_schema(schema_generator=_Untitled)["properties"]["id"]
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
