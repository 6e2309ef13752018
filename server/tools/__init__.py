"""The bundled tool set: one file is one tool, with its arguments, output, scopes and data access."""

from typing import Any

from mcp.server.lowlevel import Server

from server import __version__
from server.services import Services
from server.toolkit.tool import Tool, make_server
from server.tools import account_summary, plans_list, store_locator

INSTRUCTIONS = """\
AT&T demonstration server. Every store, plan, price and account here is invented demonstration data: say so when \
you show it, and do not present it as a real offer. att-store-locator finds stores near a ZIP code, a city with its \
state, or coordinates. att-plans-list lists wireless, internet and prepaid plans with prices and features. \
att-account-summary shows the signed-in user's accounts: balance, due date and saved payment methods."""


def build(services: Services) -> Server[Any]:
    """Make the server with the bundled tools, in a fixed order.

    Raises:
        server.toolkit.catalogue.CatalogueError: A file in ``data/`` cannot be used.
    """
    tools: list[Tool[Any]] = [
        store_locator.tool(services),
        plans_list.tool(services),
        account_summary.tool(services),
    ]
    return make_server("att-mcp-server", __version__, INSTRUCTIONS, tools)
