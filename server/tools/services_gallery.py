"""att-services-gallery: the services that go with plans and devices."""

from typing import Annotated, Literal, get_args

from pydantic import Field
from typing_extensions import TypedDict

from server.catalogue.rows import Service, ServiceCategory
from server.services import Services
from server.toolkit.catalogue import DATA, Notice, with_notice
from server.toolkit.money import Money, money
from server.toolkit.shelf import Rows, Shelf
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing
from server.toolkit.widgets import OFFERS

Wanted = Literal[ServiceCategory, "all"]
_ORDER: tuple[ServiceCategory, ...] = get_args(ServiceCategory)


class ServicesGalleryArguments(Arguments):
    """What the tool is called with."""

    category: Wanted = Field(
        "all", description='"wireless", "internet", "protection", "entertainment", "business" or "all"'
    )


class ServiceEntry(TypedDict):
    """A service."""

    id: str
    category: ServiceCategory
    name: str
    summary: str
    price: Annotated[Money | None, Field(description="What it costs, or null when it costs nothing more.")]
    priceNote: Annotated[str, Field(description="What the price is for, and on which conditions.")]
    features: list[str]
    howToGet: str


class ServicesGalleryOutput(TypedDict):
    """The services of a category, in the order of the categories."""

    category: Wanted
    count: Annotated[int, Field(ge=0, description="How many services are listed.")]
    services: list[ServiceEntry]
    notice: Notice


def tool(services: Services) -> Tool[ServicesGalleryArguments]:
    """Make the tool."""
    shelf = Shelf(services.store, "services", Service)

    async def show_services(call: Call[ServicesGalleryArguments]) -> Answer:
        return _answer(call.arguments.category, await shelf.rows())

    return Tool(
        name="att-services-gallery",
        title="Show services",
        description=(
            "Show the services that go with plans and devices, such as device protection, international passes and "
            f"whole-home Wi-Fi, with what they cost and how to get them. {DATA}"
        ),
        scopes=("read",),
        arguments=ServicesGalleryArguments,
        output=ServicesGalleryOutput,
        answer=show_services,
        meta=OFFERS.tool_meta,
    )


def _answer(category: Wanted, rows: Rows[Service]) -> Answer:
    chosen = [service for service in rows.all if category in {"all", service.category}]
    entries = [_entry(service) for service in sorted(chosen, key=lambda service: _ORDER.index(service.category))]
    head = f"{len(entries)} {'' if category == 'all' else f'{category} '}services."
    output = ServicesGalleryOutput(category=category, count=len(entries), services=entries, notice=rows.notice)
    return listing(with_notice(head, rows.notice), map(_line, entries), output)


def _entry(service: Service) -> ServiceEntry:
    return ServiceEntry(
        id=service.id,
        category=service.category,
        name=service.name,
        summary=service.summary,
        price=None if service.price_cents is None else money(service.price_cents),
        priceNote=service.price_note,
        features=list(service.features),
        howToGet=service.how_to_get,
    )


def _line(entry: ServiceEntry) -> str:
    price = f"{entry['price']['formatted']} {entry['priceNote']}" if entry["price"] else entry["priceNote"]
    details = f"{'; '.join(entry['features'])}. {entry['howToGet']}"
    return f"{entry['name']} ({entry['category']}): {entry['summary']} {price}. {details}"
