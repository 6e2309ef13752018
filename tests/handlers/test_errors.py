"""The one mapping from errors to answers: JSON for programs, pages for people."""

import errno
from typing import NoReturn

import pytest
from aiohttp import web

from server.identity import Waiting
from server.oauth.model import AuthorizationRequest
from tests.conftest import Start
from tests.support import Live


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/unknown", 404, "not_found"),
        ("GET", "/token/", 404, "not_found"),
        ("GET", "/registered/some-client", 404, "not_found"),
        ("GET", "/token", 405, "method_not_allowed"),
        ("PUT", "/register", 405, "method_not_allowed"),
        ("DELETE", "/introspect", 405, "method_not_allowed"),
        ("POST", "/health", 405, "method_not_allowed"),
    ],
)
async def test_a_program_gets_json(live: Live, method: str, path: str, status: int, error: str) -> None:
    answer = await live.send(method, path)
    assert (answer.status, answer.json["error"]) == (status, error)
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("Allow" in answer.headers) is (status == 405)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/unknown", 404), ("GET", "/token", 405), ("DELETE", "/authorize", 405), ("POST", "/account", 405)],
)
async def test_a_person_gets_a_page(live: Live, method: str, path: str, status: int) -> None:
    answer = await live.send(method, path, headers={"Accept": "text/html,*/*"})
    assert (answer.status, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert answer.headers["X-Request-Id"] in answer.text
    assert "What you can do" in answer.text


async def test_what_was_allowed_is_said(live: Live) -> None:
    assert (await live.send("GET", "/token")).headers["Allow"] == "OPTIONS,POST"


@pytest.mark.parametrize("path", ["/%3Cscript%3Ealert(1)%3C/script%3E", "/%22onload=x"])
async def test_a_path_from_outside_is_not_repeated(live: Live, path: str) -> None:
    for accept in ("text/html", "application/json"):
        answer = await live.send("GET", path, headers={"Accept": accept})
        assert answer.status == 404
        assert "script>alert" not in answer.text
        assert "onload" not in answer.text


class Exhausted:
    """Finds out nothing, for want of something."""

    everyone = None

    def __init__(self, number: int) -> None:
        self.number = number

    async def visitor(self, _http: web.Request, _asked: AuthorizationRequest) -> NoReturn:
        raise OSError(self.number, "there is none left")

    async def challenge(self, _http: web.Request, _waiting: Waiting | None) -> NoReturn:
        raise AssertionError("nobody is asked to sign in")


@pytest.mark.parametrize(("number", "status"), [(errno.EMFILE, 503), (errno.ENOMEM, 503), (errno.EPERM, 500)])
async def test_what_the_system_lacks_for_now_is_503_and_any_other_fault_500(
    start: Start, number: int, status: int
) -> None:
    async with start(identity=Exhausted(number)) as live:
        browser, app = live.browser(), await live.register()
        answer, _ = await browser.authorize(app)
        while answer.status == 302:
            answer = await browser.send("GET", answer.location)
        assert (answer.status, "Retry-After" in answer.headers) == (status, status == 503)
        assert "there is none left" not in answer.text
