"""The prompts: ways to begin that lead to the tools."""

from functools import partial

from server.services import Services
from server.toolkit.gazetteer import ACCEPTED, ADDRESSES
from server.toolkit.prompts import Argument, Prompt
from server.toolkit.resources import MOST_COMPLETIONS
from server.toolkit.shelf import Shelves


def every(services: Services) -> list[Prompt]:
    """Make the prompts; ids are completed from the catalogue."""
    devices, articles = (partial(_ids, services.store, kind) for kind in ("devices", "articles"))
    return [
        Prompt(
            "find-a-store",
            "Find a store",
            "Find the nearest store that is open and does what is needed.",
            "Find me an AT&T store near {location} with att-store-locator.{need} Recommend one that is open now, or "
            "say when the nearest opens, with address, telephone number and today's hours.",
            (
                Argument("location", "Where", f"Where you are: {ACCEPTED}"),
                Argument(
                    "need",
                    "What for",
                    "What you want there, such as a repair or a trade-in",
                    required=False,
                    said=" I need: {}.",
                ),
            ),
        ),
        Prompt(
            "choose-a-plan",
            "Choose a plan",
            "Compare plans for what matters to you.",
            "Help me to choose an AT&T plan. What matters to me: {needs}. List the plans with att-plans-list, compare "
            "the two or three that fit best in a table with their prices, and say which you would take and why.",
            (Argument("needs", "What matters", "What you use it for: data, travel, hotspot, price, number of lines"),),
        ),
        Prompt(
            "compare-devices",
            "Compare two devices",
            "Set two devices side by side.",
            "Compare the devices {first} and {second}. Read both with att-device-details, and set side by side price, "
            "monthly instalment, storage, screen, rating and features. End with who should take which.",
            (
                Argument("first", "One device", "The id of a device", complete=devices),
                Argument("second", "The other", "The id of another device", complete=devices),
            ),
        ),
        Prompt(
            "home-internet",
            "Home internet at an address",
            "See what home internet there is at an address, and which fits.",
            "Which home internet can I have at {address}? Check it with att-fiber-coverage-checker. Compare the plans "
            "that are available there, and say whether backup for outages is possible (att-internet-backup-offer).",
            (Argument("address", "Address", f"Where it is needed: {ADDRESSES}"),),
        ),
        Prompt(
            "get-help",
            "Get help",
            "Solve a problem step by step with a help article.",
            "Read the help article articles/{article} with fetch, and lead me through it one step at a time: ask after "
            "each step whether it helped before you go on.",
            (Argument("article", "Help article", "The id of a help article", complete=articles),),
        ),
    ]


async def _ids(shelves: Shelves, kind: str, prefix: str) -> tuple[str, ...]:
    return await shelves.get_item_ids(kind, prefix, MOST_COMPLETIONS + 1)
