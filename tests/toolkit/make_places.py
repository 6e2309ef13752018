"""Makes ``data/places.tsv`` of the `zipcodes` package's data; ``make places`` runs it."""

from collections.abc import Iterator
from statistics import median
from typing import Any

import zipcodes

from server import shipped
from server.catalogue.states import STATES
from server.toolkit.gazetteer import fold


def table() -> bytes:
    """Give the whole table: a line for each key, sorted."""
    return b"".join(sorted(f"{line}\n".encode() for line in lines()))


def lines() -> Iterator[str]:
    """Make the table's lines out of the package's data; the first line of a key counts.

    A city is at the median of its ordinary ZIP codes. After the names that the post office uses come
    those that it accepts, those that people use all the same, and counties.
    """
    for code in STATES:
        found = zipcodes.filter_by_state(code)  # type: ignore[no-untyped-call] # the package types only its core
        rows = [row for row in found if (row["lat"], row["long"]) != ("0", "0")]
        for row in rows:
            latitude, longitude = (float(row[axis]) for axis in ("lat", "long"))
            yield f"{row['zip_code']}\t{row['city']}, {code} {row['zip_code']}\t{latitude:.4f}\t{longitude:.4f}"
        seen: set[str] = set()
        for names_of in (_city, _accepted, _unaccepted, _county):
            yield from _cities(code, rows, names_of, seen)


def _cities(code: str, rows: list[dict[str, Any]], names_of: Any, seen: set[str]) -> Iterator[str]:
    """Make the lines of those names of a state's ZIP codes that were not seen before."""
    named: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    for row in rows:
        for name in names_of(row):
            named.setdefault(fold(name), (name, []))[1].append(row)
    for key, (name, group) in named.items():
        if key and key not in seen:
            seen.add(key)
            usual = [row for row in group if row["zip_code_type"] == "STANDARD"] or group
            latitude, longitude = (median(float(row[axis]) for row in usual) for axis in ("lat", "long"))
            yield f"{key},{code}\t{name}, {code}\t{latitude:.4f}\t{longitude:.4f}"


def _city(row: dict[str, Any]) -> list[str]:
    return [row["city"]]


def _accepted(row: dict[str, Any]) -> list[str]:
    return list(row["acceptable_cities"])


def _unaccepted(row: dict[str, Any]) -> list[str]:
    return list(row["unacceptable_cities"])


def _county(row: dict[str, Any]) -> list[str]:
    return [row["county"], row["county"].removesuffix(" County")]


if __name__ == "__main__":
    (shipped.directory("data") / "places.tsv").write_bytes(table())
