"""The suite's scenarios for an MCP server: those listed here pass, in each revision, and must go on passing."""

import re
from pathlib import Path

import pytest

from tests.conformance.suite import conformance, lines
from tests.flows.child import Child, connected

BOTH = {
    "completion-complete",
    "dns-rebinding-protection",
    "prompts-get-embedded-resource",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-with-image",
    "prompts-list",
    "resources-list",
    "resources-read-binary",
    "resources-read-text",
    "resources-templates-read",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-error",
    "tools-call-image",
    "tools-call-mixed-content",
    "tools-call-simple-text",
    "tools-call-with-progress",
    "tools-list",
}
PASSING = {
    "2025-11-25": BOTH | {"ping", "server-initialize"},
    "2026-07-28": BOTH
    | {
        "caching",
        "http-header-validation",
        "input-required-result-ignore-extra-params",
        "input-required-result-unsupported-methods",
        "input-required-result-validate-input",
        "sep-2164-resource-not-found",
        "server-sse-multiple-streams",
    },
}
OUTCOME = re.compile(r"✓ ([\w-]+): [1-9]\d* passed, 0 failed")


@pytest.mark.parametrize("revision", PASSING)
async def test_scenarios_that_passed_still_pass(tmp_path: Path, revision: str) -> None:
    fixture = {"OAUTH_ENABLED": "false", "MCP_SERVER": "tests.conformance.fixture_server:server"}
    async with (
        connected(Child(tmp_path, environment=fixture)) as live,
        conformance("server", "--url", f"{live.url}/mcp", "--requirements", revision) as suite,
    ):
        printed = [line async for line in lines(suite)]
    passed = {found[1] for line in printed if (found := OUTCOME.match(line))}
    assert PASSING[revision] - passed == set(), "\n".join(printed)
