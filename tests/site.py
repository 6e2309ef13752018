"""Another server, real on loopback: it publishes documents and keys, and signs as the client that they describe."""

import asyncio
import base64
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.browser import App
from tests.support import REDIRECT_URI, START

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Site:
    """What a server publishes, by path: JSON, or a handler; and how often each path was asked for."""

    origin: str
    pages: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    seen: list[web.BaseRequest] = field(default_factory=list)
    pause: float = 0
    down: bool = False

    @property
    def client_id(self) -> str:
        """The URL client id that `describe` publishes at."""
        return f"{self.origin}/oauth/client.json"

    def describe(self, **metadata: Any) -> App:
        """Publish a document, public unless the metadata says otherwise, and give the app that it describes."""
        document = {
            "client_id": self.client_id,
            "client_name": "Example Assistant",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
            **metadata,
        }
        document = {name: value for name, value in document.items() if value is not ...}
        self.pages["/oauth/client.json"] = document
        return App({"token_endpoint_auth_method": "none", **document, "client_id": self.client_id})

    def publish_keys(self, *keys: "Key") -> str:
        """Publish public keys and give their ``jwks_uri``."""
        self.pages["/oauth/jwks.json"] = {"keys": [key.public for key in keys]}
        return f"{self.origin}/oauth/jwks.json"

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with what is published at the path."""
        self.asked.append(request.path)
        self.seen.append(request)
        await asyncio.sleep(self.pause)
        page = self.pages.get(request.path)
        if callable(page):
            response: web.StreamResponse = await page(request)
            return response
        if page is None or self.down:
            return web.Response(status=503 if self.down else 404)
        return web.json_response(page, headers=self.headers)


@asynccontextmanager
async def publish(ssl_context: Any = None) -> AsyncIterator[Site]:
    """Serve a site on a free port of loopback until the block ends."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        scheme = "https" if ssl_context else "http"
        site = Site(f"{scheme}://localhost:{listening.getsockname()[1]}")
        runner = web.ServerRunner(web.Server(site.answer), shutdown_timeout=0.1)
        try:
            await runner.setup()
            await web.SockSite(runner, listening, ssl_context=ssl_context).start()
            yield site
        finally:
            await runner.cleanup()


@dataclass(frozen=True)
class Key:
    """A private key, and what a client does with it."""

    private: Any
    algorithm: str
    kid: str

    @property
    def public(self) -> dict[str, Any]:
        """Its public half as a JSON Web Key."""
        made = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private.public_key(), as_dict=True)
        return {**made, "kid": self.kid, "use": "sig"}

    def sign(self, client_id: str, audience: Any, now: int = START, **changes: Any) -> str:
        """Sign an assertion; a claim given as ``...`` is left out, and ``header`` adds to the header."""
        header = {"kid": self.kid, **changes.pop("header", {})}
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "exp": now + 300,
            "iat": now,
            "jti": f"jti-{len(_USED)}",
            **changes,
        }
        _USED.append(client_id)
        claims = {name: value for name, value in claims.items() if value is not ...}
        algorithm = header.pop("alg", self.algorithm)
        header = {name: value for name, value in header.items() if value is not ...}
        return jwt.encode(claims, self.private, algorithm=algorithm, headers=header)


_USED: list[str] = []

RSA = Key(rsa.generate_private_key(65537, 2048), "RS256", "rsa")
OTHER = Key(rsa.generate_private_key(65537, 2048), "RS256", "other")
KEYS = {
    "RS256": RSA,
    "PS256": Key(RSA.private, "PS256", "rsa"),
    "ES256": Key(ec.generate_private_key(ec.SECP256R1()), "ES256", "ec"),
    "EdDSA": Key(ed25519.Ed25519PrivateKey.generate(), "EdDSA", "ed"),
}


def forge(claims: dict[str, Any], algorithm: str, secret: bytes | None) -> str:
    """Make a token that is signed (HMAC with SHA-256) by what is public, or by nothing."""
    text = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": algorithm, "kid": RSA.kid}, claims))
    return f"{text}.{_encoded(hmac.digest(secret, text.encode(), 'sha256')) if secret else ''}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def proof(assertion: str) -> dict[str, str]:
    """Give the form fields that carry an assertion."""
    return {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE}
