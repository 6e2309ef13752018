"""The rows that are on the map: GeoJSON features (RFC 7946), stores with OpenStreetMap's tags as properties."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from server.catalogue.hours import is_understood
from server.catalogue.rows import Key, LatLong, Name, Names, Part, Row, Text
from server.catalogue.states import STATES

StoreType = Literal["retail", "authorized_retailer"]
InternetType = Literal["fiber", "internet_air"]

_CORNERS = 4
"""A ring closes where it began, so a triangle has four positions (RFC 7946 section 3.1.6)."""


def parts(listed: str) -> list[str]:
    """Give the values of a list as OpenStreetMap writes one, separated by semicolons."""
    return [part.strip() for part in listed.split(";")]


def _listed(value: str) -> str:
    if not all(parts(value)):
        raise ValueError("values are separated by semicolons, and none of them is empty")
    return value


@cache
def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError("not the IANA name of a time zone") from None
    return name


@cache
def _hours(expression: str) -> str:
    if not is_understood(expression):
        raise ValueError('not opening hours as OpenStreetMap writes them, such as "Mo-Sa 10:00-20:00; Su,PH off"')
    return expression


def _without_height(value: Any) -> Any:
    return value[:2] if isinstance(value, list) and len(value) == 3 else value  # noqa: PLR2004 - RFC 7946 section 3.1.1


Longitude = Annotated[float, Field(strict=True, ge=-180, le=180)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90)]
Position = Annotated[
    tuple[Longitude, Latitude],
    BeforeValidator(_without_height),
    Field(description="Longitude, then latitude, in degrees."),
]
Listed = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_listed)]


class Tags(BaseModel):
    """What OpenStreetMap says of a place. Tags that are not described are kept as they are."""

    model_config = ConfigDict(extra="allow", frozen=True)


class StoreTags(Tags):
    """A store's tags."""

    ref: Annotated[Key | None, Field(description="The store's own id; the feature's ``id`` will do as well.")] = None
    name: Name
    house_number: Annotated[Name | None, Field(alias="addr:housenumber")] = None
    street: Annotated[Name | None, Field(alias="addr:street")] = None
    city: Annotated[Name | None, Field(alias="addr:city")] = None
    state: Annotated[str | None, Field(alias="addr:state", pattern=r"^[A-Z]{2}$", description="Its postal code.")] = (
        None
    )
    postcode: Annotated[str | None, Field(alias="addr:postcode", pattern=r"^\d{5}(-\d{4})?$")] = None
    phone: Annotated[Name | None, Field(validation_alias=AliasChoices("phone", "contact:phone"))] = None
    website: Annotated[
        str | None, Field(pattern=r"^https?://\S+$", validation_alias=AliasChoices("website", "contact:website"))
    ] = None
    opening_hours: Annotated[
        str | None, Field(max_length=255), AfterValidator(lambda value: value and _hours(value))
    ] = None
    timezone: Annotated[
        str | None,
        Field(description="IANA name; found by the coordinates when it is missing."),
        AfterValidator(lambda value: value and _zone(value)),
    ] = None
    store_type: StoreType = "retail"
    products: Annotated[Listed | None, Field(description="Kinds of products, separated by semicolons.")] = None
    services: Annotated[Listed | None, Field(description="Services, separated by semicolons.")] = None


class Point(Part):
    """A place on the map."""

    type: Literal["Point"]
    coordinates: Position


class Feature(Row):
    """What is on the map, with an id from wherever maps have one."""

    type: Literal["Feature"]
    bbox: Annotated[tuple[float, ...] | None, Field(min_length=4, max_length=6)] = None

    @model_validator(mode="before")
    @classmethod
    def _with_id(cls, given: Any) -> Any:
        """Take the id from the feature, or from its ``ref`` or ``@id``."""
        if not isinstance(given, dict) or not isinstance(given.get("properties"), dict):
            return given
        tags = given["properties"]
        found = next(
            (value for value in (tags.get("ref"), given.get("id"), tags.get("@id")) if value is not None), None
        )
        return given if found is None else {**given, "id": str(found) if isinstance(found, int) else found}


