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
        app = request.app
        if not app[keys.SETTINGS].rate_limits:
            return await handler(request)
        holder = bucket_of(request[keys.ADDRESS])
        refusal = app[keys.LIMITER].take(name, holder, app[keys.CLOCK]())
        if refusal is None:
            return await handler(request)
        if refusal.first:
            app[keys.RECORDER].offer(requests.context(request).event(Kind.RATE_LIMITED, detail=name))
        raise TooManyRequests(refusal.wait)

    return serve
