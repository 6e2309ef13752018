"""Runs of what a revision requires, and the table that docs/conformance.md shows of them.

``python -m tests.conformance.runs`` writes the table anew.
"""

import asyncio
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.suite import ROOT, conformance, lines
from tests.flows.child import Child, connected

REVISIONS = ("2025-11-25", "2026-07-28")
PAGE = ROOT / "docs" / "conformance.md"
FIXTURE = {"OAUTH_ENABLED": "false", "MCP_SERVER": "tests.conformance.fixture_server:build"}

_OUTCOME = re.compile(r"[✓✗] ([\w-]+): (\d+) passed, (\d+) failed")
_NOT_SCORED = re.compile(r"  [✓✗] ([\w-]+) \(([\w-]+)\)")
_TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)


@dataclass(frozen=True)
class Run:
    """What the suite said of one revision."""

    results: Mapping[str, str]
    """``passes``, ``fails`` or ``not applicable``, by scenario and in the suite's order."""
    optional: Mapping[str, str]
    """Why a scenario is not required, by its name."""
    output: str

    def failed(self) -> set[str]:
        """Give the required scenarios that failed."""
        return {name for name, result in self.results.items() if result == "fails" and name not in self.optional}


async def run(folder: Path, revision: str) -> Run:
    """Serve the fixture and have the suite test it against what a revision requires."""
    async with (
        connected(Child(folder, environment=FIXTURE)) as live,
        conformance("server", "--url", f"{live.url}/mcp", "--requirements", revision) as suite,
    ):
        printed = [line async for line in lines(suite)]
    results = {found[1]: _result(int(found[2]), int(found[3])) for line in printed if (found := _OUTCOME.match(line))}
    optional = {found[1]: found[2] for line in printed if (found := _NOT_SCORED.match(line))}
    return Run(results, optional, "\n".join(printed))


def _result(passed: int, failed: int) -> str:
    if failed:
        return "fails"
    return "passes" if passed else "not applicable"


def table(runs: Mapping[str, Run]) -> str:
    """Write the table: a line for each scenario, a column for each revision."""
    optional = {name: why for run in runs.values() for name, why in run.optional.items()}
    names = dict.fromkeys(name for run in runs.values() for name in run.results)
    rows = [
        (f"`{name}`", *(run.results.get(name, "") for run in runs.values()), optional.get(name, "required"))
        for name in (*(n for n in names if n not in optional), *(n for n in names if n in optional))
    ]
    return "".join(map(_row, [("scenario", *runs, "standing"), ("---",) * (len(runs) + 2), *rows]))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def shown() -> dict[str, dict[str, str]]:
    """Read the page's table: result by scenario, by revision."""
    found = _TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None, "the page has lost its marks"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[0].splitlines()]
    return {
        revision: {row[0].strip("`"): row[column] for row in rows[2:] if row[column]}
        for column, revision in enumerate(rows[0])
        if revision in REVISIONS
    }


async def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = {revision: await run(Path(folder) / revision, revision) for revision in REVISIONS}
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_TABLE.sub(lambda _: table(runs), text), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write())
