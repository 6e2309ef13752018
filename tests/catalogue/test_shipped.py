"""The demonstration data: coherent, plainly called what it is, and as its schemas say."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeVar

import pytest
from jsonschema import Draft202012Validator

from server import shipped
from server.catalogue.files import KINDS, read
from server.catalogue.geo import Area, Store
from server.catalogue.rows import Article, Device, Offer, Plan, Row, Service

SHIPPED = shipped.directory("data")
R = TypeVar("R", bound=Row)


def rows(kind: str, row: type[R]) -> list[R]:
    found = [one for one in read((SHIPPED / f"{kind}.json").read_bytes()).rows if isinstance(one, row)]
    assert found
    return found


def loaded(name: str) -> Any:
    return json.loads((SHIPPED / f"{name}.json").read_bytes())


def test_stores_cover_twelve_areas_in_both_types_with_numbers_kept_for_fiction() -> None:
    stores = rows("stores", Store)
    assert len(stores) >= 60
    assert len({re.sub(r"-\d+$", "", store.id) for store in stores}) == 12
    assert {store.group for store in stores} == {"retail", "authorized_retailer"}
    assert all(re.search(r"555-01\d\d$", store.properties.phone or "") for store in stores)
    assert all(store.properties.opening_hours and store.title.endswith("(demo)") for store in stores)


def test_devices_are_enough_and_priced_coherently() -> None:
    devices = rows("devices", Device)
    assert len(devices) >= 25
    assert {device.product_type for device in devices} == {"phone", "tablet", "watch"}
    assert len({device.brand for device in devices}) >= 4
    assert any(storage.discounted_cents for device in devices for _, storage in device.offers())
    for device in devices:
        for _, storage in device.offers():
            assert storage.now_cents <= storage.retail_cents
            assert 0 <= storage.monthly_cents * 36 - storage.now_cents < 36, device.id
        for model in device.models:
            prices = [storage.retail_cents for storage in model.storage]
            assert prices == sorted(set(prices)), device.id
            assert [s.gigabytes for s in model.storage] == sorted({s.gigabytes for s in model.storage})


def test_plans_services_and_articles_are_enough() -> None:
    plans, services, articles = rows("plans", Plan), rows("services", Service), rows("articles", Article)
    assert len(plans) >= 12
    assert {plan.product_type for plan in plans} == {"wireless", "internet", "prepaid"}
    assert all(plan.original_price_cents is None or plan.original_price_cents > plan.price_cents for plan in plans)
    assert {service.category for service in services} == {
        "wireless",
        "internet",
        "protection",
        "entertainment",
        "business",
    }
    assert len(articles) >= 25
    assert all(len(article.text) > 200 for article in articles)


def test_offers_and_areas_name_plans_that_there_are() -> None:
    plans = {plan.id: plan.product_type for plan in rows("plans", Plan)}
    for offer in rows("offers", Offer):
        assert {plans[plan_id] for plan_id in offer.internet_plans} <= {"internet"}
        assert {plans[plan_id] for plan_id in offer.wireless_plans} <= {"wireless"}
    areas = rows("areas", Area)
    assert {area.properties.service_type for area in areas} == {"fiber", "internet_air"}
    assert {plans[plan_id] for area in areas for plan_id in area.plan_ids} == {"internet"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_file_calls_itself_demonstration_data_and_is_as_its_schema_says(kind: str) -> None:
    document = loaded(kind)
    assert document["notice"].startswith("Demonstration data: ")
    assert document["$schema"] == f"./{kind}.schema.json"
    schema = loaded(f"{kind}.schema")
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_refuses_what_the_types_refuse(kind: str) -> None:
    document = loaded(kind)
    row = document[KINDS[kind].member][0]
    row.get("properties", row)["name" if kind != "articles" else "title"] = ""
    assert not Draft202012Validator(loaded(f"{kind}.schema")).is_valid(document)


def test_the_schemas_are_what_the_types_say() -> None:
    program = Path(__file__).parent / "make_schemas.py"
    use = "print(json.dumps({kind: made['written'](kind) for kind in made['KINDS']}))"
    code = f"import json, runpy; made = runpy.run_path({str(program)!r}); {use}"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    written = {kind: (SHIPPED / f"{kind}.schema.json").read_text(encoding="utf-8") for kind in KINDS}
    assert json.loads(made.stdout) == written, "run `make schemas`"
