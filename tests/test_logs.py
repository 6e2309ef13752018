"""The log: its exact lines, its two forms, and that no secret is ever in it."""

import asyncio
import json
import logging
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from server import logs
from server.settings import load_settings
from tests.browser import App
from tests.conftest import Start
from tests.support import Live


@pytest.fixture(autouse=True)
def _former_logging() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


async def whole_flow(live: Live, method: str) -> list[str]:
    """Use every endpoint, well and badly, and give every secret that went over the wire."""
    app = await live.register(token_endpoint_auth_method=method, client_name="Example")
    browser = live.browser()
    denied = await browser.open_page(app)
    await denied.deny()
    page = await browser.open_page(app, state="state-of-the-client")
    code = (await page.approve()).returned["code"]
    await live.exchange(app, code, "w" * 43)
    tokens = (await live.exchange(app, code, page.verifier)).json
    second = (await live.refresh(app, tokens["refresh_token"], scope="admin")).json
    second = (await live.refresh(app, tokens["refresh_token"])).json
    await live.introspect(app, second["access_token"])
    await misuse(live, app, code, page.handle, second["access_token"])
    await live.post("/revoke", app, token=tokens["access_token"])
    live.clock.advance(200)
    await live.refresh(app, tokens["refresh_token"])
    await live.exchange(app, code, page.verifier)
    secrets = [denied.handle, denied.verifier, page.handle, page.verifier, code, *browser.cookies.values()]
    secrets += [answer[name] for answer in (tokens, second) for name in ("access_token", "refresh_token")]
    secrets += [app.registration["registration_access_token"], str(app.registration.get("client_secret", code))]
    return [*secrets, "state-of-the-client", "w" * 43]


async def misuse(live: Live, app: App, code: str, handle: str, token: str) -> None:
    """Send secrets to where they do not belong."""
    for path in ("/mcp", "/", "/authorize", "/oauth/authorize/page", "/oauth/stats", "/nowhere"):
        await live.send("GET", f"{path}?access_token={token}&code={code}&request={handle}")
    await live.send("POST", "/mcp", json={"jsonrpc": "2.0"}, headers={"Authorization": f"Bearer {token}"})
    await live.send("POST", "/mcp", data=b"x", headers={"Authorization": f"Bearer {token[:-1]}"})
    await live.send("POST", "/token", data={"client_id": app.client_id, "code": code}, headers={"Authorization": token})
    await live.send("GET", "/authorize", data=code, headers={"Content-Encoding": "gzip"})
    for line in (f"GET /?code={code}\udcff HTTP/1.1", f"GET / HTTP/1.1\r\nAuthorization: {token}\x00"):
        await raw(live, line)


async def raw(live: Live, head: str) -> bytes:
    """Send what no HTTP client would, and give the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(live.url).port)
    writer.write(head.encode(errors="surrogateescape") + b"\r\nHost: localhost\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("method", ["none", "client_secret_post", "client_secret_basic"])
async def test_no_secret_and_no_query_string_is_in_any_record_of_a_whole_flow(
    start: Start, capsys: pytest.CaptureFixture[str], log_format: str, method: str
) -> None:
    async with start(log_level="DEBUG", log_format=log_format) as live:
        logs.set_up(load_settings(log_level="DEBUG", log_format=log_format))
        secrets = await whole_flow(live, method)
    written = capsys.readouterr().err
    assert "Exchanged authorization code for tokens" in written
    assert "Malformed request refused" in written
    assert [secret for secret in secrets if secret in written] == []
    for query in ("access_token=", "code=", "request=", "?", "att_ac_", "att_at_", "att_rt_", "att_cs_", "att_rg_"):
        assert query not in written


async def test_the_lines_that_others_look_for_are_written(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with start() as live:
        app = await live.register()
        await live.log_in(app)
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if not line.startswith(("GET ", "POST "))] == [
        "OAuth enabled: True",
        f"OAuth issuer URL: {live.url}",
        "OAuth provider initialized",
        "OAuth endpoints registered: /register, /authorize, /token, /revoke, /introspect",
        f"Registered client: {app.client_id}",
        f"Generated authorization code for client: {app.client_id}",
        "Exchanged authorization code for tokens",
    ]


async def test_with_oauth_off_that_is_said_and_warned_of(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with start(oauth_enabled=False):
        pass
    assert "OAuth enabled: False" in caplog.messages
    assert [record.levelname for record in caplog.records if "OAuth is off" in record.getMessage()] == ["WARNING"]


@pytest.mark.parametrize(("url", "warned"), [("https://mcp.example.com", True), ("http://127.0.0.1:8000", False)])
async def test_a_demonstration_on_a_public_address_is_warned_of(
    start: Start, caplog: pytest.LogCaptureFixture, url: str, *, warned: bool
) -> None:
    async with start(server_url=url):
        pass
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert bool(warnings) is warned
    assert all("nobody signs in" in line for line in warnings)


async def test_a_path_cannot_forge_a_line(live: Live, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(load_settings())
    await live.send("GET", "/a%0d%0a2026-01-01%20INFO%20forged")
    await live.send("POST", "/token", data={"client_id": "a\r\n2026-01-01 INFO forged"})
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert not [line for line in lines if line.startswith("2026-01-01")]


async def test_a_parameter_cannot_fill_the_log(live: Live, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(load_settings())
    await live.send("POST", "/token", data={"client_id": "x" * 60_000})
    await live.send("POST", "/token", data=[("y" * 20_000, "1"), ("y" * 20_000, "2")])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert max(len(line) for line in lines) < 400


async def test_every_record_of_a_request_carries_the_id_that_the_answer_gives(
    live: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(load_settings())
    answers = [await live.send("POST", "/token", data={"client_id": name}) for name in "ab"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 2
    for number, line in enumerate(lines):
        assert f"[{answers[number // 2].headers['X-Request-Id']}]" in line


async def test_json_is_one_object_a_line(live: Live, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(load_settings(log_format="json"))
    answer = await live.send("POST", "/token", data={"client_id": "line\nbreak\u2028é\x1b[31m"})
    logging.getLogger("server").error("It failed", exc_info=ValueError("two\nlines"))
    written = capsys.readouterr().err
    assert written.isascii()
    lines = [json.loads(line) for line in written.splitlines()]
    assert [line["level"] for line in lines] == ["INFO", "INFO", "ERROR"]
    for line in lines[:2]:
        assert set(line) == {"time", "level", "logger", "request_id", "message"}
        assert line["request_id"] == answer.headers["X-Request-Id"]
    assert "ValueError: two\nlines" in lines[2]["exception"]


def test_the_level_is_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(load_settings(log_level="WARNING"))
    logging.getLogger("server").info("quiet")
    logging.getLogger("server").warning("loud")
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == ["loud"]
