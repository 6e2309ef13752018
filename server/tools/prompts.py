"""The prompts: ways to begin that lead to the tools."""

from collections.abc import Mapping
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
            _find_a_store,
            (
                Argument("location", "Where", f"Where you are: {ACCEPTED}"),
                Argument("need", "What for", "What you want there, such as a repair or a trade-in", required=False),
            ),
        ),
        Prompt(
            "choose-a-plan",
            "Choose a plan",
            "Compare plans for what matters to you.",
            _choose_a_plan,
            (Argument("needs", "What matters", "What you use it for: data, travel, hotspot, price, number of lines"),),
        ),
        Prompt(
            "compare-devices",
            "Compare two devices",
            "Set two devices side by side.",
            _compare_devices,
            (
                Argument("first", "One device", "The id of a device", complete=devices),
                Argument("second", "The other", "The id of another device", complete=devices),
            ),
        ),
        Prompt(
            "home-internet",
            "Home internet at an address",
            "See what home internet there is at an address, and which fits.",
            _home_internet,
            (Argument("address", "Address", f"Where it is needed: {ADDRESSES}"),),
        ),
        Prompt(
            "get-help",
            "Get help",
            "Solve a problem step by step with a help article.",
            _get_help,
            (Argument("article", "Help article", "The id of a help article", complete=articles),),
        ),
    ]


async def _ids(shelves: Shelves, kind: str, prefix: str) -> tuple[str, ...]:
    return await shelves.get_item_ids(kind, prefix, MOST_COMPLETIONS + 1)


def _find_a_store(given: Mapping[str, str]) -> str:
    need = f" I need: {given['need']}." if "need" in given else ""
    return (
        f"Find me an AT&T store near {given['location']} with att-store-locator.{need} Recommend one that is open now, "
        "or say when the nearest opens, with address, telephone number and today's hours."
    )


def _choose_a_plan(given: Mapping[str, str]) -> str:
    return (
        f"Help me to choose an AT&T plan. What matters to me: {given['needs']}. List the plans with att-plans-list, "
        "compare the two or three that fit best in a table with their prices, and say which you would take and why."
    )


def _compare_devices(given: Mapping[str, str]) -> str:
    return (
        f"Compare the devices {given['first']} and {given['second']}. Read both with att-device-details, and set side "
        "by side price, monthly instalment, storage, screen, rating and features. End with who should take which."
    )


def _home_internet(given: Mapping[str, str]) -> str:
    return (
        f"Which home internet can I have at {given['address']}? Check it with att-fiber-coverage-checker. Compare the "
        "plans that are available there, and say whether backup for outages is possible (att-internet-backup-offer)."
    )


def _get_help(given: Mapping[str, str]) -> str:
    return (
        f"Read the help article articles/{given['article']} with fetch, and lead me through it one step at a time: ask "
        "after each step whether it helped before you go on."
    )
