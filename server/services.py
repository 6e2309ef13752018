"""What a plugged-in MCP server may ask for when it is built."""

from dataclasses import dataclass
from typing import Any

from server.clock import Clock
from server.oauth.tokens import Entropy
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to the callable that ``MCP_SERVER`` names, if it takes an argument."""

    store: Any
    """The durable store; each tool declares the Protocol of it that it needs."""
    clock: Clock
    settings: Settings
    entropy: Entropy
