"""A small OpenID provider on loopback that does whatever a test wants of it, right or wrong."""

import base64
import hashlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from aiohttp import web

from tests.browser import Answer, App, Browser, Page
from tests.site import RSA, Key, Site, publish
from tests.support import REDIRECT_URI, START, Live

CLIENT_SECRET = "se:cret/+% of this server"

SETTINGS = {"oauth_client_id": "this-server", "oauth_client_secret": CLIENT_SECRET}


@dataclass
class Provider:
    """What it publishes and answers; a test changes it as it goes."""

    site: Site
    issuer: str
    key: Key = RSA
    now: int = START
    claims: dict[str, Any] = field(default_factory=dict)
    """What an ID token says beyond, or instead of, what it should; ``...`` leaves a claim out."""
    header: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    id_token: str | None = None
    """In place of the one that it would sign."""
    secret: str = CLIENT_SECRET
    failure: tuple[int, dict[str, Any]] | None = None
    """What the token endpoint answers instead."""
    _asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def describe(self, **changes: Any) -> None:
        """Publish the metadata, changed so; ``...`` leaves something out."""
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.site.origin}/authorize",
            "token_endpoint": f"{self.site.origin}/token",
            "jwks_uri": f"{self.site.origin}/jwks",
            "userinfo_endpoint": f"{self.site.origin}/userinfo",
            "end_session_endpoint": f"{self.site.origin}/logout",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": True,
            "prompt_values_supported": ["none", "login", "select_account"],
            **changes,
        }
        path = urlsplit(self.issuer).path.rstrip("/") + "/.well-known/openid-configuration"
        self.site.pages[path] = {name: value for name, value in document.items() if value is not ...}

    def publish_keys(self, *keys: Key, **members: Any) -> None:
        """Publish public keys, each with further members."""
        self.site.pages["/jwks"] = {"keys": [{**key.public, **members} for key in keys]}

    def answer(self, location: str, **changes: Any) -> str:
        """Let the person at the browser sign in, and give the address to which the provider leads them back.

        Args:
            location: Where our server sent the browser.
            changes: Parameters of the answer; ``...`` leaves one out.
        """
        asked = dict(parse_qsl(urlsplit(location).query))
        code = os.urandom(8).hex()
        self._asked[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer, **changes}
        query = urlencode({name: value for name, value in answer.items() if value is not ...})
        return f"{asked['redirect_uri']}?{query}"

    def sign(self, nonce: str, client_id: str) -> str:
        """Sign an ID token."""
        claims = {"sub": "ada", "aud": client_id, "nonce": nonce, "email": "ada@example.com", "email_verified": True}
        claims |= {"name": "Ada Lovelace", "jti": ..., "exp": self.now + 3_600, "iat": self.now, **self.claims}
        subject = {"iss": self.issuer, **claims}
        return self.key.sign(client_id, client_id, self.now, header=self.header, **subject)

    async def token(self, request: web.BaseRequest) -> web.StreamResponse:
        """Exchange a code, as OpenID Connect Core section 3.1.3 has it."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        if self.failure:
            return web.json_response(self.failure[1], status=self.failure[0])
        if _client(request, form) != self.secret:
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self._asked.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = self.id_token or self.sign(asked["nonce"], asked["client_id"])
        return web.json_response({"id_token": token, "access_token": "upstream-access", "token_type": "Bearer"})

    async def tell(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer at the UserInfo endpoint."""
        if self.userinfo is None or request.headers.get("Authorization") != "Bearer upstream-access":
            return web.Response(status=401)
        return web.json_response(self.userinfo)


def _client(request: web.BaseRequest, form: dict[str, str]) -> str:
    """Give the client secret, however it was sent (RFC 6749 section 2.3.1)."""
    if "client_secret" in form:
        return form["client_secret"]
    encoded = request.headers.get("Authorization", "Basic ").partition(" ")[2]
    return unquote(base64.b64decode(encoded).decode().partition(":")[2].replace("+", " "))


@asynccontextmanager
async def provide(path: str = "") -> AsyncIterator[Provider]:
    """Serve a provider whose issuer has that path, until the block ends."""
    async with publish() as site:
        provider = Provider(site, site.origin + path)
        provider.describe()
        provider.publish_keys(RSA)
        site.pages |= {"/token": provider.token, "/userinfo": provider.tell}
        yield provider


@dataclass
class Visit:
    """A person at a browser on their way through our pages and the provider's."""

    live: Live
    provider: Provider
    app: App
    browser: Browser

    async def ask(self, **parameters: str) -> Answer:
        """Follow the app's link to the first page that asks something, or to wherever it leads."""
        led, self.verifier = await self.browser.authorize(self.app, **parameters)
        return await self.browser.send("GET", led.location)

    async def go(self, page: Answer, decision: str = "approve", **fields: str) -> Answer:
        """Press a button of the page that comes before the hop."""
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        return await self.browser.send("POST", "/signin/provider", data={**hidden, "decision": decision, **fields})

    async def come_back(self, hop: Answer, **changes: Any) -> Answer:
        """Sign in at the provider, and follow its redirect to us."""
        return await self.browser.send("GET", self.provider.answer(hop.location, **changes))

    async def leave(self, page: Answer) -> dict[str, str]:
        """Press a failure's button, and give what the client is told."""
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        back = await self.browser.send("POST", "/signin/provider/failed", data=hidden)
        assert back.status == 303, back.text
        assert back.location.startswith(f"{REDIRECT_URI}?")
        return back.returned

    async def sign_in(self, **parameters: str) -> Page:
        """Go the whole way to the consent page."""
        page = await self.ask(**parameters)
        assert page.status == 200, page.text
        back = await self.come_back(await self.go(page))
        assert back.status == 302, back.text
        shown = await self.browser.send("GET", back.location)
        assert shown.status == 200, shown.text
        return Page(self.browser, shown, back.location, self.verifier)

    async def log_in(self, **parameters: str) -> dict[str, Any]:
        """Go the whole way to the tokens."""
        page = await self.sign_in(**parameters)
        answer = await self.live.exchange(self.app, (await page.approve()).returned["code"], page.verifier)
        assert answer.status == 200, answer.text
        tokens: dict[str, Any] = answer.json
        return tokens

    async def visit_again(self) -> "Visit":
        """Let the same person come back in the same browser, signed out, with another app."""
        self.live.sql("DELETE FROM sessions")
        return Visit(self.live, self.provider, await self.live.register(client_name="Another app"), self.browser)


def settings_for(provider: Provider, **changes: Any) -> dict[str, Any]:
    """Give the settings that name a provider."""
    return {"oauth_provider": "oidc", "oauth_upstream_issuer": provider.issuer, **SETTINGS, **changes}
