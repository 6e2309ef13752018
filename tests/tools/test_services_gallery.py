import pytest

from tests.tools.conftest import Call, Text

CATEGORIES = ["wireless", "internet", "protection", "entertainment", "business"]


async def test_every_service_is_shown_without_a_category_in_the_order_of_the_categories(call: Call) -> None:
    data = (await call("att-services-gallery")).structured_content or {}
    assert data["count"] == len(data["services"]) >= 15
    order = [CATEGORIES.index(service["category"]) for service in data["services"]]
    assert order == sorted(order)
    assert set(order) == set(range(5))


@pytest.mark.parametrize("category", CATEGORIES)
async def test_a_category_shows_no_other(call: Call, category: str) -> None:
    data = (await call("att-services-gallery", category=category)).structured_content or {}
    assert {service["category"] for service in data["services"]} == {category}


async def test_the_text_says_what_a_service_costs_and_how_to_get_it(call: Call, text: Text) -> None:
    told = text(await call("att-services-gallery", category="protection"))
    assert "- Demo Device Protection (protection): Repairs or replaces" in told
    assert "$17.00 per month for one device, plus a service fee for each claim." in told
    assert "Add it within 30 days of buying the device" in told
    assert "free; the Plus level is $3.99 a month" in told


async def test_an_unknown_category_is_answered_with_those_that_there_are(call: Call, text: Text) -> None:
    result = await call("att-services-gallery", category="toys")
    assert result.is_error
    assert 'category cannot be "toys"; it takes "wireless", "internet", "protection",' in text(result)
