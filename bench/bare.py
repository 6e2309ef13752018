"""The measure of all the ratios: an aiohttp handler that does nothing but answer with JSON, on uvloop."""

import sys

import uvloop
from aiohttp import web


async def handle(_request: web.Request) -> web.Response:
    """Answer."""
    return web.json_response({"status": "ok"})


def main(port: int) -> None:
    """Serve on loopback until SIGTERM."""
    app = web.Application()
    app.router.add_get("/health", handle)
    web.run_app(
        app, host="127.0.0.1", port=port, loop=uvloop.new_event_loop(), access_log=None, print=None, shutdown_timeout=1
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
