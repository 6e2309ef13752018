import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import INVALID_REQUEST, PARSE_ERROR

from server.transport.message import Notification, Reply, Request, decode, read_message
from server.transport.refusals import Rejection

CALL = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["jsonrpc", "id", "method", "params", "x"]), inner),
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} {}",
        b"\xff",
        b'{"id": "\xc3\x28"}',
        "{}".encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b'{"id": NaN}',
        b'{"id": Infinity}',
        b'"\\ud800"',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"id": ' + b"9" * 100_000 + b"}",
        b'{"id": 1,}',
        b"{'id': 1}",
    ],
)
def test_what_is_not_json_in_utf_8_is_a_parse_error(body: bytes) -> None:
    with pytest.raises(Rejection) as rejected:
        decode(body)
    assert (rejected.value.status, rejected.value.error["code"]) == (400, PARSE_ERROR)


@pytest.mark.parametrize("request_id", [0, -1, 2**70, "", "a", "1"])
def test_ids_are_strings_and_integers(request_id: Any) -> None:
    assert read_message(CALL | {"id": request_id}) == Request(request_id, "ping", None)


@pytest.mark.parametrize("request_id", [None, True, False, 1.0, 1.5, [], {}, [1]])
def test_other_ids_are_refused_and_not_echoed(request_id: Any) -> None:
    with pytest.raises(Rejection) as rejected:
        read_message(CALL | {"id": request_id})
    assert (rejected.value.status, rejected.value.error["code"]) == (400, INVALID_REQUEST)
    assert rejected.value.request_id is None


@pytest.mark.parametrize(
    "change", [{"jsonrpc": "1.0"}, {"jsonrpc": 2.0}, {"jsonrpc": None}, {"method": 1}, {"method": None}, {"params": []}]
)
def test_a_malformed_request_is_refused_under_its_id(change: dict[str, Any]) -> None:
    with pytest.raises(Rejection) as rejected:
        read_message(CALL | change)
    assert (rejected.value.error["code"], rejected.value.request_id) == (INVALID_REQUEST, 1)


@pytest.mark.parametrize("value", [None, 1, "ping", [], [CALL], {}])
def test_what_is_no_message_is_refused(value: Any) -> None:
    with pytest.raises(Rejection):
        read_message(value)


def test_messages_are_told_apart_by_their_members() -> None:
    assert read_message({"jsonrpc": "2.0", "method": "notifications/initialized"}) == Notification(
        "notifications/initialized"
    )
    assert read_message({"jsonrpc": "2.0", "id": 1, "result": {}}) == Reply(1, {})
    assert read_message({"jsonrpc": "2.0", "id": 1, "error": {}}) == Reply(1, None, {})
    assert read_message(CALL | {"params": None}) == Request(1, "ping", None)
    assert read_message(CALL | {"params": {"a": 1}, "result": 1}) == Request(1, "ping", {"a": 1})


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_message_or_a_rejection(body: bytes) -> None:
    outcome: object
    try:
        outcome = read_message(decode(body))
    except Rejection as rejection:
        outcome = (rejection.status, rejection.error["code"])
    assert isinstance(outcome, Request | Notification | Reply) or outcome in {
        (400, PARSE_ERROR),
        (400, INVALID_REQUEST),
    }
