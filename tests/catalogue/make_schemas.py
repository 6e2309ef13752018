"""Makes ``data/*.schema.json`` of the rows' types; ``make schemas`` runs it."""

import json

from server import shipped
from server.catalogue.files import KINDS
from server.catalogue.schema import schema


def written(kind: str) -> str:
    """Give the text of a kind's schema file."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in KINDS:
        (shipped.directory("data") / f"{name}.schema.json").write_text(written(name), encoding="utf-8")
