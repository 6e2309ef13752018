"""Holding a route to its rate limit."""

from aiohttp import web

from server import keys
from server.handlers import requests
from server.handlers.errors import Handler
from server.oauth.audit import Kind
from server.oauth.errors import TooManyRequests
from server.oauth.limits import bucket_of


def limited(name: str, handler: Handler) -> Handler:
    """Hold a handler to a limit for each client address; routes that give one name share its buckets.

    Args:
        name: One of `server.oauth.limits.LIMITS`.
        handler: Serves whatever is let through.
    """

    async def serve(request: web.Request) -> web.StreamResponse:
        hold(request, name)
        return await handler(request)

    return serve


def hold(request: web.Request, name: str) -> None:
    """Hold a request to a limit for its client address.

    Raises:
        TooManyRequests: It is reached.
    """
    _take(request, name, bucket_of(request[keys.ADDRESS]))


def attempt(request: web.Request, account: str) -> None:
    """Hold attempts to sign in to their limits, for each client address and for each account.

    Args:
        request: The attempt.
        account: What the account is known by, whether or not there is one.

    Raises:
        TooManyRequests: One of them is reached.
    """
    _take(request, "sign-in", bucket_of(request[keys.ADDRESS]))
    _take(request, "sign-in account", account)


def _take(request: web.Request, name: str, holder: str) -> None:
    app = request.app
    if not app[keys.SETTINGS].rate_limits:
        return
    refusal = app[keys.LIMITER].take(name, holder, app[keys.CLOCK]())
    if refusal is None:
        return
    if refusal.first:
        app[keys.RECORDER].offer(requests.context(request).event(Kind.RATE_LIMITED, detail=name))
    raise TooManyRequests(refusal.wait)
