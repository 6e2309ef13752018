"""The catalogue as resources, and the prompts."""

import json
from typing import Any

import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from server import shipped
from server.catalogue.files import KINDS
from tests.tools.conftest import Connect


async def read(client: Client, uri: str) -> Any:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert (content.uri, content.mime_type) == (uri, "application/json")
    return json.loads(content.text)


async def test_every_kind_but_the_stores_can_be_read_as_a_whole(connect: Connect) -> None:
    async with connect() as client:
        listed = {resource.uri for resource in (await client.list_resources()).resources}
        assert {f"catalogue://{kind}" for kind in KINDS} - {"catalogue://stores"} <= listed
        assert "catalogue://stores" not in listed
        for kind in sorted(set(KINDS) - {"stores"}):
            file = json.loads((shipped.directory("data") / f"{kind}.json").read_bytes())
            told = await read(client, f"catalogue://{kind}")
            assert told["notice"] == file["notice"]
            assert [row["id"] for row in told[kind]] == [row["id"] for row in file[KINDS[kind].member]]


async def test_each_row_can_be_read_by_its_id(connect: Connect) -> None:
    async with connect() as client:
        templates = {one.uri_template for one in (await client.list_resource_templates()).resource_templates}
        assert {f"catalogue://{kind}/{{id}}" for kind in KINDS} <= templates
        told = await read(client, "catalogue://devices/kestrel-k12")
        assert (told["id"], told["brand"], told["notice"][:18]) == ("kestrel-k12", "Kestrel", "Demonstration data")
        store = await read(client, "catalogue://stores/demo-sea-01")
        assert store["properties"]["addr:city"] == "Seattle"


@pytest.mark.parametrize(
    "uri", ["catalogue://devices/none", "catalogue://nothing", "catalogue://stores", "file:///etc"]
)
async def test_what_is_not_there_is_an_error(connect: Connect, uri: str) -> None:
    async with connect() as client:
        with pytest.raises(MCPError, match="Unknown resource: ") as caught:
            await client.read_resource(uri)
    assert caught.value.error.code == INVALID_PARAMS


@pytest.mark.parametrize(
    ("uri", "argument", "value", "expected"),
    [
        ("catalogue://devices/{id}", "id", "kestrel-k", ["kestrel-k12", "kestrel-k12-ultra"]),
        ("catalogue://plans/{id}", "id", "demo-prepaid-u", ["demo-prepaid-unlimited"]),
        ("catalogue://plans/{id}", "id", "%", []),
        ("catalogue://plans/{id}", "kind", "demo", []),
        ("catalogue://nothing/{id}", "id", "demo", []),
    ],
)
async def test_ids_are_completed(connect: Connect, uri: str, argument: str, value: str, expected: list[str]) -> None:
    async with connect() as client:
        reference = ResourceTemplateReference(uri=uri)
        completed = (await client.complete(reference, {"name": argument, "value": value})).completion
    assert completed.values == expected
    assert not completed.has_more


async def test_prompts_lead_to_the_tools(connect: Connect) -> None:
    async with connect() as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"find-a-store", "choose-a-plan", "compare-devices", "home-internet", "get-help"} <= set(prompts)
        for prompt in prompts.values():
            assert prompt.title
            assert prompt.description
            given = {argument.name: "SOMETHING" for argument in prompt.arguments or ()}
            assert all(argument.description for argument in prompt.arguments or ())
            (message,) = (await client.get_prompt(prompt.name, given)).messages
            assert isinstance(message.content, TextContent)
            assert message.role == "user"
            assert message.content.text.count("SOMETHING") == len(given)
            assert any(tool in message.content.text for tool in tools)


async def test_what_a_prompt_may_do_without_is_left_out(connect: Connect) -> None:
    async with connect() as client:
        (message,) = (await client.get_prompt("find-a-store", {"location": "98101", "need": "  "})).messages
    assert isinstance(message.content, TextContent)
    assert "I need" not in message.content.text


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("compare-devices", {"first": "kestrel-k12"}, "The prompt compare-devices needs: second"),
        ("compare-devices", {"first": " "}, "The prompt compare-devices needs: first, second"),
        ("sing", {}, "Unknown prompt: sing"),
    ],
)
async def test_a_prompt_that_cannot_be_written_is_an_error(
    connect: Connect, name: str, given: dict[str, str], message: str
) -> None:
    async with connect() as client:
        with pytest.raises(MCPError, match=message) as caught:
            await client.get_prompt(name, given)
    assert caught.value.error.code == INVALID_PARAMS


@pytest.mark.parametrize(
    ("name", "argument", "value", "expected"),
    [
        ("compare-devices", "second", "haptix-r", ["haptix-rugged-4"]),
        ("get-help", "article", "auto", ["autopay"]),
        ("find-a-store", "location", "9", []),
        ("sing", "song", "", []),
    ],
)
async def test_a_prompts_arguments_are_completed(
    connect: Connect, name: str, argument: str, value: str, expected: list[str]
) -> None:
    async with connect() as client:
        completed = await client.complete(PromptReference(name=name), {"name": argument, "value": value})
    assert completed.completion.values == expected
