"""GET /catalogue/{kind}/{id}: the page that a search result leads to."""

from aiohttp import web

from server import keys
from server.handlers import pages
from server.toolkit.citations import text_of


async def item(request: web.Request) -> web.Response:
    """Show one row of the catalogue to whoever follows a citation; it needs no token."""
    kind, item_id = request.match_info["kind"], request.match_info["id"]
    found = await request.app[keys.STORE].get_item(kind, item_id)
    if found is None:
        raise web.HTTPNotFound
    _title, *lines = text_of(found).splitlines()
    content = {"title": found.title, "kind": found.kind, "lines": [line for line in lines if line.strip()]}
    return pages.render(request, "catalogue.html", content)
