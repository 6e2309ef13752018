import pytest

from tests.tools.conftest import Call, Text


async def test_every_plan_is_listed_without_a_product_type(call: Call) -> None:
    result = await call("att-plans-list")
    data = result.structured_content or {}
    assert data["productType"] == "all"
    assert data["count"] == len(data["plans"]) >= 12
    assert {plan["productType"] for plan in data["plans"]} == {"wireless", "internet", "prepaid"}


@pytest.mark.parametrize("product_type", ["wireless", "internet", "prepaid"])
async def test_a_product_type_lists_its_plans_alone_cheapest_first(call: Call, product_type: str) -> None:
    data = (await call("att-plans-list", productType=product_type)).structured_content or {}
    assert data["plans"]
    assert {plan["productType"] for plan in data["plans"]} == {product_type}
    prices = [plan["price"]["cents"] for plan in data["plans"]]
    assert prices == sorted(prices)


async def test_a_plan_is_told_whole_and_its_prices_as_cents_and_as_text(call: Call, text: Text) -> None:
    result = await call("att-plans-list", productType="wireless")
    plans = {plan["id"]: plan for plan in (result.structured_content or {})["plans"]}
    assert plans["demo-wireless-extra"] == {
        "id": "demo-wireless-extra",
        "productType": "wireless",
        "name": "Demo Extra Unlimited",
        "tier": "Extra",
        "badge": "Most popular",
        "price": {"cents": 7500, "formatted": "$75.00"},
        "originalPrice": {"cents": 8000, "formatted": "$80.00"},
        "priceNote": "per month for one line, taxes and fees extra",
        "features": [
            "Unlimited talk and text",
            "75 GB of priority data",
            "30 GB of hotspot data",
            "High-definition streaming",
        ],
    }
    assert plans["demo-wireless-value"]["originalPrice"] is None
    assert "Demo Extra Unlimited (wireless, Extra, Most popular): $75.00 (was $80.00) per month" in text(result)


async def test_an_unknown_product_type_is_answered_with_those_that_there_are(call: Call, text: Text) -> None:
    result = await call("att-plans-list", productType="satellite")
    assert result.is_error
    assert text(result) == ('productType cannot be "satellite"; it takes "wireless", "internet", "prepaid" or "all".')
