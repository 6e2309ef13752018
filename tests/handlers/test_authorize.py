"""GET and POST /authorize: what leads to the page, what goes back to the app, what the person is told."""

import re
from urllib.parse import unquote, urlencode

import pytest

from tests.browser import App, challenge
from tests.conftest import Start
from tests.support import REDIRECT_URI, Live

ODD_STATES = [
    "a b",
    "a+b",
    "100%",
    "%20%2B",
    "a&b=c",
    "'\"<script>",
    "é\u4e2d\U0001f600",
    "a/b?c#d",
    "line\nbreak\ttab",
    "\x00",
    "=" * 10,
    "x" * 4_000,
    '{"a": [1, 2]}',
]


def asked(app: App, **changed: str) -> dict[str, str]:
    good = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "state": "some-state",
        "code_challenge": challenge("v" * 43),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**good, **changed}.items() if value}


async def test_a_good_request_leads_to_the_page_by_302_and_a_form_by_303(live: Live) -> None:
    app = await live.register()
    got = await live.send("GET", "/authorize?" + urlencode(asked(app)))
    posted = await live.send("POST", "/authorize", data=asked(app))
    assert (got.status, posted.status) == (302, 303)
    for answer in (got, posted):
        assert re.fullmatch(r"/oauth/authorize/page\?request=[0-9a-f]{64}", answer.location)
        assert answer.headers["Cache-Control"] == "no-store"


async def test_head_is_answered_as_get_is(live: Live) -> None:
    app = await live.register()
    assert (await live.send("HEAD", "/authorize?" + urlencode(asked(app)))).status == 302


async def test_the_browsers_cookie_is_http_only_lax_and_reused(live: Live) -> None:
    app, browser = await live.register(), live.browser()
    first, _ = await browser.authorize(app)
    second, _ = await browser.authorize(app)
    cookies = [answer.headers["Set-Cookie"] for answer in (first, second)]
    assert re.fullmatch(r"att_browser=[0-9a-f]{64}; HttpOnly; Path=/; SameSite=Lax", cookies[0])
    assert cookies[0] == cookies[1]
    assert live.sql("SELECT count(*) FROM authorization_requests") == [(2,)]


@pytest.mark.parametrize("forged", ["", "x", "A" * 64, "0" * 63, "0" * 65])
async def test_a_cookie_that_was_not_made_here_is_replaced(live: Live, forged: str) -> None:
    app, browser = await live.register(), live.browser()
    browser.cookies["att_browser"] = forged
    await browser.authorize(app)
    assert re.fullmatch("[0-9a-f]{64}", browser.cookies["att_browser"])


@pytest.mark.parametrize("form", ["{}; theme=dark", "theme=dark; {}", "a=b=c;{} ;theme", "xatt_browser=0; {}", "=; {}"])
async def test_the_browsers_cookie_is_found_among_others(live: Live, form: str) -> None:
    app, browser = await live.register(), live.browser()
    sent, _ = await browser.authorize(app)
    cookie = "att_browser=" + browser.cookies["att_browser"]
    page = await live.send("GET", sent.location, headers={"Cookie": form.format(cookie)})
    assert page.status == 200


async def test_over_https_the_cookie_is_bound_to_the_host(start: Start) -> None:
    async with start(server_url="https://mcp.example.com") as live:
        browser = live.browser()
        page = await browser.open_page(await live.register())
        assert list(browser.cookies) == ["__Host-att_browser"]
        answer, _ = await browser.authorize(await live.register())
        attributes = answer.headers["Set-Cookie"].split("; ")[1:]
        assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]
        assert (await page.approve()).returned["iss"] == "https://mcp.example.com"


async def test_the_handle_and_the_cookie_are_stored_as_digests_only(live: Live) -> None:
    app, browser = await live.register(), live.browser()
    page = await browser.open_page(app)
    live.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = b"".join(file.read_bytes() for file in live.database.parent.glob("server.db*"))
    for secret in (page.handle, browser.cookies["att_browser"], page.verifier):
        assert secret.encode() not in stored


@pytest.mark.parametrize("state", ODD_STATES)
async def test_the_state_comes_back_exactly_as_it_was_sent(live: Live, state: str) -> None:
    app = await live.register()
    refused = await live.send("GET", "/authorize?" + urlencode(asked(app, state=state, scope="admin")))
    assert refused.returned["state"] == state
    page = await live.browser().open_page(app, state=state)
    denied = await page.deny()
    approved = await (await live.browser().open_page(app, state=state)).approve()
    for answer in (refused, denied, approved):
        assert answer.returned["state"] == state
        assert unquote(answer.location.partition("state=")[2].partition("&")[0]) == state


