"""att-products-carousel and att-device-details."""

import json
import os

import pytest
from mcp.client import Client
from mcp_types import Tool

from server import shipped
from server.catalogue.editions import publish
from server.catalogue.files import read
from server.catalogue.rows import Device
from server.services import Services
from server.settings import load_settings
from server.storage.database import Database
from server.tools import build
from tests.tools.conftest import Call, Text, World

ROWS = read((shipped.directory("data") / "devices.json").read_bytes()).rows
DEVICES = {row.id: row for row in ROWS if isinstance(row, Device)}


@pytest.mark.parametrize("product_type", ["phone", "tablet", "watch"])
async def test_a_product_type_lists_no_other_and_the_best_rated_first(call: Call, product_type: str) -> None:
    data = (await call("att-products-carousel", productType=product_type, limit=50)).structured_content or {}
    expected = {device.id for device in DEVICES.values() if device.product_type == product_type}
    assert {product["deviceId"] for product in data["products"]} == expected
    assert data["count"] == len(expected)
    ratings = [product["rating"] for product in data["products"]]
    assert ratings == sorted(ratings, reverse=True)
    assert data["brands"] == sorted({DEVICES[device_id].brand for device_id in expected})


async def test_a_brand_is_found_in_whatever_case(call: Call, text: Text) -> None:
    data = (await call("att-products-carousel", brand="kEsTrEl")).structured_content or {}
    assert {product["brand"] for product in data["products"]} == {"Kestrel"}
    refused = await call("att-products-carousel", brand="Nokia", productType="watch")
    assert refused.is_error
    assert text(refused) == 'There is nothing by "Nokia". The brands are Aurelo, Haptix, Kestrel.'


async def test_prices_are_held_against_what_a_model_costs_now(call: Call) -> None:
    asked = {"minPrice": 300, "maxPrice": 400, "limit": 50}
    data = (await call("att-products-carousel", **asked)).structured_content or {}
    fitting = {
        device.id
        for device in DEVICES.values()
        if any(30_000 <= storage.now_cents <= 40_000 for _, storage in device.offers())
    }
    assert fitting
    assert {product["deviceId"] for product in data["products"]} == fitting


async def test_the_price_shown_is_that_of_the_least_expensive_model(call: Call, text: Text) -> None:
    result = await call("att-products-carousel", productType="watch", brand="Aurelo", maxPrice=250)
    (product,) = (result.structured_content or {})["products"]
    assert product["deviceId"] == "aurelo-watch-lite"
    assert (product["fromPrice"]["formatted"], product["originalPrice"]["formatted"]) == ("$223.99", "$279.99")
    assert product["fromMonthly"]["cents"] * 36 >= product["fromPrice"]["cents"]
    line = text(result).splitlines()[1]
    assert line.startswith(
        "- Aurelo Watch Lite (aurelo-watch-lite): from $223.99 (was $279.99), or $6.23 a month; 4.4 of"
    )


async def test_nothing_that_fits_is_an_empty_list(call: Call, text: Text) -> None:
    result = await call("att-products-carousel", maxPrice=1)
    assert (result.structured_content or {})["products"] == []
    assert text(result).startswith("0 devices, the best rated first. Demonstration data: ")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"minPrice": 500, "maxPrice": 100}, "minPrice 500 is above maxPrice 100; nothing can cost both."),
        ({"minPrice": -1}, "minPrice cannot be -1; it takes a number of US dollars from 0: the least that the"),
        ({"productType": "laptop"}, 'productType cannot be "laptop"; it takes "phone", "tablet", "watch" or "all".'),
        ({"limit": 0}, "limit cannot be 0; it takes a whole number from 1 to 50"),
        ({"brand": ""}, 'brand cannot be ""; it takes a brand that is sold here'),
    ],
)
async def test_filters_that_make_no_sense_are_told(
    call: Call, text: Text, given: dict[str, object], message: str
) -> None:
    result = await call("att-products-carousel", **given)
    assert result.is_error
    assert message in text(result)


def test_the_schema_lists_every_device_that_there_is(listing: list[Tool]) -> None:
    schema = {tool.name: tool.input_schema for tool in listing}["att-device-details"]
    assert schema["properties"]["deviceId"]["enum"] == list(DEVICES)
    assert schema["required"] == ["deviceId"]


async def test_every_device_is_told_in_full(call: Call, text: Text) -> None:
    for device in DEVICES.values():
        result = await call("att-device-details", deviceId=device.id)
        data = result.structured_content or {}
        assert [model["name"] for model in data["models"]] == [model.name for model in device.models]
        told = [storage for model in data["models"] for storage in model["storage"]]
        for (_, kept), shown in zip(device.offers(), told, strict=True):
            assert shown["retailPrice"]["cents"] == kept.retail_cents
            assert shown["monthlyPrice"]["cents"] == kept.monthly_cents
            discounted = shown["discountedPrice"]
            assert (discounted and discounted["cents"]) == kept.discounted_cents
        for part in (device.title, device.summary, device.features[0], device.colours[0].name, device.models[0].screen):
            assert part in text(result)
        assert data["rating"] == {"average": device.rating.average, "count": device.rating.count}
        assert data["notice"].startswith("Demonstration data: ")


async def test_sizes_and_prices_are_told_as_people_say_them(call: Call, text: Text) -> None:
    told = text(await call("att-device-details", deviceId="kestrel-k12-ultra"))
    assert "- K12 Ultra with 1 TB, 6.8-inch AMOLED, 1 to 120 Hz: $1,372.99 (was $1,559.99), or $38.14 a month" in told
    assert "- Rating: 4.7 of 5 stars, 1,980 ratings." in told


@pytest.mark.parametrize(
    ("device_id", "message"),
    [
        ("kestrel k12", 'There is no device "kestrel k12". Did you mean kestrel-k12 or '),
        ("Aurelo-Nova-9", "Did you mean aurelo-nova-9 or "),
        ("oven", 'There is no device "oven". att-products-carousel lists those that there are.'),
    ],
)
async def test_an_unknown_device_is_answered_with_what_may_be_meant(
    call: Call, text: Text, device_id: str, message: str
) -> None:
    result = await call("att-device-details", deviceId=device_id)
    assert result.is_error
    assert message in text(result)


async def test_an_import_is_in_the_schema_and_in_the_answers_at_once(store: Database, world: World) -> None:
    def sheet(count: int) -> bytes:
        rows = json.loads((shipped.directory("data") / "devices.json").read_bytes())["devices"]
        return json.dumps({"devices": [{**rows[0], "id": f"own-{number}"} for number in range(count)]}).encode()

    server = build(
        Services(store=store, clock=lambda: world.now, settings=load_settings(_env_file=None), entropy=os.urandom)
    )
    async with Client(server) as client:
        for count in (3, 300):
            before = next(edition for edition in await store.get_editions() if edition.kind == "devices")
            made = read(sheet(count))
            assert await publish(store, made, source="imported", digest="d", replaces=before.edition, now=world.now)
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            known = tools["att-device-details"].input_schema["properties"]["deviceId"].get("enum")
            assert known == ([f"own-{number}" for number in range(3)] if count == 3 else None)
            result = await client.call_tool("att-device-details", {"deviceId": f"own-{count - 1}"})
            assert (result.structured_content or {})["notice"] is None
            gone = await client.call_tool("att-device-details", {"deviceId": "kestrel-k12"})
            assert gone.is_error
