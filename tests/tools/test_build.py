from collections.abc import Callable

from mcp.client import Client
from mcp_types import Tool


def test_tools_are_listed_in_a_fixed_order(listing: list[Tool]) -> None:
    names = [tool.name for tool in listing]
    assert names == ["att-store-locator", "att-plans-list", "att-account-summary"]


def test_each_tool_declares_its_scopes(listing: list[Tool]) -> None:
    scopes = {tool.name: (tool.meta or {}).get("scopes") for tool in listing}
    assert scopes == {
        "att-store-locator": ["read"],
        "att-plans-list": ["read"],
        "att-account-summary": ["account"],
    }


def test_each_tool_is_described_for_people_and_marked_as_read_only(listing: list[Tool]) -> None:
    for tool in listing:
        assert tool.title
        assert "demonstration data" in (tool.description or "")
        hints = tool.annotations
        assert hints is not None
        assert hints.title == tool.title
        assert hints.read_only_hint is True
        assert hints.idempotent_hint is True
        assert hints.destructive_hint is False
        assert hints.open_world_hint is False


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
    assert "invented demonstration data" in head
    for name in ("att-store-locator", "att-plans-list", "att-account-summary"):
        assert name in head
