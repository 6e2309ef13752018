"""What an examination finds: a line each, good, bad, or could not tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["good", "bad", "unknown"]

CHATGPT, CLAUDE, CURSOR, VSCODE, INSPECTOR = "ChatGPT", "Claude", "Cursor", "VS Code", "MCP Inspector"
EVERY_CLIENT = (CHATGPT, CLAUDE, CURSOR, VSCODE, INSPECTOR)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    """What was looked at, in a few words."""
    state: State
    seen: str
    """What was there."""
    advice: str = ""
    """What to change."""
    clients: tuple[str, ...] = ()
    """Who would fail."""


def good(check: str, seen: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(check, "good", seen)


def bad(check: str, seen: str, advice: str, clients: Sequence[str] = EVERY_CLIENT) -> Finding:
    """Say that something is wrong, what to change, and which clients would fail."""
    return Finding(check, "bad", seen, advice, tuple(clients))


def unknown(check: str, seen: str) -> Finding:
    """Say that something could not be told, and why."""
    return Finding(check, "unknown", seen)
