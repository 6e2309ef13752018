"""GET /catalogue/{kind}/{id}: the page that a search result leads to."""

from aiohttp import web

from server import keys
from server.handlers import pages
from server.toolkit.citations import text_of

_DEEPEST = 2


async def item(request: web.Request) -> web.Response:
    """Show one row of the catalogue to whoever follows a citation; it needs no token."""
    kind, item_id = request.match_info["kind"], request.match_info["id"]
    found = await request.app[keys.STORE].get_item(kind, item_id)
    if found is None:
        raise web.HTTPNotFound
    _title, *lines = text_of(found).splitlines()
    shown = [(min(_depth(line), _DEEPEST), line.strip()) for line in lines if line.strip()]
    content = {"title": found.title, "kind": found.kind, "lines": shown}
    return pages.render(request, "catalogue.html", content)


def _depth(line: str) -> int:
    """Tell how deep a line lies in the list that it belongs to."""
    return (len(line) - len(line.lstrip(" -"))) // 2
