"""The measure of all the ratios: an aiohttp handler that does nothing but answer with JSON, on uvloop.

It also publishes the document of the URL client whose logins are measured.
"""

import sys
from functools import partial

import uvloop
from aiohttp import web

from bench.operations import document


async def handle(_request: web.Request) -> web.Response:
    """Answer."""
    return web.json_response({"status": "ok"})


async def publish(port: int, _request: web.Request) -> web.Response:
    """Answer with the URL client's document."""
    return web.json_response(document(port))


def main(port: int) -> None:
    """Serve on loopback until SIGTERM."""
    app = web.Application()
    app.router.add_get("/health", handle)
    app.router.add_get("/client.json", partial(publish, port))
    web.run_app(
        app, host="127.0.0.1", port=port, loop=uvloop.new_event_loop(), access_log=None, print=None, shutdown_timeout=1
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
