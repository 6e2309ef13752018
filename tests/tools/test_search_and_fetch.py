"""The two tools of deep research, in the exact shape that it expects."""

import json

import pytest

from tests.support import Live
from tests.tools.conftest import Call, Text


async def test_results_have_id_title_and_url_as_data_and_as_json_in_one_text(call: Call, text: Text) -> None:
    result = await call("search", query="how do I set up autopay?")
    data = result.structured_content or {}
    assert data == json.loads(text(result))
    assert set(data) == {"results"}
    assert data["results"][0] == {
        "id": "articles/autopay",
        "title": "How do I set up autopay, and what is the discount?",
        "url": "http://localhost:8000/catalogue/articles/autopay",
    }
    assert all(set(one) == {"id", "title", "url"} for one in data["results"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Kestrel folding phone", "devices/kestrel-fold-5"),
        ("fiber 5 Gbps plan", "plans/demo-internet-5000"),
        ("store in Seattle Washington", "stores/demo-sea-01"),
        ("insurance for a stolen phone", "articles/lost-or-stolen"),
        ("roaming at sea", "services/service-cruise"),
        ("internet backup outage", "offers/backup-included"),
    ],
)
async def test_stores_products_plans_services_and_articles_are_found(call: Call, query: str, found: str) -> None:
    data = (await call("search", query=query)).structured_content or {}
    assert found in [one["id"] for one in data["results"]]


async def test_nothing_found_is_an_empty_list(call: Call) -> None:
    assert (await call("search", query="xylophone")).structured_content == {"results": []}


async def test_what_is_found_can_be_fetched(call: Call) -> None:
    for query in ("phone", "plan", "store", "bill", "backup"):
        data = (await call("search", query=query)).structured_content or {}
        assert data["results"]
        for one in data["results"][:5]:
            fetched = (await call("fetch", id=one["id"])).structured_content or {}
            assert (fetched["id"], fetched["title"], fetched["url"]) == (one["id"], one["title"], one["url"])


async def test_a_fetched_row_says_all_that_is_known_in_text(call: Call, text: Text) -> None:
    result = await call("fetch", id="devices/kestrel-k12")
    data = result.structured_content or {}
    assert data == json.loads(text(result))
    assert set(data) == {"id", "title", "text", "url", "metadata"}
    assert data["metadata"]["kind"] == "devices"
    lines = data["text"].splitlines()
    assert lines[0] == "Kestrel K12"
    assert "- Name: K12" in lines
    assert "    Discounted: $674.99" in lines
    assert lines[-1] == data["metadata"]["notice"]
    article = (await call("fetch", id="articles/autopay")).structured_content or {}
    assert "taken from a saved payment method on the due date" in article["text"]


@pytest.mark.parametrize("item_id", ["articles/none", "autopay", "nothing/autopay", "/", "articles/"])
async def test_an_id_that_is_not_there_is_told(call: Call, text: Text, item_id: str) -> None:
    result = await call("fetch", id=item_id)
    assert result.is_error
    assert text(result) == f'There is nothing with the id "{item_id}"; take one that search gives.'


@pytest.mark.parametrize("query", ["", "x" * 501])
async def test_a_query_has_some_length(call: Call, text: Text, query: str) -> None:
    result = await call("search", query=query)
    assert result.is_error
    assert "it takes words to look for" in text(result)


async def test_the_url_of_a_result_leads_to_its_page(live: Live) -> None:
    token = (await live.log_in(await live.register()))["access_token"]
    answer = await live.call("search", token, query="voicemail password")
    (first, *_) = answer.json["result"]["structuredContent"]["results"]
    page = await live.send("GET", first["url"])
    assert page.status == 200
    assert f"<h1>{first['title']}</h1>" in page.text
