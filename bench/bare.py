"""The measure of all the ratios: aiohttp handlers that read what they are sent and answer with JSON, on uvloop.

One of them also publishes the document of the URL client whose logins are measured.
"""

import sys
from functools import partial

import uvloop
from aiohttp import web

from bench.operations import document


async def handle(_request: web.Request) -> web.Response:
    """Answer."""
    return web.json_response({"status": "ok"})


async def take_json(request: web.Request) -> web.Response:
    """Read JSON and answer."""
    await request.json()
    return web.json_response({"status": "ok"})


async def take_form(request: web.Request) -> web.Response:
    """Read a form and answer."""
    await request.post()
    return web.json_response({"status": "ok"})


async def publish(port: int, _request: web.Request) -> web.Response:
    """Answer with the URL client's document."""
    return web.json_response(document(port))


def main(port: int) -> None:
    """Serve on loopback until SIGTERM."""
    app = web.Application()
    for path in ("/health", "/authorize", "/oauth/authorize/page"):
        app.router.add_get(path, handle)
    for path in ("/register", "/mcp"):
        app.router.add_post(path, take_json)
    for path in ("/token", "/introspect", "/oauth/authorize/approve"):
        app.router.add_post(path, take_form)
    app.router.add_get("/client.json", partial(publish, port))
    web.run_app(
        app, host="127.0.0.1", port=port, loop=uvloop.new_event_loop(), access_log=None, print=None, shutdown_timeout=1
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
