"""Whatever a tool of the catalogue is asked, and whatever is in the catalogue, its answer is as its schema says."""

import json
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp.client import Client
from mcp_types import CallToolResult, Tool

from server import shipped
from server.catalogue.editions import publish, ship
from server.catalogue.files import KINDS, read
from server.services import Services
from server.settings import load_settings
from server.storage.database import Database
from server.tools import build
from tests.tools.conftest import World, text_of

READERS = (
    "att-store-locator",
    "att-products-carousel",
    "att-device-details",
    "att-services-gallery",
    "att-plans-list",
    "att-internet-backup-offer",
    "att-fiber-coverage-checker",
    "search",
    "fetch",
)
PLACES = ["98101", "Dallas, TX", "1 Main Street, Miami, FL 33130", "Boston MA", "47.6, -122.3", "0, 180", "Nowhere"]
KEYS = ["kestrel-k12", "demo-internet-300", "demo-wireless-extra", "articles/autopay", "stores/demo-sea-01", "x/y/z"]
WORDS = ["pay my bill", "Seattle", "5G phone", "fiber", "AT&T", '"', "Kestrel"]

SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def arguments(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw arguments that the schema lets pass; text is often some that means something."""
    needed = set(schema.get("required", ()))
    drawn = {name: _value(one) for name, one in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: value for name, value in drawn.items() if name in needed},
        optional={name: value for name, value in drawn.items() if name not in needed},
    )


def _value(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([_value(one) for one in schema["anyOf"]])
    match schema["type"]:
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "number":
            least = schema.get("minimum", schema.get("exclusiveMinimum"))
            return st.floats(least, schema["maximum"], exclude_min="exclusiveMinimum" in schema)
        case "null":
            return st.none()
        case _:
            meaning = st.sampled_from([*PLACES, *KEYS, *WORDS])
            return meaning | st.text(min_size=schema.get("minLength", 0), max_size=min(schema["maxLength"], 30))


def served(store: Database, world: World) -> Client:
    given = load_settings(_env_file=None)
    return Client(build(Services(store=store, clock=lambda: world.now, settings=given, entropy=os.urandom)))


def hold(tool: Tool, result: CallToolResult) -> None:
    """Hold an answer to what the tool declares; an error is a sentence without data."""
    assert text_of(result)
    if result.is_error:
        assert result.structured_content is None
        assert "This tool failed" not in text_of(result)
        return
    assert tool.output_schema is not None
    Draft202012Validator(tool.output_schema).validate(result.structured_content)
    if tool.name in {"search", "fetch"}:
        assert json.loads(text_of(result)) == result.structured_content


@settings(SETTINGS, max_examples=80)
@given(data=st.data(), name=st.sampled_from(READERS), now=st.integers(1_700_000_000, 2_000_000_000))
async def test_whatever_is_asked(store: Database, world: World, data: st.DataObject, name: str, now: int) -> None:
    world.now = now
    await ship(store, shipped.directory("data"), now)
    async with served(store, world) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        hold(tools[name], await client.call_tool(name, data.draw(arguments(tools[name].input_schema))))


names = st.text(min_size=1, max_size=12)
cents = st.integers(0, 100_000_000)
listed = st.lists(names, min_size=1, max_size=3)
plan = st.fixed_dictionaries(
    {
        "productType": st.sampled_from(["wireless", "internet", "prepaid"]),
        "name": names,
        "tier": names,
        "priceCents": cents,
        "priceNote": names,
        "features": listed,
    },
    optional={"badge": names, "originalPriceCents": cents},
)
storage = st.fixed_dictionaries(
    {"gigabytes": st.integers(1, 100_000), "monthlyCents": cents, "retailCents": cents},
    optional={"discountedCents": cents},
)
model = st.fixed_dictionaries({"name": names, "screen": names, "storage": st.lists(storage, min_size=1, max_size=3)})
device = st.fixed_dictionaries(
    {
        "productType": st.sampled_from(["phone", "tablet", "watch"]),
        "brand": names,
        "name": names,
        "summary": names,
        "released": st.just("2026-01"),
        "models": st.lists(model, min_size=1, max_size=2),
        "colours": st.just([{"name": "Blue", "hex": "#0000ff"}]),
        "rating": st.fixed_dictionaries({"average": st.floats(1, 5), "count": st.integers(0, 10**9)}),
        "features": listed,
    }
)
service = st.fixed_dictionaries(
    {
        "category": st.sampled_from(["wireless", "internet", "protection", "entertainment", "business"]),
        "name": names,
        "summary": names,
        "priceNote": names,
        "features": listed,
        "howToGet": names,
    },
    optional={"priceCents": cents},
)
offer = st.fixed_dictionaries(
    {
        "name": names,
        "summary": names,
        "priceCents": cents,
        "priceNote": names,
        "internetPlans": st.lists(st.sampled_from(["r0", "r1", "gone"]), max_size=2),
        "wirelessPlans": st.lists(st.sampled_from(["r0", "r1", "gone"]), max_size=2),
        "backupData": names,
        "equipment": names,
        "howItWorks": listed,
        "terms": names,
    }
)
article = st.fixed_dictionaries({"title": names, "topic": names, "text": names})
hours = st.sampled_from(["24/7", "Mo-Fr 10:00-02:00", "off", "Mo unknown", "sunrise-sunset", "Dec Mo-Su 00:00-24:00"])
tags = st.fixed_dictionaries(
    {"name": names},
    optional={
        "addr:street": names,
        "addr:city": names,
        "addr:state": st.sampled_from(["WA", "ZZ"]),
        "addr:postcode": st.just("98101"),
        "phone": names,
        "website": st.just("https://example.com/"),
        "opening_hours": hours,
        "store_type": st.sampled_from(["retail", "authorized_retailer"]),
        "products": st.just("phones; tablets"),
    },
)
points = st.tuples(st.floats(-122.4, -122.2), st.floats(47.5, 47.7)).map(list)
store_row = st.builds(
    lambda properties, at: {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": at},
        "properties": properties,
    },
    tags,
    points,
)
area = st.builds(
    lambda properties: {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[[-123, 47], [-122, 47], [-122, 48], [-123, 47]]]},
        "properties": properties,
    },
    st.fixed_dictionaries(
        {"name": names, "service_type": st.sampled_from(["fiber", "internet_air"]), "plans": st.just("r0;gone")},
        optional={"note": names},
    ),
)
KIND_ROWS = {
    "plans": plan,
    "devices": device,
    "services": service,
    "offers": offer,
    "articles": article,
    "stores": store_row,
    "areas": area,
}
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("att-store-locator", {"location": "47.6, -122.3"}),
    ("att-products-carousel", {}),
    ("att-device-details", {"deviceId": "r0"}),
    ("att-services-gallery", {}),
    ("att-plans-list", {}),
    ("att-internet-backup-offer", {}),
    ("att-fiber-coverage-checker", {"address": "47.4, -122.5"}),
    ("search", {"query": "store phone"}),
)


@settings(SETTINGS, max_examples=20)
@given(rows=st.fixed_dictionaries({kind: st.lists(row, min_size=1, max_size=2) for kind, row in KIND_ROWS.items()}))
async def test_whatever_is_in_the_catalogue(store: Database, world: World, rows: dict[str, list[Any]]) -> None:
    await _import(store, rows, world.now)
    async with served(store, world) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        for name, given in (*ASKED, *(("fetch", {"id": f"{kind}/r0"}) for kind in KIND_ROWS)):
            result = await client.call_tool(name, given)
            hold(tools[name], result)
            assert not result.is_error, text_of(result)


async def _import(store: Database, rows: dict[str, list[Any]], now: int) -> None:
    before = {edition.kind: edition.edition for edition in await store.get_editions()}
    for kind, drawn in rows.items():
        member = KINDS[kind].member
        document: dict[str, Any] = {member: [{"id": f"r{number}", **row} for number, row in enumerate(drawn)]}
        sheet = read(
            json.dumps({"type": "FeatureCollection", **document} if member == "features" else document).encode()
        )
        replaces = before.get(kind)
        assert await publish(store, sheet, source="imported", digest="d", replaces=replaces, now=now)
