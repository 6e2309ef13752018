from collections.abc import Callable

from mcp.client import Client
from mcp_types import Tool

READS = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}

TOOLS: tuple[tuple[str, list[str], dict[str, bool]], ...] = (
    ("att-store-locator", ["read"], READS),
    ("att-products-carousel", ["read"], READS),
    ("att-device-details", ["read"], READS),
    ("att-services-gallery", ["read"], READS),
    ("att-plans-list", ["read"], READS),
    ("att-internet-backup-offer", ["read"], READS),
    ("att-fiber-coverage-checker", ["read"], READS),
    ("att-account-summary", ["account"], READS),
    ("att-profile", [], READS),
    ("att-for-you", ["account"], READS),
    ("att-update-preferences", ["write"], {**READS, "readOnlyHint": False}),
    ("att-make-payment", ["payment"], {**READS, "readOnlyHint": False, "destructiveHint": True}),
    ("search", ["read"], READS),
    ("fetch", ["read"], READS),
)
"""Every bundled tool in the order of the listing, with its scopes and annotations."""


def test_these_are_the_tools_with_their_scopes_and_annotations(listing: list[Tool]) -> None:
    listed = []
    for tool in listing:
        assert tool.annotations is not None
        hints = tool.annotations.model_dump(by_alias=True, exclude={"title"})
        listed.append((tool.name, (tool.meta or {}).get("scopes"), hints))
    assert listed == list(TOOLS)


def test_each_tool_is_described_for_people(listing: list[Tool]) -> None:
    for tool in listing:
        assert tool.title
        assert tool.name == "att-profile" or "demonstration data" in (tool.description or "").lower()
        assert tool.annotations is not None
        assert tool.annotations.title == tool.title


def test_each_argument_is_described_and_no_other_is_taken(listing: list[Tool]) -> None:
    for tool in listing:
        assert tool.input_schema["additionalProperties"] is False
        for argument in tool.input_schema["properties"].values():
            assert argument["description"]
            assert "title" not in argument


def test_store_locator_declares_enums_defaults_and_bounds(listing: list[Tool]) -> None:
    locator = listing[0].input_schema
    properties = locator["properties"]
    assert locator["required"] == ["location"]
    assert properties["storeType"]["enum"] == ["retail", "authorized_retailer", "all"]
    assert properties["storeType"]["default"] == "all"
    assert (properties["radiusMiles"]["default"], properties["radiusMiles"]["maximum"]) == (25, 500)
    assert properties["radiusMiles"]["exclusiveMinimum"] == 0
    assert properties["limit"] | {"description": ""} == {
        "type": "integer", "default": 10, "minimum": 1, "maximum": 50, "description": ""
    }  # fmt: skip


async def test_instructions_say_what_the_tools_do_within_what_clients_read(connect: Callable[[], Client]) -> None:
    async with connect() as client:
        head = (client.instructions or "")[:512]
    assert "demonstration data is invented" in head
    for name in ("att-store-locator", "att-plans-list", "att-account-summary"):
        assert name in head
