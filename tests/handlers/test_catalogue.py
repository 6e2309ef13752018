import pytest

from tests.support import Live


async def test_a_citation_leads_to_a_page_that_shows_the_row(live: Live) -> None:
    answer = await live.send("GET", "/catalogue/articles/autopay")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>How do I set up autopay, and what is the discount?</h1>" in answer.text
    assert "taken from a saved payment method on the due date" in answer.text
    assert "Demonstration data: " in answer.text


async def test_a_row_is_shown_line_by_line_as_its_lists_go(live: Live) -> None:
    answer = await live.send("GET", "/catalogue/devices/kestrel-k12")
    assert '<p class="line depth-0">Brand: Kestrel</p>' in answer.text
    assert '<p class="line depth-1">- Name: K12</p>' in answer.text
    assert '<p class="line depth-2">Monthly: $18.75</p>' in answer.text
    store = await live.send("GET", "/catalogue/stores/demo-sea-01")
    assert '<p class="line depth-0">Opening hours: Mo-Sa 09:00-21:00; Su 11:00-19:00; Dec 25 off</p>' in store.text
    area = await live.send("GET", "/catalogue/areas/fiber-sea")
    assert "Service type: fiber" in area.text
    assert "47." not in area.text


async def test_what_was_imported_is_shown_escaped_and_by_whatever_id(live: Live) -> None:
    live.sql("UPDATE catalogue_items SET id = 'node/1', title = '<script>' WHERE id = 'demo-sea-01'")
    answer = await live.send("GET", "/catalogue/stores/node%2F1")
    assert answer.status == 200
    assert "<h1>&lt;script&gt;</h1>" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["articles/none", "nothing/autopay", "articles/%00", "articles/a%2Fb"])
async def test_there_is_no_page_of_what_is_not_there(live: Live, path: str) -> None:
    assert (await live.send("GET", f"/catalogue/{path}")).status == 404
