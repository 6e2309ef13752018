"""A site of every page."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from aiohttp import web

from server.handlers.pages import render, setup_pages
from tests.pages.contexts import CONTEXTS


async def _page(request: web.Request) -> web.Response:
    template, context = CONTEXTS[request.match_info["page"]]
    return render(request, template, context)


async def _approve(request: web.Request) -> web.Response:
    """Send the browser to another origin, as a client's redirect URI is, with what the form held."""
    form = await request.post()
    fields = [(name, str(value)) for name, value in form.items()]
    return web.Response(
        status=303, headers={"Location": f"http://localhost:{request.url.port}/account?{urlencode(fields)}"}
    )


def _make_site() -> web.Application:
    app = web.Application()
    setup_pages(app)
    app.router.add_get("/{page}", _page)
    app.router.add_post("/oauth/authorize/approve", _approve)
    return app


@pytest.fixture(scope="session")
def make_site() -> Callable[[], web.Application]:
    """Give a function that makes the site: ``GET /<name in CONTEXTS>`` and the form's target."""
    return _make_site
