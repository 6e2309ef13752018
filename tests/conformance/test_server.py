"""What each revision requires of an MCP server, by the suite; docs/conformance.md shows what came of it."""

from pathlib import Path

import pytest

from tests.conformance.runs import REVISIONS, run, shown


@pytest.mark.parametrize("revision", REVISIONS)
async def test_required_scenarios_pass_and_the_page_says_so(tmp_path: Path, revision: str) -> None:
    made = await run(tmp_path, revision)
    assert made.results, made.output
    assert made.failed() == set(), made.output
    assert shown()[revision] == made.results, "docs/conformance.md is out of date; make conformance writes it anew"
