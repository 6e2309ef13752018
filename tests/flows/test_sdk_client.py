"""The SDK's own client, from first contact to a second refresh, in both eras; only the browser is a script."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from mcp.client.auth import OAuthClientProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.browser import Page
from tests.flows.child import Child, connected
from tests.support import Remote

CALLBACK = "http://127.0.0.1:33418/callback"
ERAS = pytest.mark.parametrize(("mode", "revision"), [("2026-07-28", "2026-07-28"), ("legacy", "2025-11-25")])


@dataclass
class Keeper:
    """What the client keeps between two starts of its own; every token answer is remembered."""

    client: OAuthClientInformationFull | None = None
    issued: list[OAuthToken] = field(default_factory=list)

    async def get_tokens(self) -> OAuthToken | None:
        return self.issued[-1] if self.issued else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.issued.append(tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class Person:
    """Follows the authorize URL, reads the page and presses “Allow”."""

    live: Remote
    visits: int = 0
    returned: dict[str, str] = field(default_factory=dict)

    async def open(self, url: str) -> None:
        self.visits += 1
        browser = self.live.browser()
        led = await browser.send("GET", url)
        shown = await browser.send("GET", led.location)
        assert shown.status == 200, shown.text
        back = await Page(browser, shown, led.location, "").approve()
        assert back.location.startswith(CALLBACK)
        self.returned = back.returned

    async def come_back(self) -> AuthorizationCodeResult:
        returned = self.returned
        return AuthorizationCodeResult(code=returned["code"], state=returned["state"], iss=returned["iss"])


@dataclass
class Rig:
    """The client's parts, and each request that it made."""

    live: Remote
    keeper: Keeper = field(default_factory=Keeper)
    requests: list[str] = field(default_factory=list)
    provider: OAuthClientProvider | None = None

    def __post_init__(self) -> None:
        self.person = Person(self.live)

    async def _note(self, request: httpx2.Request) -> None:
        form = dict(parse_qsl(request.content.decode())) if request.url.path == "/token" else {}
        self.requests.append(f"{request.method} {request.url.path} {form.get('grant_type', '')}".strip())

    def http(self) -> httpx2.AsyncClient:
        metadata = OAuthClientMetadata.model_validate(
            {"redirect_uris": [CALLBACK], "client_name": "SDK client", "token_endpoint_auth_method": "none"}
        )
        self.provider = OAuthClientProvider(
            f"{self.live.url}/mcp", metadata, self.keeper, self.person.open, self.person.come_back
        )
        return httpx2.AsyncClient(auth=self.provider, timeout=30, event_hooks={"request": [self._note]})

    async def use(self, client: Client) -> None:
        """List the tools and call one."""
        listed = await client.list_tools()
        assert "att-plans-list" in [tool.name for tool in listed.tools]
        called: Any = await client.call_tool("att-plans-list", {"productType": "prepaid"})
        assert not called.is_error
        assert re.search(r"\$\d", called.content[0].text)

    async def use_after_expiry(self, client: Client) -> None:
        """Let the access token run out, for the client and for the server, and use the client again."""
        before = len(self.keeper.issued)
        assert self.provider is not None
        self.provider.context.token_expiry_time = 1.0
        self.live.sql("UPDATE access_tokens SET expires_at = 1")
        await self.use(client)
        assert len(self.keeper.issued) == before + 1, self.requests


@ERAS
async def test_client_gets_from_first_contact_to_a_second_refresh(tmp_path: Path, mode: str, revision: str) -> None:
    async with connected(Child(tmp_path)) as live:
        rig = Rig(live)
        async with (
            rig.http() as http,
            Client(streamable_http_client(f"{live.url}/mcp", http_client=http), mode=mode) as client,
        ):
            assert client.protocol_version == revision
            await rig.use(client)
            await rig.use_after_expiry(client)
            await rig.use_after_expiry(client)
        assert rig.requests[:5] == [
            "POST /mcp",
            "GET /.well-known/oauth-protected-resource/mcp",
            "GET /.well-known/oauth-authorization-server",
            "POST /register",
            "POST /token authorization_code",
        ]
        assert rig.requests.count("POST /token refresh_token") == 2
        assert rig.requests.count("POST /token authorization_code") == rig.person.visits == 1
        assert len({issued.refresh_token for issued in rig.keeper.issued}) == len(rig.keeper.issued) == 3
        assert live.sql("SELECT count(*) FROM grants WHERE revoked_at IS NULL") == [(1,)]


@ERAS
async def test_client_goes_on_after_a_restart_of_the_server_without_a_new_sign_in(
    tmp_path: Path, mode: str, revision: str
) -> None:
    child = Child(tmp_path)
    async with connected(child) as live:
        rig = Rig(live)
        async with (
            rig.http() as http,
            Client(streamable_http_client(f"{live.url}/mcp", http_client=http), mode=mode) as client,
        ):
            await rig.use(client)
            await child.kill()
            await child.start(live.http)
            await rig.use(client)
            await rig.use_after_expiry(client)
            assert client.protocol_version == revision
        assert rig.person.visits == 1
        assert rig.requests.count("POST /register") == 1


async def test_client_with_stored_tokens_starts_again_without_a_sign_in(tmp_path: Path) -> None:
    child = Child(tmp_path)
    async with connected(child) as live:
        rig = Rig(live)
        for _ in range(2):
            async with (
                rig.http() as http,
                Client(streamable_http_client(f"{live.url}/mcp", http_client=http)) as client,
            ):
                await rig.use(client)
            assert await child.stop() == 0
            await child.start(live.http)
        assert rig.person.visits == 1
        assert urlsplit(str(rig.keeper.client and rig.keeper.client.issuer)).netloc == f"127.0.0.1:{child.port}"
