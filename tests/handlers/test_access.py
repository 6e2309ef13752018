"""What surrounds every request: security headers, CORS, request ids."""

from collections.abc import AsyncIterator

import pytest

from server import keys
from tests.browser import Answer
from tests.conftest import Start
from tests.support import Live

CROSS_ORIGIN = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/unknown",
    "/register",
    "/token",
    "/revoke",
    "/mcp",
]
SAME_ORIGIN = ["/", "/authorize", "/oauth/authorize/page", "/oauth/authorize/approve", "/oauth/stats", "/account"]


async def answers_of_every_kind(live: Live) -> AsyncIterator[tuple[str, Answer]]:
    app = await live.register()
    yield "200 page", await live.send("GET", "/")
    yield "200 JSON", await live.send("GET", "/oauth/stats")
    yield "200 metadata", await live.send("GET", "/.well-known/oauth-protected-resource")
    yield "200 empty", await live.post("/revoke", app, token="x")
    yield "204", await live.send("OPTIONS", "/token")
    yield "302", (await live.browser().authorize(app))[0]
    yield "303", await (await live.browser().open_page(app)).deny()
    yield "400 JSON", await live.send("POST", "/token")
    yield "400 page", await live.send("GET", "/authorize")
    yield "401", await live.send("POST", "/mcp")
    yield "404", await live.send("GET", "/unknown")
    yield "404 page", await live.send("GET", "/unknown", headers={"Accept": "text/html"})
    yield "405", await live.send("DELETE", "/token")
    yield "413", await live.send("POST", "/register", data=b"x" * 20_000, headers={"Content-Type": "application/json"})
    yield "417", await live.send("POST", "/token", headers={"Expect": "a miracle"})


def is_guarded(answer: Answer) -> bool:
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    return (
        "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
        and headers["X-Content-Type-Options"] == "nosniff"
        and headers["X-Frame-Options"] == "DENY"
        and headers["Referrer-Policy"] == "no-referrer"
        and headers["Server"] == "att-mcp-server"
        and "X-Request-Id" in headers
    )


async def test_every_kind_of_answer_carries_the_security_headers(live: Live) -> None:
    async for kind, answer in answers_of_every_kind(live):
        assert kind.startswith(str(answer.status)), (kind, answer.status)
        assert is_guarded(answer), kind
        assert "Strict-Transport-Security" not in answer.headers
        assert "aiohttp" not in answer.text + str(answer.headers)


async def test_over_https_browsers_are_told_to_stay_there(start: Start) -> None:
    async with start(server_url="https://mcp.example.com") as live:
        for path in ("/", "/oauth/stats", "/unknown"):
            assert (await live.send("GET", path)).headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [("GET", "/oauth/authorize/page?request=x", "get_request_and_client"), ("POST", "/token", "get_client")],
)
async def test_a_failure_of_ours_is_a_guarded_500_that_tells_nothing(
    live: Live,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    function: str,
) -> None:
    monkeypatch.setattr(live.application[keys.STORE], function, None)
    answer = await live.send(method, path, data={"client_id": "x"})
    assert (answer.status, is_guarded(answer)) == (500, True)
    assert answer.headers["Cache-Control"] == "no-store"
    for leak in ("Traceback", "TypeError", "NoneType", ".py"):
        assert leak not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    failures = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [bool(record.exc_info) for record in failures] == [True]


async def test_requests_have_ids_of_their_own_and_none_from_outside(live: Live) -> None:
    answers = [await live.send("GET", "/health", headers={"X-Request-Id": "forged"}) for _ in range(3)]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == 3
    assert "forged" not in ids


@pytest.mark.parametrize("path", CROSS_ORIGIN)
async def test_browser_clients_may_call_and_read(live: Live, path: str) -> None:
    for method in ("POST", "GET"):
        answer = await live.send(method, path, headers={"Origin": "https://inspector.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert {"WWW-Authenticate", "Mcp-Session-Id", "MCP-Protocol-Version"} <= exposed


@pytest.mark.parametrize("path", CROSS_ORIGIN)
async def test_a_preflight_allows_what_clients_send(live: Live, path: str) -> None:
    asked = {
        "Origin": "https://inspector.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "mcp-param-limit, Mcp-Param-Store_Type, mcp-param-, x-evil, mcp-param-a;b",
    }
    answer = await live.send("OPTIONS", path, headers=asked)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"GET", "POST", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    allowed = set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert {"Authorization", "Content-Type", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id"} <= allowed
    assert {"MCP-Protocol-Version", "Last-Event-ID", "mcp-param-limit", "Mcp-Param-Store_Type"} <= allowed
    assert not {"x-evil", "mcp-param-a;b", "*"} & allowed


@pytest.mark.parametrize("path", SAME_ORIGIN)
async def test_pages_are_for_no_other_origin(live: Live, path: str) -> None:
    answer = await live.send("GET", path, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