async def test_without_a_state_none_comes_back(live: Live) -> None:
    app = await live.register()
    assert set((await (await live.browser().open_page(app, state="")).approve()).returned) == {"code", "iss"}
    answer, _ = await live.browser().authorize(app, state="", scope="admin")
    assert set(answer.returned) == {"error", "error_description", "iss"}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"resource": "https://evil.example"}, "invalid_target"),
        ({"prompt": "none"}, "login_required"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "x"}, "request_uri_not_supported"),
    ],
)
async def test_an_error_goes_back_with_its_code_the_state_and_the_issuer(
    live: Live, changed: dict[str, str], error: str
) -> None:
    app = await live.register()
    got = await live.send("GET", "/authorize?" + urlencode(asked(app, **changed)))
    posted = await live.send("POST", "/authorize", data=asked(app, **changed))
    assert (got.status, posted.status, got.location) == (302, 303, posted.location)
    assert got.location.startswith(REDIRECT_URI + "?")
    assert got.returned["error_description"]
    assert {name: got.returned[name] for name in ("error", "state", "iss")} == {
        "error": error,
        "state": "some-state",
        "iss": live.url,
    }
    assert live.sql("SELECT count(*) FROM authorization_requests") == [(0,)]


async def test_confidential_clients_need_pkce_too(live: Live) -> None:
    app = await live.register(token_endpoint_auth_method="client_secret_basic")
    answer, _ = await live.browser().authorize(app, code_challenge="", code_challenge_method="")
    assert answer.returned["error"] == "invalid_request"


async def test_parameters_are_added_to_the_query_of_a_redirect_uri(live: Live) -> None:
    app = await live.register(redirect_uris=["https://assistant.example/callback?tenant=a%20b"])
    answer = await (await live.browser().open_page(app)).approve()
    assert answer.location.startswith("https://assistant.example/callback?tenant=a%20b&code=att_ac_")


@pytest.mark.parametrize(
    ("registered", "presented"),
    [
        ("http://localhost:8787/callback", "http://localhost:50123/callback"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:50123/callback"),
        ("http://[::1]:1/callback", "http://[::1]:50123/callback"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback"),
    ],
)
async def test_a_program_on_this_computer_gets_its_answer_where_it_listens(
    live: Live, registered: str, presented: str
) -> None:
    app = await live.register(redirect_uris=[registered])
    page = await live.browser().open_page(app, redirect_uri=presented)
    answer = await page.approve()
    assert answer.location.startswith(presented + "?code=")
    assert (await live.exchange(app, answer.returned["code"], page.verifier, redirect_uri=presented)).status == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": ""},
        {"client_id": "test"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": REDIRECT_URI + "/"},
        {"redirect_uri": "https://assistant.example:444/callback"},
    ],
)
async def test_until_client_and_redirect_uri_are_good_the_person_is_told(live: Live, changed: dict[str, str]) -> None:
    app = await live.register()
    for answer in (
        await live.send("GET", "/authorize?" + urlencode(asked(app, **changed))),
        await live.send("POST", "/authorize", data=asked(app, **changed)),
    ):
        assert answer.status == 400
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "Location" not in answer.headers
        assert "evil.example" not in answer.text


async def test_another_clients_redirect_uri_is_not_allowed(live: Live) -> None:
    other = await live.register(redirect_uris=["https://other.example/callback"])
    answer, _ = await live.browser().authorize(await live.register(), redirect_uri=other.redirect_uri)
    assert (answer.status, "Location" in answer.headers) == (400, False)


async def test_an_authorization_request_that_arrives_twice_consumes_nothing(live: Live) -> None:
    app = await live.register()
    query = "/authorize?" + urlencode(asked(app))
    assert (await live.send("GET", query)).status == 302
    assert (await live.send("GET", query)).status == 302


async def test_a_removed_client_is_told_to_be_added_again(live: Live) -> None:
    app = await live.register()
    live.sql("DELETE FROM clients")
    answer, _ = await live.browser().authorize(app)
    assert answer.status == 400
    assert "add it again" in answer.text
