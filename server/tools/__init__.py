"""The bundled tool set: one file is one tool, with its arguments, output, scopes and data access.

Beside the tools stand ``resources.py``, what can be read of the catalogue, and ``prompts.py``.
"""

from typing import Any

from mcp.server.lowlevel import Server

from server import __version__, shipped
from server.catalogue.editions import ship
from server.services import Services
from server.toolkit.server import make_server
from server.toolkit.tool import Tool
from server.toolkit.widgets import WIDGETS
from server.tools import (
    account_summary,
    device_details,
    fetch,
    fiber_coverage_checker,
    for_you,
    internet_backup_offer,
    make_payment,
    plans_list,
    products_carousel,
    profile,
    prompts,
    resources,
    search,
    services_gallery,
    store_locator,
    update_preferences,
)

INSTRUCTIONS = """\
AT&T demonstration server. What its results' notices call demonstration data is invented: say so when you show it, and \
do not present it as a real offer. att-store-locator finds stores near a place. att-plans-list compares plans. \
att-products-carousel browses phones, tablets and watches; att-device-details shows one. att-fiber-coverage-checker \
tells which home internet an address can have. att-account-summary shows the signed-in user's accounts, \
att-for-you offers that fit them; att-update-preferences changes preferences. att-make-payment pays a bill by a saved \
payment method once the person agrees: never ask for a card or bank number. \
att-services-gallery shows services, att-internet-backup-offer how to stay online in an outage. search looks through \
stores, products, plans and help articles; fetch reads one of its results."""


def build(services: Services) -> Server[Any]:
    """Make the server with the bundled tools, in a fixed order; its start brings the catalogue into the database."""
    tools: list[Tool[Any]] = [
        store_locator.tool(services),
        products_carousel.tool(services),
        device_details.tool(services),
        services_gallery.tool(services),
        plans_list.tool(services),
        internet_backup_offer.tool(services),
        fiber_coverage_checker.tool(services),
        account_summary.tool(services),
        profile.tool(services),
        for_you.tool(services),
        update_preferences.tool(services),
        make_payment.tool(services),
        search.tool(services),
        fetch.tool(services),
    ]

    async def prepare() -> None:
        await ship(services.store, shipped.directory("data"), services.clock())

    return make_server(
        "att-mcp-server",
        __version__,
        INSTRUCTIONS,
        tools,
        resources=[*resources.kinds(services), *(one.resource(services.settings.server_url) for one in WIDGETS)],
        templates=resources.templates(services),
        prompts=prompts.every(services),
        prepare=prepare,
    )
