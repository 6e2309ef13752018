"""att-fiber-coverage-checker: which home internet there is at an address."""

from dataclasses import replace
from itertools import islice
from typing import Annotated, Any, Literal, get_args

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from server.catalogue.geo import Area, InternetType
from server.catalogue.rows import Plan
from server.services import Services
from server.toolkit.catalogue import DATA, Notice, with_notice
from server.toolkit.gazetteer import ADDRESSES, GAZETTEER, Place, Precision, UnknownPlace
from server.toolkit.money import Money, money
from server.toolkit.shelf import Rows, Shelf
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing
from server.toolkit.widgets import COVERAGE

Wanted = Literal[InternetType, "all"]

_NAMES: dict[InternetType, str] = {"fiber": "Fiber", "internet_air": "Internet Air"}
_PRECISIONS: dict[Precision, str] = {
    "point": "exactly that point",
    "zip": "the middle of its ZIP code, so at the edge of an area it may differ",
    "city": "the middle of the city; give the ZIP code to be more exact",
}

_ON_THE_MAP = 1.2
"""Areas so many degrees around the place are drawn."""
_MOST_ON_THE_MAP = 30


class FiberCoverageCheckerArguments(Arguments):
    """What the tool is called with."""

    address: str = Field(min_length=1, max_length=300, description=ADDRESSES)
    service_type: Wanted = Field("all", description='"fiber", "internet_air" (wireless home internet) or "all"')


class PlacedAddress(TypedDict):
    """Where the address was placed."""

    label: str
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    precision: Annotated[
        Precision, Field(description="Whether it is the point itself, or the middle of ZIP code or city.")
    ]


class CoveragePlan(TypedDict):
    """A plan that can be had there."""

    id: str
    name: str
    price: Money
    priceNote: str
    features: list[str]


class Availability(TypedDict):
    """Whether one kind of home internet can be had."""

    serviceType: InternetType
    available: bool
    areas: Annotated[list[str], Field(description="The coverage areas that the address lies in.")]
    note: Annotated[str | None, Field(description="What the areas' own notes say, or null.")]
    plans: Annotated[list[CoveragePlan], Field(description="What can be had, cheapest first.")]


class FiberCoverageCheckerOutput(TypedDict):
    """What can be had at the address."""

    address: str
    place: PlacedAddress
    serviceType: Wanted
    availability: list[Availability]
    notice: Notice


def tool(services: Services) -> Tool[FiberCoverageCheckerArguments]:
    """Make the tool."""
    areas = Shelf(services.store, "areas", Area)
    plans = Shelf(services.store, "plans", Plan)

    async def check_coverage(call: Call[FiberCoverageCheckerArguments]) -> Answer:
        try:
            place, precision = GAZETTEER.locate_address(call.arguments.address)
        except UnknownPlace as error:
            raise ToolError(f"{error} Without a place nothing can be said about what is available.") from None
        return _answer(call.arguments, place, precision, await areas.rows(), await plans.rows())

    return Tool(
        name="att-fiber-coverage-checker",
        title="Check home internet coverage",
        description=(
            "Check whether fiber and Internet Air (wireless home internet) can be had at an address in the United "
            f"States, and with which plans. An address that cannot be placed is an error. {DATA}"
        ),
        scopes=("read",),
        arguments=FiberCoverageCheckerArguments,
        output=FiberCoverageCheckerOutput,
        answer=check_coverage,
        meta=COVERAGE.tool_meta,
    )


def _answer(
    asked: FiberCoverageCheckerArguments, place: Place, precision: Precision, areas: Rows[Area], plans: Rows[Plan]
) -> Answer:
    types = [one for one in get_args(InternetType) if asked.service_type in {"all", one}]
    covering = [area for area in areas.all if area.geometry.covers(place.point)]
    availability = [_availability(one, covering, plans) for one in types]
    output = FiberCoverageCheckerOutput(
        address=asked.address,
        place=PlacedAddress(label=place.label, latitude=place.latitude, longitude=place.longitude, precision=precision),
        serviceType=asked.service_type,
        availability=availability,
        notice=areas.notice,
    )
    head = f"Coverage at {place.label}, placed at {_PRECISIONS[precision]}."
    beside = {"outlines": _outlines(place, types, areas)}
    return replace(listing(with_notice(head, areas.notice), map(_line, availability), output), beside=beside)


def _outlines(place: Place, types: list[InternetType], areas: Rows[Area]) -> list[dict[str, Any]]:
    """Give the areas around a place, for the map."""
    near = (area for area in areas.all if area.properties.service_type in types)
    drawn = islice((area for area in near if area.geometry.comes_near(place.point, _ON_THE_MAP)), _MOST_ON_THE_MAP)
    return [
        {
            "serviceType": area.properties.service_type,
            "rings": [ring for polygon in area.geometry.polygons for ring in polygon],
        }
        for area in drawn
    ]


def _availability(service_type: InternetType, covering: list[Area], plans: Rows[Plan]) -> Availability:
    areas = [area for area in covering if area.properties.service_type == service_type]
    ids = dict.fromkeys(plan_id for area in areas for plan_id in area.plan_ids)
    offered = sorted((plans.by_id[one] for one in ids if one in plans.by_id), key=lambda plan: plan.price_cents)
    return Availability(
        serviceType=service_type,
        available=bool(areas),
        areas=[area.title for area in areas],
        note=" ".join(filter(None, (area.properties.note for area in areas))) or None,
        plans=[
            CoveragePlan(
                id=plan.id,
                name=plan.name,
                price=money(plan.price_cents),
                priceNote=plan.price_note,
                features=list(plan.features),
            )
            for plan in offered
        ],
    )


def _line(entry: Availability) -> str:
    name = _NAMES[entry["serviceType"]]
    if not entry["available"]:
        return f"{name}: not available."
    plans = "; ".join(f"{plan['name']} at {plan['price']['formatted']} {plan['priceNote']}" for plan in entry["plans"])
    note = f" {entry['note']}" if entry["note"] else ""
    return f"{name}: available ({', '.join(entry['areas'])}): {plans or 'ask for the plans'}.{note}"