class Store(Feature):
    """A store."""

    geometry: Point
    properties: StoreTags

    @property
    def title(self) -> str:
        """Its name."""
        return self.properties.name

    def words(self) -> Iterator[str]:
        """Give address, products and services."""
        tags = self.properties
        yield f"store {STATES.get(tags.state or '', '')}"
        yield from filter(None, (tags.street, tags.city, tags.state, tags.postcode, tags.products, tags.services))

    @property
    def place(self) -> LatLong:
        """Where it is."""
        longitude, latitude = self.geometry.coordinates
        return LatLong(latitude, longitude)

    @property
    def group(self) -> str:
        """Its type."""
        return self.properties.store_type

    @property
    def time_zone(self) -> ZoneInfo:
        """The time zone of its opening hours."""
        return ZoneInfo(self.properties.timezone or "UTC")

    def complete(self) -> "Store":
        """Give the store with its time zone, from where it is."""
        if self.properties.timezone is not None:
            return self
        from tzfpy import get_tz  # noqa: PLC0415 - its map of the world takes 35 MB

        zone = get_tz(*self.geometry.coordinates)
        return self.model_copy(update={"properties": self.properties.model_copy(update={"timezone": zone})})


Ring = Annotated[tuple[Position, ...], Field(min_length=_CORNERS)]


class Shape(Part):
    """One polygon or several: in each the first ring is its outline, and the others are holes."""

    type: Literal["Polygon", "MultiPolygon"]
    coordinates: tuple[tuple[Ring, ...], ...] | tuple[Ring, ...]

    @model_validator(mode="after")
    def _check_rings(self) -> "Shape":
        if not self.coordinates or not all(self.coordinates):
            raise ValueError("there is no ring in it")
        if isinstance(self.coordinates[0][0][0], tuple) is not (self.type == "MultiPolygon"):
            raise ValueError(f"these are not the coordinates of a {self.type}")
        for ring in (ring for polygon in self.polygons for ring in polygon):
            if ring[0] != ring[-1]:
                raise ValueError("a ring has to end where it begins")
        return self

    @property
    def polygons(self) -> tuple[tuple[Ring, ...], ...]:
        """The polygons, whichever type it is."""
        return (self.coordinates,) if self.type == "Polygon" else self.coordinates  # type: ignore[return-value]

    def comes_near(self, place: LatLong, degrees: float) -> bool:
        """Tell whether the box around it reaches into the one that extends so far from a place on each side."""
        corners = [position for polygon in self.polygons for position in polygon[0]]
        east, north = [corner[0] for corner in corners], [corner[1] for corner in corners]
        beside = min(east) - degrees <= place.longitude <= max(east) + degrees
        return beside and min(north) - degrees <= place.latitude <= max(north) + degrees

    def covers(self, place: LatLong) -> bool:
        """Tell whether a place is inside, by counting the sides that a line from it to the east crosses."""
        return any(sum(_crossings(ring, place) for ring in polygon) % 2 == 1 for polygon in self.polygons)


def _crossings(ring: Ring, place: LatLong) -> int:
    """Count the sides of a ring east of a place, at its latitude; a corner belongs to the side above it."""
    east, north = place.longitude, place.latitude
    return sum(
        1
        for (x, y), (next_x, next_y) in pairwise(ring)
        if (y > north) != (next_y > north) and east < (next_x - x) * (north - y) / (next_y - y) + x
    )


class AreaTags(Tags):
    """What is to be had in an area."""

    name: Name
    service_type: InternetType
    plans: Annotated[Listed, Field(description="Ids of the plans to be had, separated by semicolons.")]
    note: Text | None = None


class Area(Feature):
    """An area in which home internet can be had."""

    geometry: Shape
    properties: AreaTags

    @property
    def title(self) -> str:
        """Its name."""
        return self.properties.name

    def words(self) -> Iterator[str]:
        """Give its type and its note."""
        yield from (f"{self.properties.service_type} coverage", self.properties.note or "")

    @property
    def plan_ids(self) -> Names:
        """The ids of the plans to be had there."""
        return tuple(parts(self.properties.plans))
