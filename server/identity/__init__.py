"""Who is at the browser. Each provider is an `Identity`."""

from typing import Protocol

from aiohttp import web

from server.oauth.model import AuthorizationRequest, Visitor


class Identity(Protocol):
    """What the handlers need of a provider. A module with such a function is one, as `demo` is."""

    async def visitor(self, http: web.Request, asked: AuthorizationRequest) -> Visitor | None:
        """Give who decides about an authorization request in this browser; ``None`` until somebody signs in.

        ``asked.prompt`` may ask for a sign-in anew (``login``) or for another account (``select_account``),
        and ``asked.login_hint`` may name one: the provider heeds them (OpenID Connect Core section 3.1.2.1).
        """
