"""The pages that are not part of signing in."""

from tests.support import Live


async def test_the_front_page_gives_the_connector_url(live: Live) -> None:
    answer = await live.send("GET", "/")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f"{live.url}/mcp" in answer.text


async def test_the_account_page_says_that_nobody_signs_in(live: Live) -> None:
    answer = await live.send("GET", "/account")
    assert answer.status == 200
    assert "Nobody signs in here" in answer.text
