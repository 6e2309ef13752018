"""att-store-locator: the stores near a place."""

from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Literal, cast

from pydantic import Field
from typing_extensions import TypedDict

from server.catalogue import hours
from server.catalogue.geo import Store, StoreType
from server.services import Services
from server.toolkit.catalogue import DATA, Notice, split, with_notice
from server.toolkit.gazetteer import ACCEPTED, GAZETTEER, Place, distance_miles
from server.toolkit.shelf import Shelves, Stock
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing
from server.toolkit.widgets import STORES

Wanted = Literal[StoreType, "all"]


class Hours(TypedDict):
    """When a store opens and closes, in its own time zone; closing at or before opening is on the next day."""

    open: Annotated[str, Field(pattern=r"^\d\d:\d\d$", description="Opening time, 00:00 to 23:59.")]
    close: Annotated[str, Field(pattern=r"^\d\d:\d\d$", description="Closing time, 00:00 (midnight) to 23:59.")]


class Week(TypedDict):
    """Opening hours of the seven days from today, by weekday, public holidays considered; empty is closed all day."""

    monday: list[Hours]
    tuesday: list[Hours]
    wednesday: list[Hours]
    thursday: list[Hours]
    friday: list[Hours]
    saturday: list[Hours]
    sunday: list[Hours]


class Address(TypedDict):
    """A postal address in the United States; null is not known."""

    street: Annotated[str | None, Field(description="House number and street.")]
    city: str | None
    state: Annotated[str | None, Field(description="The state's two-letter code.")]
    zip: str | None


class StoreLocatorArguments(Arguments):
    """What the tool is called with."""

    location: str = Field(min_length=1, max_length=200, description=ACCEPTED)
    store_type: Wanted = Field("all", description='"retail", "authorized_retailer" or "all"')
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
    """A store near the place; null is not known."""

    id: str
    name: str
    type: StoreType
    coordinates: Coordinates
    address: Address
    phone: str | None
    website: str | None
    timeZone: Annotated[str, Field(description="The IANA name of the time zone that the hours are in.")]
    hours: Week | None
    openNow: Annotated[bool | None, Field(description="Whether the store was open when this was answered.")]
    products: list[str]
    services: list[str]
    distanceMiles: Annotated[float, Field(ge=0, description="The great-circle distance from the place.")]


class StoreLocatorOutput(TypedDict):
    """The stores within the radius, nearest first."""

    origin: Origin
    radiusMiles: float
    storeType: Wanted
    totalInRadius: Annotated[int, Field(ge=0, description="How many stores there are, listed or not.")]
    stores: list[StoreEntry]
    notice: Notice


def tool(services: Services) -> Tool[StoreLocatorArguments]:
    """Make the tool; the stores are found in the database, by where they are."""
    shelves: Shelves = services.store

    async def locate_stores(call: Call[StoreLocatorArguments]) -> Answer:
        arguments = call.arguments
        place = GAZETTEER.locate(arguments.location)
        category = None if arguments.store_type == "all" else arguments.store_type
        near = await shelves.find_near("stores", place.point, arguments.radius_miles, category, arguments.limit)
        if not near.documents:
            beyond = await shelves.find_near("stores", place.point, None, category, 1)
            return _nothing_near(arguments, place, beyond)
        total = await shelves.count_near("stores", place.point, arguments.radius_miles, category)
        return _answer(arguments, place, near, total, services.clock())

    return Tool(
        name="att-store-locator",
        title="Find stores",
        description=(
            "Find AT&T stores near a place in the United States, nearest first, with address, phone, opening hours, "
            f"whether they are open now, products and services. {DATA}"
        ),
        scopes=("read",),
        arguments=StoreLocatorArguments,
        output=StoreLocatorOutput,
        answer=locate_stores,
        meta=STORES.tool_meta,
    )


