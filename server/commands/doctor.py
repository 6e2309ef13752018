"""``doctor [URL]``: what is good, what is bad, and what to change."""

import argparse
import asyncio
import dataclasses
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from server.app import system_clock
from server.commands.console import Commands, UsageError, add_json, printable
from server.doctor import examination, inside
from server.doctor.findings import Finding
from server.settings import Settings

_MARKS = {"good": "good   ", "bad": "BAD    ", "unknown": "unknown"}


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="say what is wrong with a server, and what to change",
        description="Look at a server from outside as ChatGPT, Claude, Cursor, VS Code and the MCP Inspector would. "
        "Without an address, look at this one from inside.",
    )
    parser.add_argument("url", nargs="?", metavar="URL", help="an origin, or the address of an MCP endpoint")
    add_json(parser)
    parser.set_defaults(command=_doctor)


def _doctor(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.url is None:
        findings = _shown(inside.examine(settings, system_clock()), as_json=arguments.json)
    else:
        _check(arguments.url)
        findings = asyncio.run(_outside(arguments.url, as_json=arguments.json))
    if arguments.json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings]))  # noqa: T201 - the command's output
    else:
        counts = {state: sum(finding.state == state for finding in findings) for state in _MARKS}
        print(", ".join(f"{count} {state}" for state, count in counts.items()))  # noqa: T201 - the command's output
    return 1 if any(finding.state == "bad" for finding in findings) else 0


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in url:
        raise UsageError(f"{url} is no address such as https://mcp.example.com or https://mcp.example.com/mcp")


async def _outside(url: str, *, as_json: bool) -> list[Finding]:
    findings = []
    async for finding in examination.examine(url):
        findings += _shown(iter((finding,)), as_json=as_json)
    return findings


def _shown(findings: Iterator[Finding], *, as_json: bool) -> list[Finding]:
    """Print findings as they come, unless all of them are printed as JSON in the end."""
    shown = []
    for finding in findings:
        shown.append(finding)
        if not as_json:
            print("\n".join(_lines(finding)))  # noqa: T201 - the command's output
    return shown


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{_MARKS[finding.state]} {finding.check}: {printable(finding.seen)}"
    if finding.clients:
        yield f"        would fail: {', '.join(finding.clients)}"
    if finding.advice:
        yield f"        what to do: {finding.advice}"
