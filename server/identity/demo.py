"""``OAUTH_PROVIDER=demo``: nobody signs in, and whoever approves is the user ``demo``."""

from typing import NoReturn

from aiohttp import web

from server.identity import Waiting
from server.oauth.model import AuthorizationRequest, User, Visitor

USER = User(user_id="demo", issuer="demo", subject="demo", name="demo")

everyone: User | None = USER

_EVERYONE = Visitor(USER, signed_in=False)


async def visitor(http: web.Request, asked: AuthorizationRequest) -> Visitor:  # noqa: ARG001 - the same for all
    """Give the user ``demo``, whoever it is and whatever prompt was asked for."""
    return _EVERYONE


async def challenge(http: web.Request, waiting: Waiting | None) -> NoReturn:  # noqa: ARG001 - there is no way to sign in
    """Refuse: there is nothing to sign in to."""
    raise web.HTTPNotFound
