"""A tool may ask of its client only what the client said that it can do."""

from pathlib import Path
from typing import Any

import pytest
from mcp_types import CLIENT_CAPABILITIES_META_KEY, INTERNAL_ERROR, MISSING_REQUIRED_CLIENT_CAPABILITY

from tests.transport.rig import serve


@pytest.mark.parametrize(
    ("what", "declared", "required"),
    [
        (["form"], {"elicitation": {}}, None),
        (["form"], {"elicitation": {"form": {}}}, None),
        (["form"], {"elicitation": {"url": {}}}, {"elicitation": {"form": {}}}),
        (["form"], {}, {"elicitation": {"form": {}}}),
        (["url"], {"elicitation": {"form": {}, "url": {}}}, None),
        (["url"], {"elicitation": {}}, {"elicitation": {"url": {}}}),
        (["form", "url"], {}, {"elicitation": {"form": {}, "url": {}}}),
        (["sample"], {"sampling": {}}, None),
        (["sample"], {"elicitation": {}}, {"sampling": {}}),
        (["sample with tools"], {"sampling": {"tools": {}}}, None),
        (["sample with tools"], {"sampling": {}}, {"sampling": {"tools": {}}}),
        (["roots"], {"roots": {}}, None),
        (["form", "sample", "roots"], {"elicitation": {}}, {"sampling": {}, "roots": {}}),
    ],
)
async def test_what_was_not_declared_is_not_asked(
    tmp_path: Path, what: list[str], declared: dict[str, Any], required: dict[str, Any] | None
) -> None:
    async with serve(tmp_path, "tests.transport.asking:build") as site:
        meta = {CLIENT_CAPABILITIES_META_KEY: declared}
        call = {"name": "ask", "arguments": {"what": what}, "_meta": meta}
        answer = await site.modern("tools/call", call, token=await site.token())
        if required is None:
            assert set(answer.json["result"]["inputRequests"]) == set(what)
        else:
            error = answer.json["error"]
            assert (answer.status, error["code"]) == (400, MISSING_REQUIRED_CLIENT_CAPABILITY)
            assert error["data"] == {"requiredCapabilities": required}


async def test_a_question_without_a_question_is_a_failure_of_the_tool(tmp_path: Path) -> None:
    async with serve(tmp_path, "tests.transport.asking:shrugging", oauth_enabled=False) as site:
        answer = await site.call("modern", "any")
        assert (answer.status, answer.json["error"]["code"]) == (200, INTERNAL_ERROR)
