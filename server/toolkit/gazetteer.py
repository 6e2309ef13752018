"""Where a place in the United States is, found offline in the `zipcodes` package's data.

That package answers a first query only after it has unpacked all of its data: a third of a second
in which no other thread runs, and 40 MB for the rest of the process. So a short-lived child process
reads it once, at the first look-up, and hands back a table of 5 MB.
"""

import asyncio
import math
import re
import subprocess
import sys
import threading
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any

STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
    "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan",
    "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
    "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "PR": "Puerto Rico",
    "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas",
    "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "VI": "Virgin Islands", "WA": "Washington",
    "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming", "GU": "Guam", "AS": "American Samoa",
    "MP": "Northern Mariana Islands",
}  # fmt: skip
"""States, the District of Columbia and territories, by postal code."""

ACCEPTED = (
    'a five-digit ZIP code ("98101"), a city with its state ("Austin, TX" or "Austin, Texas"), '
    'or latitude and longitude in degrees ("30.27, -97.74")'
)
"""The forms of a location, for schemas and errors."""

_COORDINATES = re.compile(r"([+-]?\d{1,3}(?:\.\d*)?)\s*[,;]\s*([+-]?\d{1,3}(?:\.\d*)?)")
_ZIP_AT_END = re.compile(r"(?:.*\D)?(\d{5})(?:-\d{4})?", re.DOTALL)
_COUNTRY_AT_END = re.compile(r"[\s,]+(?:usa|u\.s\.a\.?|us|u\.s\.|united states)\s*$", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9]+")
_ABBREVIATIONS = {"saint": "st", "fort": "ft", "mount": "mt", "sainte": "ste"}
_LOAD_TIMEOUT = 30
_EARTH_RADIUS_MILES = 3958.8


@dataclass(frozen=True, slots=True)
class Place:
    """A point with the name under which it was found; degrees, north and east positive."""

    label: str
    latitude: float
    longitude: float


class UnknownPlace(Exception):  # noqa: N818 - it names what came in, and becomes a tool error
    """A location was not understood; the message says so and what would be."""


class Gazetteer:
    """Finds places; its table is read at the first look-up that needs it, once."""

    def __init__(self) -> None:
        """Start empty."""
        self._table: _Table | None = None
        self._loading = threading.Lock()

    async def locate(self, text: str) -> Place:
        """Find a ZIP code, a city with its state, or a pair of coordinates.

        Raises:
            UnknownPlace: The text is none of these, or there is no such place.
        """
        text = text.strip()
        if pair := _COORDINATES.fullmatch(text):
            return _point(text, float(pair[1]), float(pair[2]))
        text = _COUNTRY_AT_END.sub("", text)
        table = self._table
        if table is None:
            table = await asyncio.to_thread(self._load)
        if zip_code := _ZIP_AT_END.fullmatch(text):
            place = table.find(zip_code[1])
        else:
            place = next((found for key in _city_keys(text) if (found := table.find(key))), None)
        if place is None:
            raise UnknownPlace(f'"{text[:80]}" is not a place that is known here. Try {ACCEPTED}.')
        return place

    def _load(self) -> "_Table":
        """Read the table in a child process; a caller who comes meanwhile waits for the same one."""
        with self._loading:
            if self._table is None:
                command = [sys.executable, "-P", __file__]
                done = subprocess.run(  # noqa: S603 - nothing in the command comes from outside
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, timeout=_LOAD_TIMEOUT
                )
                self._table = _Table(done.stdout)
            return self._table


def distance_miles(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Give the great-circle distance in miles between two points in degrees, by the haversine formula."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_latitude = math.sin((other_phi - phi) / 2) ** 2
    half_longitude = math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    haversine = half_latitude + math.cos(phi) * math.cos(other_phi) * half_longitude
    return 2 * _EARTH_RADIUS_MILES * math.asin(math.sqrt(min(1.0, haversine)))


class _Table:
    """Sorted lines, each of ``key``, label, latitude and longitude between tabs, searched without taking them apart."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._starts = array("I", (0, *(match.end() for match in re.finditer(b"\n", text))))

    def find(self, key: str) -> Place | None:
        start = self._starts[bisect_left(self._starts, key.encode(), hi=len(self._starts) - 1, key=self._key)]
        if self._key(start) != key.encode():
            return None
        _, label, latitude, longitude = self._text[start : self._text.index(b"\n", start)].decode().split("\t")
        return Place(label, float(latitude), float(longitude))

    def _key(self, start: int) -> bytes:
        return self._text[start : self._text.find(b"\t", start)]


def _point(text: str, latitude: float, longitude: float) -> Place:
    if abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees of a sphere
        raise UnknownPlace(f'"{text[:80]}" is not a point: latitude goes from -90 to 90, longitude from -180 to 180.')
    return Place(f"{latitude:g}, {longitude:g}", latitude, longitude)


def _city_keys(text: str) -> Iterator[str]:
    """Read a text as a city and a state, each split of its words in turn: "New York New York", "Austin TX"."""
    words = _fold(text.replace(".", "")).split()
    codes = {_fold(name): code for code, name in STATES.items()} | {code.lower(): code for code in STATES}
    for split in range(1, len(words)):
        if code := codes.get(" ".join(words[split:])):
            yield f"{' '.join(words[:split])},{code}"


@cache
def _fold(name: str) -> str:
    """Bring a name to the form in which names are compared: no case, accents, punctuation or long "Saint"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return " ".join(_ABBREVIATIONS.get(word, word) for word in _WORD.findall(plain))


def _lines() -> Iterator[str]:
    """Make the table's lines out of the package's data; the first line of a key counts.

    A city is at the median of its ordinary ZIP codes. After the names that the post office uses come
    those that it accepts, those that people use all the same, and counties.
    """
    import zipcodes  # noqa: PLC0415 - only the child process may load it

    for code in STATES:
        found = zipcodes.filter_by_state(code)  # type: ignore[no-untyped-call] # the package types only its core
        rows = [row for row in found if (row["lat"], row["long"]) != ("0", "0")]
        for row in rows:
            yield f"{row['zip_code']}\t{row['city']}, {code} {row['zip_code']}\t{row['lat']}\t{row['long']}"
        seen: set[str] = set()
        for names_of in (_city, _accepted, _unaccepted, _county):
            yield from _cities(code, rows, names_of, seen)


def _cities(code: str, rows: list[dict[str, Any]], names_of: Any, seen: set[str]) -> Iterator[str]:
    """Make the lines of those names of a state's ZIP codes that were not seen before."""
    named: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    for row in rows:
        for name in names_of(row):
            named.setdefault(_fold(name), (name, []))[1].append(row)
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
    sys.stdout.buffer.writelines(sorted(f"{line}\n".encode() for line in _lines()))
