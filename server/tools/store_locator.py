"""att-store-locator: the stores near a place."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from server import resources
from server.services import Services
from server.toolkit import catalogue
from server.toolkit.gazetteer import ACCEPTED, Gazetteer, Place, UnknownPlace, distance_miles
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
GAZETTEER = Gazetteer()
"""One for the process: it is the same for every server."""
NOTICE = "Demonstration data: these stores are invented."

StoreType = Literal["retail", "authorized_retailer"]


class Hours(TypedDict):
    """When a store opens and closes, in its own time zone; closing at or before opening is on the next day."""

    open: Annotated[str, Field(pattern=r"^\d\d:\d\d$", description="Opening time, 00:00 to 23:59.")]
    close: Annotated[str, Field(pattern=r"^\d\d:\d\d$", description="Closing time, 00:00 (midnight) to 23:59.")]


class Week(TypedDict):
    """Opening hours by weekday; null is closed all day."""

    monday: Hours | None
    tuesday: Hours | None
    wednesday: Hours | None
    thursday: Hours | None
    friday: Hours | None
    saturday: Hours | None
    sunday: Hours | None


class Address(TypedDict):
    """A postal address in the United States."""

    street: str
    city: str
    state: Annotated[str, Field(description="The state's two-letter code.")]
    zip: str


@dataclass(frozen=True, slots=True)
class Store:
    """A row of ``data/stores.json``; degrees, north and east positive."""

    store_id: str
    name: str
    store_type: StoreType
    latitude: float
    longitude: float
    address: Address
    phone: str
    time_zone: ZoneInfo
    hours: Week
    products: tuple[str, ...]
    services: tuple[str, ...]


class StoreLocatorArguments(Arguments):
    """What the tool is called with."""

    location: str = Field(min_length=1, max_length=200, description=ACCEPTED)
    store_type: Literal["retail", "authorized_retailer", "all"] = Field(
        "all", description='"retail", "authorized_retailer" or "all"'
    )
    radius_miles: float = Field(25, gt=0, le=500, description="a number of miles above 0 and up to 500")
    limit: int = Field(10, ge=1, le=50, description="a whole number from 1 to 50: the most stores to list")


class Coordinates(TypedDict):
    """A point, in degrees; north and east are positive."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Origin(TypedDict):
    """The place from which distances are measured."""

    label: str
    coordinates: Coordinates


class StoreEntry(TypedDict):
    """A store near the place."""

    id: str
    name: str
    type: StoreType
    coordinates: Coordinates
    address: Address
    phone: str
    timeZone: Annotated[str, Field(description="The IANA name of the time zone that the hours are in.")]
    hours: Week
    openNow: Annotated[bool, Field(description="Whether the store was open when this was answered.")]
    products: list[str]
    services: list[str]
    distanceMiles: Annotated[float, Field(ge=0, description="The great-circle distance from the place.")]


class StoreLocatorOutput(TypedDict):
    """The stores within the radius, nearest first."""

    origin: Origin
    radiusMiles: float
    storeType: Literal["retail", "authorized_retailer", "all"]
    totalInRadius: Annotated[int, Field(ge=0, description="How many stores there are, listed or not.")]
    stores: list[StoreEntry]
    notice: Annotated[str, Field(description="What kind of data this is.")]


def tool(services: Services) -> Tool[StoreLocatorArguments]:
    """Make the tool.

    Raises:
        catalogue.CatalogueError: ``data/stores.json`` cannot be used.
    """
    stores = catalogue.load(resources.directory("data"), "stores", _store)

    async def locate_stores(call: Call[StoreLocatorArguments]) -> Answer:
        arguments = call.arguments
        try:
            place = GAZETTEER.locate(arguments.location)
        except UnknownPlace as error:
            raise ToolError(str(error)) from None
        of_type = [store for store in stores if arguments.store_type in {"all", store.store_type}]
        return _answer(arguments, place, of_type, services.clock())

    return Tool(
        name="att-store-locator",
        title="Find stores",
        description=(
            "Find AT&T stores near a place in the United States, nearest first, with address, phone, opening hours, "
            "whether they are open now, products and services. Invented demonstration data."
        ),
        scopes=("read",),
        arguments=StoreLocatorArguments,
        output=StoreLocatorOutput,
        answer=locate_stores,
    )


