"""The SDK's own client at work, with its user played by a script, and each request that it made."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.client import Client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.browser import Page
from tests.support import Remote

CALLBACK = "http://127.0.0.1:33418/callback"


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
        shown = await browser.send("GET", url)
        while shown.status == HTTPStatus.FOUND:
            url = shown.location
            shown = await browser.send("GET", url)
        assert shown.status == 200, shown.text
        back = await Page(browser, shown, url, "").approve()
        assert back.location.startswith(CALLBACK)
        self.returned = back.returned

    async def come_back(self) -> AuthorizationCodeResult:
        returned = self.returned
        return AuthorizationCodeResult(code=returned["code"], state=returned["state"], iss=returned["iss"])


@dataclass
class Rig:
    """The client's parts, and each request that it made."""

    live: Remote
    url: str = ""
    """Where the MCP server is, if not where the pages are."""
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
            f"{self.url or self.live.url}/mcp", metadata, self.keeper, self.person.open, self.person.come_back
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
