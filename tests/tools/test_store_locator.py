import pytest

from tests.tools.conftest import Call, Text, World

SEATTLE = "47.6062, -122.3321"
NINE_TO_NINE = [{"open": "09:00", "close": "21:00"}]


async def test_stores_come_nearest_first_within_the_radius(call: Call) -> None:
    data = (await call("att-store-locator", location=SEATTLE, radiusMiles=12)).structured_content or {}
    distances = [store["distanceMiles"] for store in data["stores"]]
    assert len(distances) == data["totalInRadius"] > 2
    assert distances == sorted(distances)
    assert distances[-1] <= 12
    assert all(store["address"]["state"] == "WA" for store in data["stores"])


@pytest.mark.parametrize(
    ("location", "label", "first"),
    [
        ("98101", "Seattle, WA 98101", "demo-sea-01"),
        (" 98101-1234 ", "Seattle, WA 98101", "demo-sea-01"),
        ("Boston, MA", "Boston, MA", "demo-bos"),
        ("  boston ,  massachusetts", "Boston, MA", "demo-bos"),
        ("DENVER COLORADO", "Denver, CO", "demo-den"),
        ("47.6115,-122.3343", "47.6115, -122.334", "demo-sea-01"),
    ],
)
async def test_a_place_is_understood_in_each_of_its_forms(call: Call, location: str, label: str, first: str) -> None:
    data = (await call("att-store-locator", location=location)).structured_content or {}
    assert data["origin"]["label"] == label
    assert data["stores"][0]["id"].startswith(first)


async def test_a_store_is_told_with_all_that_is_known_of_it(call: Call, world: World) -> None:
    world.set_time("2026-11-23T17:30:00+00:00")  # Monday, 9:30 in Seattle
    data = (await call("att-store-locator", location=SEATTLE, storeType="retail", limit=1)).structured_content or {}
    weekdays = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"), NINE_TO_NINE)
    assert data["stores"] == [
        {
            "id": "demo-sea-01",
            "name": "AT&T Store \N{EN DASH} Downtown (demo)",
            "type": "retail",
            "coordinates": {"latitude": 47.6091, "longitude": -122.3309},
            "address": {"street": "1444 Fictional Parkway", "city": "Seattle", "state": "WA", "zip": "98101"},
            "phone": "+1 206-555-0166",
            "website": None,
            "timeZone": "America/Los_Angeles",
            "hours": {**weekdays, "sunday": [{"open": "11:00", "close": "19:00"}]},
            "openNow": True,
            "products": [
                "smartphones",
                "tablets",
                "smartwatches",
                "home internet",
                "prepaid phones",
                "accessories",
            ],
            "services": [
                "device setup",
                "trade-in",
                "bill payment",
                "device protection claims",
                "fiber sign-up",
                "business accounts",
                "same-day pickup",
            ],
            "distanceMiles": 0.2,
        }
    ]


@pytest.mark.parametrize("store_type", ["retail", "authorized_retailer"])
async def test_a_store_type_lists_no_other(call: Call, store_type: str) -> None:
    everything = (await call("att-store-locator", location=SEATTLE)).structured_content or {}
    data = (await call("att-store-locator", location=SEATTLE, storeType=store_type)).structured_content or {}
    assert {store["type"] for store in data["stores"]} == {store_type}
    assert 0 < data["totalInRadius"] < everything["totalInRadius"]


async def test_the_limit_cuts_the_list_but_not_the_count(call: Call, text: Text) -> None:
    result = await call("att-store-locator", location=SEATTLE, limit=2)
    data = result.structured_content or {}
    assert (len(data["stores"]), data["totalInRadius"]) == (2, 6)
    assert "6 stores within 25 miles" in text(result)
    assert "2 listed" in text(result)


async def test_no_store_in_the_radius_is_an_empty_list_and_says_how_far_the_nearest_is(call: Call, text: Text) -> None:
    result = await call("att-store-locator", location="Austin, TX", radiusMiles=30)
    assert not result.is_error
    assert (result.structured_content or {})["stores"] == []
    assert "No stores within 30 miles of Austin, TX. The nearest is " in text(result)
    assert " miles away." in text(result)


async def test_the_text_holds_what_a_person_asks_for(call: Call, text: Text) -> None:
    result = await call("att-store-locator", location="98101", limit=1)
    line = text(result).splitlines()[1]
    (store,) = (result.structured_content or {})["stores"]
    for part in (store["name"], store["phone"], store["address"]["street"], "Mon-Sat 09:00-21:00, Sun 11:00-19:00"):
        assert part in line


async def test_open_now_follows_each_stores_own_clock(call: Call, world: World, text: Text) -> None:
    world.set_time("2026-11-23T17:30:00+00:00")  # Monday, 12:30 in New York and 9:30 in Seattle
    new_york = await call("att-store-locator", location="10003", storeType="retail", limit=1)
    seattle = await call("att-store-locator", location="98052", limit=1)
    assert (new_york.structured_content or {})["stores"][0]["openNow"] is True
    assert (seattle.structured_content or {})["stores"][0]["openNow"] is False
    assert "open now" in text(new_york)
    assert "closed now" in text(seattle)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"location": "Atlantis"}, '"Atlantis" is not a place that is known here. Try a five-digit ZIP code'),
        ({"location": "00000"}, '"00000" is not a place that is known here.'),
        ({"location": "Springfield"}, '"Springfield" is not a place'),
        ({"location": "Gotham, NY"}, '"Gotham, NY" is not a place'),
        ({"location": "91, 0"}, '"91, 0" is not a point: latitude goes from -90 to 90'),
        ({"location": "   "}, "is not a place that is known here."),
        ({"location": "x" * 201}, f'location cannot be "{"x" * 79}…; it takes a five-digit ZIP code'),
        ({"location": ""}, 'location cannot be ""; it takes a five-digit ZIP code'),
        ({"location": 98101}, "location cannot be 98101; it takes"),
        ({}, "location is missing; it takes a five-digit ZIP code"),
        ({"location": None}, "location is missing; it takes"),
        ({"location": "98101", "limit": 0}, "limit cannot be 0; it takes a whole number from 1 to 50"),
        ({"location": "98101", "limit": 51}, "limit cannot be 51;"),
        ({"location": "98101", "limit": 2.5}, "limit cannot be 2.5;"),
        ({"location": "98101", "radiusMiles": 0}, "radiusMiles cannot be 0; it takes a number of miles above 0"),
        ({"location": "98101", "radiusMiles": 501}, "radiusMiles cannot be 501;"),
        ({"location": "98101", "radiusMiles": "far"}, 'radiusMiles cannot be "far";'),
        ({"location": "98101", "storeType": "kiosk"}, 'storeType cannot be "kiosk"; it takes "retail",'),
        (
            {"location": "98101", "radius": 5},
            "There is no argument 'radius'; the arguments are location, storeType, radiusMiles, limit.",
        ),
    ],
)
async def test_bad_input_is_answered_with_what_would_be_understood(
    call: Call, text: Text, arguments: dict[str, object], message: str
) -> None:
    result = await call("att-store-locator", **arguments)
    assert result.is_error
    assert message in text(result)
    assert "pydantic" not in text(result)
    assert "Traceback" not in text(result)
