"""A real server on loopback, with a real database, and ways to talk to it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY

from server import keys
from server.app import create_app
from server.clock import Clock
from server.oauth import tokens
from server.oauth.model import AccessToken, AuthorizationCode, AuthorizationRequest, Client, Grant, User
from server.settings import Settings, load_settings
from tests.transport import plugged

NOW = 1_800_000_000
MODERN = "2026-07-28"
ENVELOPE = {
    PROTOCOL_VERSION_META_KEY: MODERN,
    CLIENT_CAPABILITIES_META_KEY: {},
    CLIENT_INFO_META_KEY: {"name": "test", "version": "1"},
}
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


@dataclass
class Answer:
    """An HTTP answer with its body read: ``json`` if it is that, ``events`` if it is a stream."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        frames = self.body.decode().split("\n\n")
        return [json.loads(line[6:]) for frame in frames for line in frame.splitlines() if line.startswith("data: ")]


@dataclass
class Site:
    """The server under test."""

    client: TestClient[web.Request, web.Application]
    settings: Settings
    _serial: Any = field(default_factory=lambda: count(1))

    async def token(
        self, *scopes: str, audience: str | None = None, user: str = "ada", client: str | None = None
    ) -> str:
        """Issue an access token to a client, by default a new one, by the store's own path from client to grant."""
        store = self.client.app[keys.STORE]
        name = f"{next(self._serial):02}"
        access = tokens.make(tokens.ACCESS, lambda size: name.encode().ljust(size, b"."))
        uri, aud, granted = "http://localhost/cb", audience or self.settings.resource, scopes or ("read",)
        who = User(f"u-{user}", "demo", user, user.title(), f"{user}@example.com")
        app = Client(client or f"c{name}", "none", (uri,), ("authorization_code",), ("code",), NOW)
        shared: dict[str, Any] = {
            "client_id": app.client_id,
            "redirect_uri": uri,
            "scopes": granted,
            "audience": aud,
            "code_challenge": "x" * 43,
            "created_at": NOW,
            "expires_at": NOW + 600,
        }
        pending = AuthorizationRequest(handle_digest=f"h{name}", browser_digest="b", state=None, **shared)
        code = AuthorizationCode(code_digest=f"d{name}", hint="hint", user_id=who.user_id, **shared)
        grant = Grant(f"g{name}", app.client_id, who.user_id, granted, aud, NOW, None)
        token = AccessToken(
            tokens.digest(access), "hint", grant.grant_id, app.client_id, who.user_id, granted, aud, NOW, NOW + 3600
        )
        if await store.get_client(app.client_id) is None:
            await store.add_client(app)
        await store.add_authorization_request(pending)
        assert await store.approve_authorization_request(pending.handle_digest, who, code, NOW)
        assert await store.redeem_authorization_code(code.code_digest, grant, token, None, NOW)
        return access

    async def send(self, body: Any = None, *, token: str | None = None, method: str = "POST", **headers: Any) -> Answer:
        """Send bytes as they are and anything else as JSON; ``Some_Header=None`` leaves a usual header out."""
        data = BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode()) if body is not None else None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {**HEADERS, **({"Authorization": f"Bearer {token}"} if token else {}), **named}
        async with self.client.request(
            method, "/mcp", data=data, headers={k: v for k, v in sent.items() if v is not None}
        ) as response:
            return await _read(response)

    async def modern(
        self, method: str, params: dict[str, Any] | None = None, *, token: str | None = None, **headers: Any
    ) -> Answer:
        """Make a request of 2026-07-28, with the headers that mirror it."""
        params = {"_meta": {}, **(params or {})}
        params["_meta"] = {**ENVELOPE, **params["_meta"]}
        mirrored: dict[str, str | None] = {"MCP_Protocol_Version": MODERN, "Mcp_Method": method}
        name = params.get("uri" if method == "resources/read" else "name")
        if isinstance(name, str):
            mirrored["Mcp_Name"] = name
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return await self.send(body, token=token, **{**mirrored, **headers})

    async def legacy(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        version: str | None = "2025-11-25",
        token: str | None = None,
        **headers: Any,
    ) -> Answer:
        """Make a request of a revision with a handshake."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method} | ({} if params is None else {"params": params})
        return await self.send(body, token=token, **{"MCP_Protocol_Version": version, **headers})

    async def call(
        self, era: str, tool: str, arguments: dict[str, Any] | None = None, *, progress: bool = False, **more: Any
    ) -> Answer:
        """Call a tool in the era named ``modern`` or ``legacy``."""
        meta: dict[str, Any] = {"_meta": {"progressToken": "p"}} if progress else {}
        speak = self.modern if era == "modern" else self.legacy
        return await speak("tools/call", {"name": tool, "arguments": arguments or {}, **meta}, **more)


async def _read(response: ClientResponse) -> Answer:
    return Answer(response.status, response.headers, await response.read())


@asynccontextmanager
async def serve(
    tmp_path: Path, mcp_server: str = "tests.transport.plugged:build", clock: Clock = lambda: NOW, **overrides: Any
) -> AsyncIterator[Site]:
    """Run the application with a plugged server; unless told otherwise the clock stands still at `NOW`."""
    plugged.happened.clear()
    settings = load_settings(database_url=f"sqlite:///{tmp_path}/t.db", mcp_server=mcp_server, **overrides)
    server = TestServer(create_app(settings, clock=clock))
    await server.start_server()  # cancels handlers as the real one is told to
    async with TestClient(server) as client:
        yield Site(client, settings)


def schemes(listing: Answer) -> dict[str, Sequence[Any]]:
    """Give each listed tool's ``securitySchemes``, once checked to be the same in ``_meta``."""
    tools = listing.json["result"]["tools"]
    assert all(tool["securitySchemes"] == tool["_meta"]["securitySchemes"] for tool in tools)
    return {tool["name"]: tool["securitySchemes"] for tool in tools}
