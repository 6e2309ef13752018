"""att-device-details: everything about one device."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from server.catalogue.rows import Device, DeviceType, Storage
from server.services import Services
from server.toolkit.catalogue import DATA, Notice, with_notice
from server.toolkit.money import Money, money
from server.toolkit.shelf import Shelf
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing
from server.toolkit.widgets import DEVICE


class DeviceDetailsArguments(Arguments):
    """What the tool is called with."""

    device_id: str = Field(
        min_length=1, max_length=100, description="the id of a device, as att-products-carousel gives it"
    )


class ColourEntry(TypedDict):
    """A colour that the device comes in."""

    name: str
    hex: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$", description="For a swatch.")]


class StorageEntry(TypedDict):
    """A model with so much storage, and what it costs."""

    gigabytes: int
    label: Annotated[str, Field(description="The same for people, such as 256 GB or 1 TB.")]
    monthlyPrice: Annotated[Money, Field(description="In 36 instalments, a month.")]
    retailPrice: Annotated[Money, Field(description="Without any reduction, paid at once.")]
    discountedPrice: Annotated[Money | None, Field(description="While it is reduced, paid at once; or null.")]


class ModelEntry(TypedDict):
    """A size or make of the device."""

    name: str
    screen: str
    storage: list[StorageEntry]


class RatingEntry(TypedDict):
    """What buyers think of the device."""

    average: Annotated[float, Field(ge=1, le=5, description="Stars, from 1 to 5.")]
    count: Annotated[int, Field(ge=0, description="How many rated it.")]


class DeviceDetailsOutput(TypedDict):
    """One device."""

    deviceId: str
    productType: DeviceType
    brand: str
    name: str
    summary: str
    released: Annotated[str, Field(description="Year and month.")]
    models: list[ModelEntry]
    colours: list[ColourEntry]
    rating: RatingEntry
    features: list[str]
    notice: Notice


def tool(services: Services) -> Tool[DeviceDetailsArguments]:
    """Make the tool; its argument takes the ids that there are at the moment."""
    devices = Shelf(services.store, "devices", Device)

    async def device_ids() -> list[str]:
        return list((await devices.rows()).by_id)

    async def show_device(call: Call[DeviceDetailsArguments]) -> Answer:
        rows = await devices.rows()
        device = rows.by_id.get(call.arguments.device_id)
        if device is None:
            raise ToolError(_unknown(call.arguments.device_id, list(rows.by_id)))
        return _answer(device, rows.notice)

    return Tool(
        name="att-device-details",
        title="Show a device",
        description=(
            "Show one phone, tablet or watch with its models, colours, storage sizes, monthly, retail and reduced "
            f"price, rating and features. {DATA}"
        ),
        scopes=("read",),
        arguments=DeviceDetailsArguments,
        output=DeviceDetailsOutput,
        answer=show_device,
        meta=DEVICE.tool_meta,
        choices={"deviceId": device_ids},
    )


def _unknown(device_id: str, known: list[str]) -> str:
    """Say that there is no such device, and which may be meant."""
    close = get_close_matches(device_id.lower().replace(" ", "-"), known, n=5, cutoff=0.5)
    hint = f"Did you mean {' or '.join(close)}?" if close else "att-products-carousel lists those that there are."
    return f'There is no device "{device_id[:80]}". {hint}'


def _answer(device: Device, notice: str | None) -> Answer:
    models = [
        ModelEntry(name=model.name, screen=model.screen, storage=[_storage(one) for one in model.storage])
        for model in device.models
    ]
    output = DeviceDetailsOutput(
        deviceId=device.id,
        productType=device.product_type,
        brand=device.brand,
        name=device.name,
        summary=device.summary,
        released=device.released,
        models=models,
        colours=[ColourEntry(name=colour.name, hex=colour.hex) for colour in device.colours],
        rating=RatingEntry(average=device.rating.average, count=device.rating.count),
        features=list(device.features),
        notice=notice,
    )
    return listing(with_notice(f"{device.title}: {device.summary}", notice), _lines(output), output)


def _storage(storage: Storage) -> StorageEntry:
    size = storage.gigabytes
    return StorageEntry(
        gigabytes=size,
        label=f"{size // 1024} TB" if size >= 1024 and size % 1024 == 0 else f"{size} GB",  # noqa: PLR2004 - a terabyte
        monthlyPrice=money(storage.monthly_cents),
        retailPrice=money(storage.retail_cents),
        discountedPrice=None if storage.discounted_cents is None else money(storage.discounted_cents),
    )


def _lines(device: DeviceDetailsOutput) -> Iterator[str]:
    for model in device["models"]:
        for storage in model["storage"]:
            now = storage["discountedPrice"] or storage["retailPrice"]
            before = f" (was {storage['retailPrice']['formatted']})" if storage["discountedPrice"] else ""
            price = f"{now['formatted']}{before}, or {storage['monthlyPrice']['formatted']} a month for 36 months"
            yield f"{model['name']} with {storage['label']}, {model['screen']}: {price}."
    yield f"Colours: {', '.join(colour['name'] for colour in device['colours'])}."
    yield f"Rating: {device['rating']['average']:.1f} of 5 stars, {device['rating']['count']:,} ratings."
    yield f"Features: {'; '.join(device['features'])}."
    yield f"Released {device['released']}."
