"""Whatever is sent to ``/mcp``, the answer is one of the protocol's and never a failure."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transport.rig import ENVELOPE, MODERN, Site, serve
from tests.transport.visit import Visit

pytestmark = pytest.mark.asyncio(loop_scope="module")

REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", MODERN]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
METHODS = (
    "tools/list tools/call resources/read prompts/get completion/complete server/discover initialize "
    "notifications/cancelled resources/subscribe logging/setLevel"
)
MEMBERS = "name uri arguments cursor ref argument context level inputResponses requestState"
GOOD = st.sampled_from(["plain", "echo", "route", "file:///secret.txt"])
META = st.dictionaries(st.sampled_from([*ENVELOPE, "progressToken", "traceparent"]), JSON, max_size=4)
PARAMS = st.builds(
    lambda members, meta: {**members, "_meta": meta},
    st.dictionaries(st.sampled_from(MEMBERS.split(" ")), JSON | GOOD, max_size=4),
    st.just(ENVELOPE) | META.map(lambda meta: {**ENVELOPE, **meta}) | JSON,
)
MESSAGES = st.builds(
    lambda method, params, extra: {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **extra},
    st.sampled_from(METHODS.split(" ")) | st.text(max_size=10),
    PARAMS | JSON,
    st.dictionaries(st.sampled_from(["id", "jsonrpc", "result", "x"]), JSON, max_size=1),
)
VALUES = MESSAGES | JSON | st.lists(MESSAGES, max_size=3)
VALUE = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)
HEADER = st.sampled_from(["Mcp-Method", "Mcp-Name", "Accept", "Mcp-Param-Region"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Give one server that has to bear all of it."""
    async with serve(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def token(site: Site) -> str:
    return await site.token()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=VALUES,
    revision=st.sampled_from(REVISIONS) | VALUE | st.none(),
    changed=st.dictionaries(HEADER, VALUE, max_size=2),
)
async def test_no_message_whatever_is_a_failure_of_ours(
    site: Site, token: str, value: Any, revision: str | None, changed: dict[str, str]
) -> None:
    method = value.get("method") if isinstance(value, dict) else None
    mirrored = {"Mcp-Method": method} if isinstance(method, str) and method.isprintable() else {}
    name = value["params"].get("name") if mirrored and isinstance(value.get("params"), dict) else None
    mirrored |= {"Mcp-Name": name} if isinstance(name, str) and name.isprintable() else {}
    headers: dict[str, Any] = {"MCP-Protocol-Version": revision, **mirrored, **changed}
    answer = await site.send(json.dumps(value).encode(), token=token, **headers)
    assert answer.status < 500, answer.body
    assert answer.status < 400 or isinstance(answer.json["error"]["code"], int)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visit(site: Site, token: str) -> Visit:
    return await Visit(site.client, "/mcp", token).open()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
async def test_no_message_whatever_breaks_a_session(site: Site, visit: Visit, token: str, value: Any) -> None:
    headers: dict[str, Any] = {"MCP-Protocol-Version": visit.version, "Mcp-Session-Id": visit.session_id}
    answer = await site.send(json.dumps(value).encode(), token=token, **headers)
    assert answer.status < 500, answer.body
    assert (await site.legacy("ping", token=token, Mcp_Session_Id=visit.session_id)).status == 200


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(["GET", "DELETE", "POST", "PUT", "PATCH"]), session_id=VALUE, event_id=VALUE)
async def test_no_session_id_whatever_is_anything_but_unknown(
    site: Site, token: str, method: str, session_id: str, event_id: str
) -> None:
    headers: dict[str, Any] = {"Mcp-Session-Id": session_id, "Last-Event-ID": event_id}
    answer = await site.send(b"{}" if method == "POST" else None, token=token, method=method, **headers)
    assert answer.status in {400, 404, 405}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=40), revision=st.sampled_from(REVISIONS))
async def test_no_bytes_whatever_are_a_failure_of_ours(site: Site, token: str, body: bytes, revision: str) -> None:
    answer = await site.send(body, token=token, **{"MCP-Protocol-Version": revision})
    assert answer.status == 400
    assert isinstance(answer.json["error"]["code"], int)
