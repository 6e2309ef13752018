"""Catalogue files: JSON that ships with the program, checked against its schema before anything uses it."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

T = TypeVar("T")


class CatalogueError(Exception):
    """A catalogue file cannot be used; the message is one line that names the file, the row and the fault."""


def load(directory: Path, name: str, make: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
    """Read ``<name>.json``, check it against ``<name>.schema.json``, and make a value of each row.

    Args:
        directory: Where both files are.
        name: The catalogue's name, and the key in the file that holds its rows; each row has an ``id``.
        make: Turns a checked row into a value; may raise `LookupError` or `ValueError`.

    Raises:
        CatalogueError: A file is missing or not JSON, breaks its schema, or gives an id twice.
    """
    path = directory / f"{name}.json"
    document = _read(path)
    fault = best_match(Draft202012Validator(_read(directory / f"{name}.schema.json")).iter_errors(document))
    if fault is not None:
        raise CatalogueError(f"{path}: {_row(document, list(fault.absolute_path))}: {_one_line(fault.message)}")
    rows = document[name]
    for row_id, times in Counter(row["id"] for row in rows).items():
        if times > 1:
            raise CatalogueError(f"{path}: row {row_id}: the id is given {times} times")
    return tuple(_made(path, row, make) for row in rows)


def _made(path: Path, row: dict[str, Any], make: Callable[[dict[str, Any]], T]) -> T:
    """Make a row's value; what no schema can say, such as that a time zone exists, fails here."""
    try:
        return make(row)
    except (LookupError, ValueError) as error:
        raise CatalogueError(f"{path}: row {row['id']}: {_one_line(str(error))}") from error


def _read(path: Path) -> Any:
    """Parse a JSON file."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise CatalogueError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise CatalogueError(f"{path}: not JSON: {_one_line(str(error))}") from error


def _row(document: Any, path: list[str | int]) -> str:
    """Name the row that a fault's path leads to, by its id where it has one, and the field in it."""
    match path:
        case [str(name), int(index), *field]:
            row = document[name][index]
            row_id = row.get("id", index) if isinstance(row, dict) else index
            return " ".join([f"row {row_id}", ".".join(map(str, field))]).rstrip()
        case _:
            return ".".join(map(str, path)) or "the whole file"


def _one_line(text: str) -> str:
    """Keep a message to one line of bearable length; a validator says what is wrong last."""
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"…{line[-199:]}"  # noqa: PLR2004 - about what a terminal line or two holds
