"""Which revisions of the protocol are served, and which error codes the newest of them still has."""

from typing import Any

from mcp_types import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    UNSUPPORTED_PROTOCOL_VERSION,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

_BEFORE_THIS_TRANSPORT = "2024-11-05"
_RESOURCE_NOT_FOUND = -32002
_RESERVED = range(-32099, -32019)
_DEFINED = frozenset({HEADER_MISMATCH, MISSING_REQUIRED_CLIENT_CAPABILITY, UNSUPPORTED_PROTOCOL_VERSION})

SERVED = (*MODERN_PROTOCOL_VERSIONS, *(v for v in HANDSHAKE_PROTOCOL_VERSIONS[::-1] if v != _BEFORE_THIS_TRANSPORT))
"""Every revision with this transport, newest first: what a client is told that asks for another."""


def with_served(data: Any, member: str = "supported") -> Any:
    """Have a list of revisions name every one that is served; the SDK's names those without a handshake only."""
    return {**data, member: [*SERVED]} if isinstance(data, dict) and member in data else data


def modern_code(code: int) -> int:
    """Give the code that 2026-07-28 has for an error: those that it took out must not be sent (MCP, "Error Codes").

    Args:
        code: What a handler, perhaps written for an older revision, raised.
    """
    if code == _RESOURCE_NOT_FOUND:
        return INVALID_PARAMS
    return INTERNAL_ERROR if code in _RESERVED and code not in _DEFINED else code
