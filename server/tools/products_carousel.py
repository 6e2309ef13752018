"""att-products-carousel: phones, tablets and watches to choose from."""

from typing import Annotated, Literal

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from server.catalogue.rows import Device, DeviceType
from server.services import Services
from server.toolkit.catalogue import DATA, Notice, with_notice
from server.toolkit.money import Money, money
from server.toolkit.shelf import Rows, Shelf
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing
from server.toolkit.widgets import PRODUCTS

Wanted = Literal[DeviceType, "all"]


class ProductsCarouselArguments(Arguments):
    """What the tool is called with."""

    product_type: Wanted = Field("all", description='"phone", "tablet", "watch" or "all"')
    brand: str | None = Field(
        None, min_length=1, max_length=200, description="a brand that is sold here, in whatever case"
    )
    min_price: float | None = Field(
        None, ge=0, le=1_000_000, description="a number of US dollars from 0: the least that the device may cost"
    )
    max_price: float | None = Field(
        None, ge=0, le=1_000_000, description="a number of US dollars from 0: the most that the device may cost"
    )
    limit: int = Field(12, ge=1, le=50, description="a whole number from 1 to 50: the most devices to list")


class ProductEntry(TypedDict):
    """A device, at the price of its least expensive model."""

    deviceId: Annotated[str, Field(description="What att-device-details takes.")]
    productType: DeviceType
    brand: str
    name: str
    summary: str
    fromPrice: Annotated[Money, Field(description="What it costs now, paid at once.")]
    fromMonthly: Annotated[Money, Field(description="The same in 36 instalments, a month.")]
    originalPrice: Annotated[Money | None, Field(description="What it cost before a reduction, or null.")]
    rating: Annotated[float, Field(ge=1, le=5, description="Stars, from 1 to 5.")]
    colours: list[str]


class ProductsCarouselOutput(TypedDict):
    """The devices that match, the best rated first."""

    productType: Wanted
    count: Annotated[int, Field(ge=0, description="How many devices match, listed or not.")]
    brands: Annotated[list[str], Field(description="Every brand of the product type, for a filter.")]
    products: list[ProductEntry]
    notice: Notice


def tool(services: Services) -> Tool[ProductsCarouselArguments]:
    """Make the tool."""
    devices = Shelf(services.store, "devices", Device)

    async def show_products(call: Call[ProductsCarouselArguments]) -> Answer:
        return _answer(call.arguments, await devices.rows())

    return Tool(
        name="att-products-carousel",
        title="Browse devices",
        description=(
            "Browse phones, tablets and watches with price, monthly instalment, rating and colours; narrow them down "
            f"by brand and price. att-device-details tells more of one. {DATA}"
        ),
        scopes=("read",),
        arguments=ProductsCarouselArguments,
        output=ProductsCarouselOutput,
        answer=show_products,
        meta=PRODUCTS.tool_meta,
    )


def _answer(asked: ProductsCarouselArguments, devices: Rows[Device]) -> Answer:
    of_type = [device for device in devices.all if asked.product_type in {"all", device.product_type}]
    brands = sorted({device.brand for device in of_type})
    _check(asked, brands)
    entries = sorted(
        (_entry(device) for device in of_type if _fits(asked, device)),
        key=lambda entry: (-entry["rating"], entry["fromPrice"]["cents"], entry["deviceId"]),
    )
    listed = entries[: asked.limit]
    output = ProductsCarouselOutput(
        productType=asked.product_type, count=len(entries), brands=brands, products=listed, notice=devices.notice
    )
    what = (
        "devices"
        if asked.product_type == "all"
        else f"{asked.product_type}s"
        if asked.product_type != "watch"
        else "watches"
    )
    head = (
        f"{len(entries)} {what}, the best rated first{f', {len(listed)} listed' if len(listed) < len(entries) else ''}."
    )
    return listing(with_notice(head, devices.notice), map(_line, listed), output)


def _check(asked: ProductsCarouselArguments, brands: list[str]) -> None:
    """Refuse filters that nothing can pass.

    Raises:
        ToolError: The brand is not sold here, or the least price is above the most.
    """
    if asked.brand is not None and asked.brand.casefold() not in {brand.casefold() for brand in brands}:
        raise ToolError(f'There is nothing by "{asked.brand[:80]}". The brands are {", ".join(brands) or "none"}.')
    if asked.min_price is not None and asked.max_price is not None and asked.min_price > asked.max_price:
        raise ToolError(f"minPrice {asked.min_price:g} is above maxPrice {asked.max_price:g}; nothing can cost both.")


def _fits(asked: ProductsCarouselArguments, device: Device) -> bool:
    """Tell whether some model of a device passes the filters."""
    if asked.brand is not None and asked.brand.casefold() != device.brand.casefold():
        return False
    least, most = (None if price is None else price * 100 for price in (asked.min_price, asked.max_price))
    prices = [storage.now_cents for _, storage in device.offers()]
    return any((least is None or price >= least) and (most is None or price <= most) for price in prices)


def _entry(device: Device) -> ProductEntry:
    _, cheapest = min(device.offers(), key=lambda offer: offer[1].now_cents)
    reduced = cheapest.discounted_cents is not None
    return ProductEntry(
        deviceId=device.id,
        productType=device.product_type,
        brand=device.brand,
        name=device.name,
        summary=device.summary,
        fromPrice=money(cheapest.now_cents),
        fromMonthly=money(cheapest.monthly_cents),
        originalPrice=money(cheapest.retail_cents) if reduced else None,
        rating=device.rating.average,
        colours=[colour.name for colour in device.colours],
    )


def _line(entry: ProductEntry) -> str:
    before = f" (was {entry['originalPrice']['formatted']})" if entry["originalPrice"] else ""
    price = f"from {entry['fromPrice']['formatted']}{before}, or {entry['fromMonthly']['formatted']} a month"
    stars = f"{entry['rating']:.1f} of 5 stars"
    return f"{entry['brand']} {entry['name']} ({entry['deviceId']}): {price}; {stars}. {entry['summary']}"
