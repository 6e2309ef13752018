"""Where a place in the United States is, found offline in a table of ZIP codes, cities and counties.

The table is made of the `zipcodes` package's data by ``make places``, and a test holds it to that
package. Asking the package itself would cost a third of a second in which no other thread runs, and
40 MB for the rest of the process.
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from mcp.server.mcpserver.exceptions import ToolError

from server import shipped
from server.catalogue.rows import LatLong
from server.catalogue.states import STATES

ACCEPTED = (
    'a five-digit ZIP code ("98101"), a city with its state ("Dallas, TX" or "Dallas, Texas"), '
    'or latitude and longitude in degrees ("32.78, -96.80")'
)
"""The forms of a location, for schemas and errors."""

ADDRESSES = (
    'an address that ends in its ZIP code, or in city and state ("2100 Sample Street, Dallas, TX 75201"), '
    "or latitude and longitude in degrees"
)
"""The forms of an address, for schemas and errors."""

Precision = Literal["point", "zip", "city"]
"""How closely an address was placed: exactly, at the middle of its ZIP code, or of its city."""

_COORDINATES = re.compile(r"([+-]?\d{1,3}(?:\.\d*)?)\s*[,;]\s*([+-]?\d{1,3}(?:\.\d*)?)")
_ZIP_AT_END = re.compile(r"(?:.*\D)?(\d{5})(?:-\d{4})?", re.DOTALL)
_COUNTRY_AT_END = re.compile(r"[\s,]+(?:usa|u\.s\.a\.?|us|u\.s\.|united states)\s*$", re.IGNORECASE)
_NUMBERED_AT_END = re.compile(r"\b(?:box|apt|apartment|unit|suite|ste|room|rm)\W*$", re.IGNORECASE)
"""After such a word comes a number that is no ZIP code."""

_WORD = re.compile(r"[a-z0-9]+")
_ABBREVIATIONS = {"saint": "st", "fort": "ft", "mount": "mt", "sainte": "ste"}
_EARTH_RADIUS_MILES = 3958.8


@dataclass(frozen=True, slots=True)
class Place:
    """A point with the name under which it was found; degrees, north and east positive."""

    label: str
    latitude: float
    longitude: float

    @property
    def point(self) -> LatLong:
        """The point alone."""
        return LatLong(self.latitude, self.longitude)


class UnknownPlace(ToolError):  # noqa: N818 - it names what came in
    """A location was not understood; the message says so and what would be."""


class Gazetteer:
    """Finds places; its table is read at the first look-up that needs it, once."""

    @cached_property
    def _table(self) -> "_Table":
        return _Table((shipped.directory("data") / "places.tsv").read_bytes())

    def locate(self, text: str) -> Place:
        """Find a ZIP code, a city with its state, or a pair of coordinates.

        Raises:
            UnknownPlace: The text is none of these, or there is no such place.
        """
        text = text.strip()
        if pair := _COORDINATES.fullmatch(text):
            return _point(text, float(pair[1]), float(pair[2]))
        text = _COUNTRY_AT_END.sub("", text)
        if zip_code := _ZIP_AT_END.fullmatch(text):
            place = self._table.find(zip_code[1])
        else:
            place = next((found for key in _city_keys(text) if (found := self._table.find(key))), None)
        if place is None:
            raise UnknownPlace(f'"{text[:80]}" is not a place that is known here. Try {ACCEPTED}.')
        return place

    def locate_address(self, text: str) -> tuple[Place, Precision]:
        """Find a postal address, as closely as its ZIP code or its city with the state tells; or what `locate` does.

        Raises:
            UnknownPlace: None of them can be found, or ZIP code and state contradict each other.
        """
        text = _COUNTRY_AT_END.sub("", text.strip())
        if _COORDINATES.fullmatch(text):
            return self.locate(text), "point"
        if zip_code := _ZIP_AT_END.fullmatch(text):
            place = self._table.find(zip_code[1])
            before = text[: zip_code.start(1)]
            state = next(_states_at_end(before), None)
            if place is not None and state in {None, place.label[-8:-6]} and not _NUMBERED_AT_END.search(before):
                return place, "zip"
        else:
            words = fold(text.replace(".", "")).split()
            for key in (key for start in range(len(words)) for key in _city_keys(" ".join(words[start:]))):
                if place := self._table.find(key):
                    return place, "city"
        raise UnknownPlace(f'"{text[:80]}" cannot be placed. Try {ADDRESSES}.')


GAZETTEER = Gazetteer()
"""One for the process: it is the same for every tool."""


def distance_miles(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Give the great-circle distance in miles between two points in degrees, by the haversine formula."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_latitude = math.sin((other_phi - phi) / 2) ** 2
    half_longitude = math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    haversine = half_latitude + math.cos(phi) * math.cos(other_phi) * half_longitude
    return 2 * _EARTH_RADIUS_MILES * math.asin(math.sqrt(min(1.0, haversine)))


class _Table:
    """Sorted lines, each of ``key``, label, latitude and longitude between tabs, searched as they are."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    def find(self, key: str) -> Place | None:
        """Halve the text, each time at the beginning of a line, until the key's line is left."""
        wanted, low, high = key.encode(), 0, len(self._text)
        while low < high:
            middle = max(low, self._text.rfind(b"\n", low, (low + high) // 2) + 1)
            if self._key(middle) < wanted:
                low = self._text.index(b"\n", middle) + 1
            else:
                high = middle
        if self._key(low) != wanted:
            return None
        _, label, latitude, longitude = self._text[low : self._text.index(b"\n", low)].decode().split("\t")
        return Place(label, float(latitude), float(longitude))

    def _key(self, start: int) -> bytes:
        return self._text[start : self._text.find(b"\t", start)]


def _point(text: str, latitude: float, longitude: float) -> Place:
    if abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees of a sphere
        raise UnknownPlace(f'"{text[:80]}" is not a point: latitude goes from -90 to 90, longitude from -180 to 180.')
    return Place(f"{latitude:g}, {longitude:g}", latitude, longitude)


def _city_keys(text: str) -> Iterator[str]:
    """Read a text as a city and a state, each split of its words in turn: "New York New York", "Austin TX"."""
    words = fold(text.replace(".", "")).split()
    for split in range(1, len(words)):
        if code := _codes().get(" ".join(words[split:])):
            yield f"{' '.join(words[:split])},{code}"


def _states_at_end(text: str) -> Iterator[str]:
    """Give the states that a text may end in, longest names first."""
    words = fold(text.replace(".", "")).split()
    return (code for start in range(len(words)) if (code := _codes().get(" ".join(words[start:]))))


@cache
def _codes() -> dict[str, str]:
    """Give the states' codes by their names and by themselves, folded."""
    return {fold(name): code for code, name in STATES.items()} | {code.lower(): code for code in STATES}


@cache
def fold(name: str) -> str:
    """Bring a name to the form in which names are compared: no case, accents, punctuation or long "Saint"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return " ".join(_ABBREVIATIONS.get(word, word) for word in _WORD.findall(plain))
