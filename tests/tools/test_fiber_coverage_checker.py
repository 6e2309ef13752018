from typing import Any

import pytest

from tests.tools.conftest import Call, Text


async def available(call: Call, address: str, **more: object) -> dict[str, bool]:
    data = (await call("att-fiber-coverage-checker", address=address, **more)).structured_content or {}
    return {entry["serviceType"]: entry["available"] for entry in data["availability"]}


@pytest.mark.parametrize(
    ("address", "fiber", "air"),
    [
        ("100 Sample Street, Dallas, TX 75201", True, True),
        ("100 Sample Street, Dallas, TX", True, True),
        ("32.90, -97.04", False, True),  # the hole around the airport
        ("32.90, -97.12", True, True),  # beside it
        ("33.30, -97.00", False, True),  # beyond the fiber area, within that of Internet Air
        ("1 Main Street, Amarillo, TX 79101", False, False),
        ("500 Harbor Way, Anchorage, AK 99501", False, False),
        ("10 Demo Avenue, Boston, MA 02108", True, True),  # in the second polygon of its area
        ("51.5, -0.1", False, False),
    ],
)
async def test_what_there_is_follows_from_the_areas(call: Call, address: str, *, fiber: bool, air: bool) -> None:
    assert await available(call, address) == {"fiber": fiber, "internet_air": air}


async def test_a_service_type_tells_of_no_other(call: Call) -> None:
    assert await available(call, "75201", serviceType="fiber") == {"fiber": True}
    assert await available(call, "75201", serviceType="internet_air") == {"internet_air": True}


async def test_plans_come_with_what_is_available_and_only_then(call: Call, text: Text) -> None:
    result = await call("att-fiber-coverage-checker", address="1 Sample Street, Seattle, WA 98101")
    fiber, air = (result.structured_content or {})["availability"]
    assert [plan["id"] for plan in fiber["plans"]] == ["demo-internet-300", "demo-internet-500", "demo-internet-1000"]
    assert fiber["plans"][0]["price"] == {"cents": 5500, "formatted": "$55.00"}
    assert fiber["areas"] == ["Seattle fiber (demo)"]
    assert [plan["id"] for plan in air["plans"]] == ["demo-internet-air"]
    assert "- Fiber: available (Seattle fiber (demo)): Demo Fiber 300 at $55.00 per month for 12 months" in text(result)
    nowhere = await call("att-fiber-coverage-checker", address="Anchorage, AK")
    entries = (nowhere.structured_content or {})["availability"]
    assert all(entry["plans"] == [] and entry["areas"] == [] for entry in entries)
    assert "- Fiber: not available." in text(nowhere)
    assert "available (" not in text(nowhere)


async def test_an_areas_note_is_told(call: Call, text: Text) -> None:
    result = await call("att-fiber-coverage-checker", address="75201", serviceType="fiber")
    (fiber,) = (result.structured_content or {})["availability"]
    assert fiber["note"] == "Without the airport and its surroundings."
    assert fiber["note"] in text(result)


@pytest.mark.parametrize(
    ("address", "precision", "said"),
    [
        ("32.78, -96.8", "point", "placed at exactly that point"),
        ("2100 Sample Street, Dallas, TX 75201", "zip", "placed at the middle of its ZIP code"),
        ("2100 Sample Street, Dallas, Texas", "city", "placed at the middle of the city; give the ZIP code"),
    ],
)
async def test_it_is_said_how_closely_the_address_was_placed(
    call: Call, text: Text, address: str, precision: str, said: str
) -> None:
    result = await call("att-fiber-coverage-checker", address=address)
    data: dict[str, Any] = result.structured_content or {}
    assert data["place"]["precision"] == precision
    assert data["address"] == address
    assert said in text(result)


@pytest.mark.parametrize(
    "address",
    [
        "12 Elm Street",
        "Dallas",
        "12 Elm Street, Atlantis, TX",
        "12 Elm Street, Dallas, TX 00000",
        "12 Elm Street, Dallas, TX 98101",  # a ZIP code of another state
        "PO Box 75201",
        "75201 Elm Street",
        "10 Downing Street, London SW1A 2AA",
        "91, 0",
        "   ",
        "?",
    ],
)
async def test_an_address_that_cannot_be_placed_is_an_error_and_never_a_yes(
    call: Call, text: Text, address: str
) -> None:
    result = await call("att-fiber-coverage-checker", address=address)
    assert result.is_error
    assert result.structured_content is None
    assert "Without a place nothing can be said about what is available." in text(result)


async def test_an_address_is_needed(call: Call, text: Text) -> None:
    result = await call("att-fiber-coverage-checker")
    assert text(result).startswith("address is missing; it takes an address that ends in its ZIP code")
