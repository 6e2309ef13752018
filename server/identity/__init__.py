"""Who is at the browser. Each provider is an `Identity`."""

from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from server.oauth.model import AuthorizationRequest, Client, User, Visitor


@dataclass(frozen=True, slots=True)
class Waiting:
    """An authorization request that waits for its user to sign in."""

    handle: str
    """What the page and its forms name it by."""
    request: AuthorizationRequest
    client: Client


class Identity(Protocol):
    """What the handlers need of a provider. A module with such functions is one, as `demo` is."""

    everyone: User | None
    """The user that everyone is where nobody signs in; ``None`` where somebody does."""

    async def visitor(self, http: web.Request, asked: AuthorizationRequest) -> Visitor | None:
        """Give who decides about an authorization request in this browser; ``None`` until somebody signs in.

        ``asked.prompt`` may ask for a sign-in anew (``login``) or for another account (``select_account``),
        ``asked.max_age`` for a recent one, and ``asked.login_hint`` may name an account: the provider heeds
        them (OpenID Connect Core section 3.1.2.1).
        """

    async def challenge(self, http: web.Request, waiting: Waiting | None) -> web.StreamResponse:
        """Answer a browser in which somebody is to sign in: with a page, or by leading elsewhere.

        ``waiting`` is ``None`` when the person comes for their own account and not for an application.
        """
