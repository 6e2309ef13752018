"""What is measured: each operation is prepared for a connection, and then run over and over."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY

from bench.wire import Flow, expect, request

Operation = Callable[[], Flow[object]]
Prepare = Callable[[int], Flow[Operation]]
"""Makes an operation on the server at a port, which may take requests of its own."""

REDIRECT_URI = "https://assistant.example/callback"
MODERN, HANDSHAKE = "2026-07-28", "2025-11-25"

_FORM = "application/x-www-form-urlencoded"
_DESCRIPTION = {
    "client_name": "Benchmark",
    "redirect_uris": [REDIRECT_URI],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": "read",
}
_METADATA = json.dumps(_DESCRIPTION).encode()
_serial = count()


def health(port: int) -> Flow[Operation]:
    """Prepare a GET of ``/health``, which the bare handler has too."""
    text = request("GET", "/health", port)
    yield from expect(200, text)
    return lambda: expect(200, text)


def registration(port: int) -> Flow[Operation]:
    """Prepare registrations, each of a new public client."""
    text = request("POST", "/register", port, _METADATA, Content_Type="application/json")
    yield from expect(201, text)
    return lambda: expect(201, text)


def login(port: int) -> Flow[Operation]:
    """Prepare complete logins of one client, each with a browser that has no cookie yet."""
    client_id = yield from register(port)
    return lambda: log_in(port, client_id)


def document(publisher: int) -> dict[str, object]:
    """Give the document of a URL client, for the program at this port to publish as ``/client.json``."""
    return {**_DESCRIPTION, "client_id": f"http://127.0.0.1:{publisher}/client.json"}


def url_login(publisher: int) -> Prepare:
    """Prepare complete logins of the client whose document is published at a port, and has been fetched before."""
    client_id = str(document(publisher)["client_id"])

    def prepare(port: int) -> Flow[Operation]:
        yield from log_in(port, client_id)
        return lambda: log_in(port, client_id)

    return prepare


def refresh(port: int) -> Flow[Operation]:
    """Prepare refreshes, each with the refresh token that the one before gave."""
    client_id = yield from register(port)
    tokens = yield from log_in(port, client_id)

    def run() -> Flow[None]:
        fields = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": tokens["refresh_token"]}
        answer = yield from expect(200, form("/token", port, fields))
        tokens.update(json.loads(answer.body))

    return run


def introspection(port: int) -> Flow[Operation]:
    """Prepare introspections of one live access token by the client that holds it."""
    client_id = yield from register(port)
    tokens = yield from log_in(port, client_id)
    text = form("/introspect", port, {"client_id": client_id, "token": tokens["access_token"]})

    def run() -> Flow[None]:
        answer = yield from expect(200, text)
        if b'"active": true' not in answer.body and b'"active":true' not in answer.body:
            raise RuntimeError(f"not active: {answer.body!r}")

    return run


def call(era: str, tool: str, arguments: dict[str, Any]) -> Prepare:
    """Prepare calls of a tool with one live access token, in a revision of the protocol."""

    def prepare(port: int) -> Flow[Operation]:
        tokens = yield from log_in(port, (yield from register(port)))
        text = tool_call(port, str(tokens["access_token"]), era, tool, arguments)

        def run() -> Flow[None]:
            answer = yield from expect(200, text)
            if b'"result"' not in answer.body or b'"isError":true' in answer.body:
                raise RuntimeError(f"no result: {answer.body!r}")

        return run

    return prepare


def call_openly(era: str, tool: str, arguments: dict[str, Any]) -> Prepare:
    """Prepare calls of a tool on a server that takes any token."""

    def prepare(port: int) -> Flow[Operation]:
        text = tool_call(port, "any", era, tool, arguments)
        yield from expect(200, text)
        return lambda: expect(200, text)

    return prepare


def call_in_session(tool: str, arguments: dict[str, Any], token: str = "") -> Prepare:
    """Prepare calls of a tool in a session of its own, with a token of ours or with this one."""

    def prepare(port: int) -> Flow[Operation]:
        held = token or str((yield from log_in(port, (yield from register(port))))["access_token"])
        session_id = (yield from expect(200, handshake(port, held))).header(b"Mcp-Session-Id")
        text = tool_call(port, held, HANDSHAKE, tool, arguments, Mcp_Session_Id=session_id)

        def run() -> Flow[None]:
            answer = yield from expect(200, text)
            if b'"result"' not in answer.body or b'"isError":true' in answer.body:
                raise RuntimeError(f"no result: {answer.body!r}")

        return run

    return prepare


def handshake(port: int, token: str) -> bytes:
    """Write out an ``initialize``."""
    params = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}}
    body = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).encode()
    return _post(port, token, body)


def tool_call(port: int, token: str, era: str, tool: str, arguments: dict[str, Any], **more: str) -> bytes:
    """Write out a ``tools/call`` as a client of that revision does."""
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    headers = {"MCP_Protocol_Version": era}
    if era == MODERN:
        client = {"name": "benchmark", "version": "1"}
        params["_meta"] = {
            PROTOCOL_VERSION_META_KEY: era,
            CLIENT_CAPABILITIES_META_KEY: {},
            CLIENT_INFO_META_KEY: client,
        }
        headers |= {"Mcp_Method": "tools/call", "Mcp_Name": tool}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    return _post(port, token, body, **headers, **more)


def _post(port: int, token: str, body: bytes, **headers: str) -> bytes:
    return request(
        "POST",
        "/mcp",
        port,
        body,
        Authorization=f"Bearer {token}",
        Content_Type="application/json",
        Accept="application/json, text/event-stream",
        **headers,
    )


def form(path: str, port: int, fields: dict[str, str], **headers: str) -> bytes:
    """Write out a form that is posted."""
    return request("POST", path, port, urlencode(fields).encode(), Content_Type=_FORM, **headers)


def register(port: int) -> Flow[str]:
    """Register a public client and give its id."""
    text = request("POST", "/register", port, _METADATA, Content_Type="application/json")
    return str(json.loads((yield from expect(201, text)).body)["client_id"])


def log_in(port: int, client_id: str) -> Flow[dict[str, str]]:
    """Go the whole way: authorization request, consent page, its form, and the code for tokens."""
    verifier = f"{next(_serial):064}"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": "read",
        "state": "benchmark",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    begun = yield from expect(302, request("GET", f"/authorize?{urlencode(asked)}", port))
    cookie = begun.header(b"Set-Cookie").partition(";")[0]
    page = yield from expect(200, request("GET", begun.header(b"Location"), port, Cookie=cookie))
    hidden = re.search(rb'name="request" value="([^"]+)"', page.body)
    fields = {"request": hidden[1].decode() if hidden else "", "scope": "read", "decision": "approve"}
    decided = yield from expect(303, form("/oauth/authorize/approve", port, fields, Cookie=cookie))
    code = parse_qs(urlsplit(decided.header(b"Location")).query)["code"][0]
    exchange = {"grant_type": "authorization_code", "client_id": client_id, "code": code, "code_verifier": verifier}
    tokens: dict[str, str] = json.loads((yield from expect(200, form("/token", port, exchange))).body)
    return tokens