def _answer(arguments: StoreLocatorArguments, place: Place, near: Stock, total: int, now: int) -> Answer:
    entries = [_entry(store, place, now) for store in map(Store.model_validate_json, near.documents)]
    count = "1 store" if total == 1 else f"{total} stores"
    listed = "" if len(entries) == total else f", {len(entries)} listed"
    head = f"{count} {_where(arguments, place)}, nearest first{listed}."
    return listing(with_notice(head, near.notice), map(_line, entries), _output(arguments, place, near, total, entries))


def _nothing_near(arguments: StoreLocatorArguments, place: Place, beyond: Stock) -> Answer:
    """Say that there is no store, and how far the nearest is."""
    head = f"No stores {_where(arguments, place)}."
    for store in map(Store.model_validate_json, beyond.documents):
        head += f" The nearest is {store.title}, {_miles(store, place):.1f} miles away."
    return Answer(with_notice(head, beyond.notice), _output(arguments, place, beyond, 0, []))


def _where(arguments: StoreLocatorArguments, place: Place) -> str:
    return f"within {arguments.radius_miles:g} miles of {place.label}"


def _output(
    arguments: StoreLocatorArguments, place: Place, stock: Stock, total: int, entries: list[StoreEntry]
) -> StoreLocatorOutput:
    return StoreLocatorOutput(
        origin=Origin(label=place.label, coordinates=Coordinates(latitude=place.latitude, longitude=place.longitude)),
        radiusMiles=arguments.radius_miles,
        storeType=arguments.store_type,
        totalInRadius=total,
        stores=entries,
        notice=stock.notice,
    )


def _miles(store: Store, place: Place) -> float:
    return distance_miles(place.latitude, place.longitude, *store.place)


def _entry(store: Store, place: Place, now: int) -> StoreEntry:
    tags, zone = store.properties, store.time_zone
    street = " ".join(filter(None, (tags.house_number, tags.street))) or None
    return StoreEntry(
        id=store.id,
        name=tags.name,
        type=tags.store_type,
        coordinates=Coordinates(latitude=store.place.latitude, longitude=store.place.longitude),
        address=Address(street=street, city=tags.city, state=tags.state, zip=tags.postcode),
        phone=tags.phone,
        website=tags.website,
        timeZone=zone.key,
        hours=None if tags.opening_hours is None else _week(store, tags.opening_hours, now),
        openNow=None if tags.opening_hours is None else hours.is_open(tags.opening_hours, zone, now),
        products=split(tags.products),
        services=split(tags.services),
        distanceMiles=round(_miles(store, place), 1),
    )


def _week(store: Store, opening_hours: str, now: int) -> Week:
    days = sorted(hours.week(opening_hours, store.time_zone, now).items(), key=lambda day: day[0].weekday())
    week = {f"{day:%A}".lower(): [Hours(open=opens, close=closes) for opens, closes in spans] for day, spans in days}
    return cast("Week", week)


def _line(entry: StoreEntry) -> str:
    state = {True: ", open now", False: ", closed now", None: ""}[entry["openNow"]]
    head = f"{entry['name']} ({entry['type'].replace('_', ' ')}), {entry['distanceMiles']} mi{state}"
    address = entry["address"]
    region = " ".join(filter(None, (address["state"], address["zip"])))
    parts = [", ".join(filter(None, (address["street"], address["city"], region))), entry["phone"], entry["website"]]
    if entry["hours"] is not None:
        parts.append(", ".join(_runs(entry["hours"])))
    told = "; ".join(filter(None, parts))
    return f"{head}: {told}." if told else f"{head}."


def _runs(week: Week) -> Iterator[str]:
    """Say the hours of each run of weekdays that has the same, as in "Mon-Fri 10:00-20:00"."""
    days = cast("dict[str, list[Hours]]", week)
    for spans, run in groupby(days, key=lambda day: [(one["open"], one["close"]) for one in days[day]]):
        names = [day[:3].title() for day in run]
        span = names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"
        yield f"{span} {' and '.join(f'{opens}-{closes}' for opens, closes in spans) or 'closed'}"
