import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server import resources
from server.services import Services
from server.settings import load_settings
from server.toolkit.catalogue import CatalogueError, load
from server.tools import plans_list, store_locator

SERVICES = Services(store=None, clock=lambda: 0, settings=load_settings(_env_file=None), entropy=os.urandom)
TOOLS: dict[str, Callable[[Services], object]] = {"stores": store_locator.tool, "plans": plans_list.tool}
SHIPPED = resources.directory("data")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped catalogue that the tools read instead."""
    for path in SHIPPED.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(resources, "directory", lambda _name: tmp_path)
    return tmp_path


def edit(path: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def rows(name: str) -> list[dict[str, Any]]:
    return list(load(SHIPPED, name, dict))


def test_shipped_stores_cover_twelve_areas_in_both_types() -> None:
    stores = rows("stores")
    assert len(stores) >= 60
    assert len({re.sub(r"-\d+$", "", store["id"]) for store in stores}) == 12
    assert {store["type"] for store in stores} == {"retail", "authorized_retailer"}
    assert any(day is None for store in stores for day in store["hours"].values())


def test_shipped_plans_cover_every_product_type() -> None:
    plans = rows("plans")
    assert len(plans) >= 12
    assert {plan["productType"] for plan in plans} == {"wireless", "internet", "prepaid"}
    assert all(plan["originalPriceCents"] is None or plan["originalPriceCents"] > plan["priceCents"] for plan in plans)


@pytest.mark.parametrize("name", ["stores", "plans"])
def test_shipped_files_call_themselves_demonstration_data(name: str) -> None:
    assert json.loads((SHIPPED / f"{name}.json").read_text())["notice"].startswith("Demonstration data: ")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "stores",
            lambda d: d["stores"][3].update(phone="(212) 867-5309"),
            r"row demo-nyc-04 phone: '\(212\) 867-5309'",
        ),
        ("stores", lambda d: d["stores"][3]["hours"].pop("friday"), r"row demo-nyc-04 hours: 'friday' is a required"),
        (
            "stores",
            lambda d: d["stores"][3]["hours"].update(friday={"open": "9", "close": "17:00"}),
            "row demo-nyc-04 hours",
        ),
        ("stores", lambda d: d["stores"][3].update(latitude=91), "row demo-nyc-04 latitude: 91 is greater than"),
        ("stores", lambda d: d["stores"][3].update(timeZone="America/Atlantis"), "row demo-nyc-04: .*America/Atlantis"),
        ("stores", lambda d: d["stores"][3].update(colour="red"), "row demo-nyc-04: .*'colour' was unexpected"),
        ("stores", lambda d: d["stores"][3].pop("id"), "row 3: 'id' is a required property"),
        ("stores", lambda d: d["stores"].insert(0, "a store"), "row 0: 'a store' is not of type 'object'"),
        ("stores", lambda d: d["stores"].append(d["stores"][0]), "row demo-nyc-01: the id is given 2 times"),
        ("stores", lambda d: d.update(notice="Real stores"), "notice: 'Real stores' does not match"),
        ("stores", lambda d: d.pop("stores"), "the whole file: 'stores' is a required property"),
        (
            "plans",
            lambda d: d["plans"][0].update(priceCents=75.5),
            "row demo-wireless-value priceCents: 75.5 is not of type",
        ),
        ("plans", lambda d: d["plans"][0].update(productType="satellite"), "productType: 'satellite' is not one of"),
        ("plans", lambda d: d.update(plans=d["plans"][:3]), "plans: .*is too short"),
    ],
)
def test_a_broken_catalogue_stops_the_start_with_one_line(
    data: Path, name: str, change: Callable[[Any], object], message: str
) -> None:
    edit(data / f"{name}.json", change)
    with pytest.raises(CatalogueError, match=message) as caught:
        TOOLS[name](SERVICES)
    assert f"{name}.json: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("content", ["", "{", "[1,]", "\udcff"])
def test_a_file_that_is_not_json_is_named(data: Path, content: str) -> None:
    (data / "plans.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(CatalogueError, match=r"plans\.json: not JSON: ") as caught:
        plans_list.tool(SERVICES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["plans.json", "plans.schema.json"])
def test_a_missing_file_is_named(data: Path, name: str) -> None:
    (data / name).unlink()
    with pytest.raises(CatalogueError, match=f"{re.escape(name)}: No such file"):
        plans_list.tool(SERVICES)
