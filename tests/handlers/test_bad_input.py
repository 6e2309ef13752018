"""Bad input at the OAuth endpoints: always the right 4xx, never a failure of ours."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from server.transport import body
from tests.support import REDIRECT_URI, Live, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
FORM_ENDPOINTS = ["/token", "/revoke", "/introspect"]
PAGE_ENDPOINTS = ["/authorize", "/oauth/authorize/approve"]

NOT_JSON: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("no JSON", b"{redirect_uris:}"),
    ("a list", b"[]"),
    ("a string", b'"x"'),
    ("a number", b"1"),
    ("null", b"null"),
    ("two objects", b"{}{}"),
    ("cut short", b'{"redirect_uris": ["https://a.exa'),
    ("not UTF-8", b'{"client_name": "\xff"}'),
    ("UTF-16", json.dumps({"redirect_uris": [REDIRECT_URI]}).encode("utf-16")),
    ("a lone surrogate", b'{"redirect_uris": ["https://a.example/"], "client_name": "\\ud800"}'),
    ("a lone surrogate as a name", b'{"redirect_uris": ["https://a.example/"], "\\udfff": 1}'),
    ("deep nesting", b'{"a":' * 2_000 + b"1" + b"}" * 2_000),
    ("deep lists", b"[" * 16_000),
    ("a number too long to read", b'{"a": ' + b"9" * 10_000 + b"}"),
    ("NUL bytes", b"\0" * 100),
]

CAN_BE_READ = {"deep nesting": {(400, "invalid_redirect_uri")}}
"""What newer versions of Python take for an object, and one without redirect URIs."""

FORMS: list[tuple[str, bytes, int]] = [
    ("nothing", b"", 401),
    ("not percent-encoded", "client_id=é".encode(), 400),
    ("not UTF-8", b"client_id=%ff", 400),
    ("an encoded surrogate", b"client_id=%ED%A0%80", 400),
    ("bad percent-encoding", b"client_id=%zz%", 401),
    ("NUL bytes", b"client_id=%00", 401),
    ("too many fields", b"&".join(b"a%d=1" % n for n in range(200)), 400),
    ("repeated", b"client_id=a&client_id=b", 400),
    ("only separators", b"&&&===&&&", 401),
    ("64 KiB", b"client_id=" + b"a" * (64 * 1024 - 10), 401),
    ("a byte more", b"client_id=" + b"a" * (64 * 1024 - 9), 413),
    ("JSON", b'{"client_id": "a"}', 401),
]

AUTHORIZATIONS: list[tuple[bytes, int]] = [
    (b"", 401),
    (b"Basic", 401),
    (b"Basic ", 401),
    (b"Basic !!!", 401),
    (b"Basic YQ", 401),
    (b"Basic YQ==", 401),
    (b"Basic Og==", 401),
    (b"Basic /////w==", 401),
    (b"Basic \xff\xfe", 401),
    (b"Basic \xc3\xa9", 401),
    (b"Basic AAAAOgAA", 401),
    (b"Basic " + b"QQ==" * 1_500, 401),
    (b"Bearer att_at_x", 401),
    (b"Digest username=x", 401),
    (b"\xff", 401),
    (b"Basic YTpi\r\nAuthorization: Basic YTpi", 400),
]

RAW: list[tuple[str, bytes, int]] = [
    ("a long URL", b"GET /authorize?state=" + b"a" * 9_000 + b" HTTP/1.1\r\n", 400),
    ("a long header", b"GET /authorize HTTP/1.1\r\nX-Long: " + b"a" * 9_000 + b"\r\n", 400),
    ("raw bytes in the query", b"GET /authorize?client_id=\xff\xfe HTTP/1.1\r\n", 400),
    ("NUL in the path", b"GET /authorize\0 HTTP/1.1\r\n", 400),
    ("an unknown method", b"BREW /token HTTP/1.1\r\n", 400),
    ("a method of bytes", b"F\xc3\xbcO /token HTTP/1.1\r\n", 400),
    ("TRACE", b"TRACE /token HTTP/1.1\r\n", 405),
    ("CONNECT", b"CONNECT token:80 HTTP/1.1\r\n", 404),
    ("an expectation", b"POST /token HTTP/1.1\r\nExpect: 200-ok\r\nContent-Length: 0\r\n", 417),
    ("an odd expectation", b"POST /token HTTP/1.1\r\nExpect: \xff\xfe\r\nContent-Length: 0\r\n", 417),
    ("an odd expectation of nothing", b"POST /nowhere HTTP/1.1\r\nExpect: \xff\xfe\r\nContent-Length: 0\r\n", 417),
    ("a negative length", b"POST /token HTTP/1.1\r\nContent-Length: -1\r\n", 400),
    ("a length that is none", b"POST /token HTTP/1.1\r\nContent-Length: many\r\n", 400),
    ("two lengths", b"POST /token HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
    ("odd cookies", b'GET /authorize HTTP/1.1\r\nCookie: \xff=\xfe; att_browser="\\377; =;;\r\n', 400),
    ("a foreign URL", b"GET http://[bad/ HTTP/1.1\r\n", 400),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
]

CONTENT_TYPES = [
    None,
    JSON,
    "multipart/form-data; boundary=x",
    "text/plain",
    f"{FORM}; charset=utf-16",
    f"{FORM}; charset=nope",
    f"{FORM}x",
    "x" * 1_000,
    "\udcff",
    ";;;=",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """Give one server that has to bear all of it."""
    async with serve(tmp_path_factory.mktemp("server")) as running:
        yield running


async def raw(live: Live, request: bytes) -> int:
    """Send bytes as they are and give the status; a request is ended by an empty line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(live.url).port)
    writer.write(request)
    status = int((await asyncio.wait_for(reader.readline(), 5)).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


@pytest.mark.parametrize(("case", "body"), NOT_JSON, ids=[case for case, _ in NOT_JSON])
async def test_a_registration_that_is_no_json_object_is_refused(live: Live, case: str, body: bytes) -> None:
    answer = await live.send("POST", "/register", data=body, headers={"Content-Type": JSON})
    assert (answer.status, answer.json["error"]) in {(400, "invalid_client_metadata"), *CAN_BE_READ.get(case, ())}


@pytest.mark.parametrize("content_type", ["text/json", FORM, "application/json+x", "\udcff"])
async def test_a_registration_of_another_type_is_refused(live: Live, content_type: str) -> None:
    answer = await live.send("POST", "/register", data=b"{}", headers={"Content-Type": content_type})
    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(("case", "body", "status"), FORMS, ids=[case for case, _, _ in FORMS])
@pytest.mark.parametrize("path", FORM_ENDPOINTS)
async def test_a_bad_form_is_refused(live: Live, path: str, case: str, body: bytes, status: int) -> None:
    answer = await live.send("POST", path, data=body, headers={"Content-Type": FORM})
    assert answer.status == status, case
    assert answer.json["error"] in {"invalid_request", "invalid_client", "request_entity_too_large"}


@pytest.mark.parametrize(("case", "body", "status"), FORMS, ids=[case for case, _, _ in FORMS])
@pytest.mark.parametrize("path", PAGE_ENDPOINTS)
async def test_a_bad_form_from_a_browser_is_explained(
    live: Live, path: str, case: str, body: bytes, status: int
) -> None:
    answer = await live.send("POST", path, data=body, headers={"Content-Type": FORM})
    assert answer.status == (413 if status == 413 else 400), case
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize("path", [*FORM_ENDPOINTS, *PAGE_ENDPOINTS])
async def test_a_body_of_another_type_is_refused(live: Live, path: str, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    skip = ["Content-Type"] if content_type is None else []
    answer = await live.send("POST", path, data=b"client_id=a", headers=headers, skip_auto_headers=skip)
    assert answer.status == 400


@pytest.mark.parametrize(("value", "status"), AUTHORIZATIONS)
async def test_odd_credentials_are_refused(live: Live, value: bytes, status: int) -> None:
    head = b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + FORM.encode() + b"\r\nContent-Length: 0\r\n"
    assert await raw(live, head + b"Authorization: " + value + b"\r\n\r\n") == status


@pytest.mark.parametrize(("case", "head", "status"), RAW, ids=[case for case, _, _ in RAW])
async def test_odd_http_is_refused(live: Live, case: str, head: bytes, status: int) -> None:
    assert await raw(live, head + b"Host: localhost\r\n\r\n") == status, case


@pytest.mark.parametrize("path", [*FORM_ENDPOINTS, *PAGE_ENDPOINTS, "/register"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "nonsense"])
async def test_a_compressed_body_is_not_unfolded(live: Live, path: str, encoding: str) -> None:
    headers = {"Content-Type": JSON if path == "/register" else FORM, "Content-Encoding": encoding}
    bomb = gzip.compress(b"client_id=" + b"a" * 2_000_000)
    assert (await live.send("POST", path, data=bomb, headers=headers)).status == 415


async def test_a_body_sent_in_chunks_has_the_same_limit(live: Live) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"a" * 10_000

    assert (await live.send("POST", "/token", data=chunks(), headers={"Content-Type": FORM})).status == 413


async def test_a_broken_chunk_is_refused(live: Live) -> None:
    head = (
        f"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    assert await raw(live, head.encode()) == 400


@pytest.mark.parametrize("path", [*FORM_ENDPOINTS, "/register", "/authorize"])
async def test_a_body_that_does_not_arrive_is_cut_off(live: Live, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "READ_TIMEOUT", 0.05)
    kind = JSON if path == "/register" else FORM
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 100\r\n\r\nclient_id="
    assert await raw(live, head.encode()) == 408