def _store(row: dict[str, Any]) -> Store:
    return Store(
        store_id=row["id"],
        name=row["name"],
        store_type=row["type"],
        latitude=row["latitude"],
        longitude=row["longitude"],
        address=row["address"],
        phone=row["phone"],
        time_zone=ZoneInfo(row["timeZone"]),
        hours=row["hours"],
        products=tuple(row["products"]),
        services=tuple(row["services"]),
    )


def _answer(arguments: StoreLocatorArguments, place: Place, stores: list[Store], now: int) -> Answer:
    """List those stores that are within the radius; with none, say how far the nearest is."""
    by_distance = sorted(
        ((distance_miles(place.latitude, place.longitude, store.latitude, store.longitude), store) for store in stores),
        key=lambda pair: (pair[0], pair[1].store_id),
    )
    near = [(miles, store) for miles, store in by_distance if miles <= arguments.radius_miles]
    entries = [_entry(store, miles, now) for miles, store in near[: arguments.limit]]
    output = StoreLocatorOutput(
        origin=Origin(label=place.label, coordinates=Coordinates(latitude=place.latitude, longitude=place.longitude)),
        radiusMiles=arguments.radius_miles,
        storeType=arguments.store_type,
        totalInRadius=len(near),
        stores=entries,
        notice=NOTICE,
    )
    where = f"within {arguments.radius_miles:g} miles of {place.label}"
    if entries:
        count = "1 store" if len(near) == 1 else f"{len(near)} stores"
        head = (
            f"{count} {where}, nearest first{'' if len(entries) == len(near) else f', {len(entries)} listed'}. {NOTICE}"
        )
        return listing(head, map(_line, entries), output)
    nearest = f" The nearest is {by_distance[0][1].name}, {by_distance[0][0]:.1f} miles away." if by_distance else ""
    return Answer(f"No stores {where}.{nearest} {NOTICE}", output)


def _entry(store: Store, miles: float, now: int) -> StoreEntry:
    return StoreEntry(
        id=store.store_id,
        name=store.name,
        type=store.store_type,
        coordinates=Coordinates(latitude=store.latitude, longitude=store.longitude),
        address=store.address,
        phone=store.phone,
        timeZone=store.time_zone.key,
        hours=store.hours,
        openNow=is_open(store.hours, store.time_zone, now),
        products=list(store.products),
        services=list(store.services),
        distanceMiles=round(miles, 1),
    )


def _line(entry: StoreEntry) -> str:
    address = "{street}, {city}, {state} {zip}".format(**entry["address"])
    state = "open now" if entry["openNow"] else "closed now"
    kind = entry["type"].replace("_", " ")
    head = f"{entry['name']} ({kind}), {entry['distanceMiles']} mi, {state}"
    return f"{head}: {address}; {entry['phone']}; {', '.join(_hours(entry['hours']))}."


def _hours(week: Week) -> Iterator[str]:
    """Say the hours of each run of weekdays that has the same, as in "Mon-Fri 10:00-20:00"."""
    for hours, run in groupby([(day, week[day]) for day in WEEKDAYS], key=lambda pair: pair[1]):
        days = [day[:3].title() for day, _ in run]
        span = days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}"
        yield f"{span} {hours['open']}-{hours['close']}" if hours else f"{span} closed"


def is_open(hours: Week, time_zone: ZoneInfo, now: int) -> bool:
    """Tell whether a store with these hours is open at a time in Unix seconds.

    The opening minute counts as open, the closing minute does not. Hours that close at or before they
    open run into the next day, so yesterday's may still hold.
    """
    local = datetime.fromtimestamp(now, UTC).astimezone(time_zone)
    clock = local.strftime("%H:%M")
    today = hours[WEEKDAYS[local.weekday()]]
    yesterday = hours[WEEKDAYS[(local - timedelta(days=1)).weekday()]]
    if today and today["open"] <= clock and (clock < today["close"] or today["close"] <= today["open"]):
        return True
    return bool(yesterday and yesterday["close"] <= yesterday["open"] and clock < yesterday["close"])
