"""What a tool may ask of its client: what the client said it can do, and nothing else (MCP, "Server Requirements")."""

from collections.abc import Mapping
from typing import Any

from mcp_types import INTERNAL_ERROR, MISSING_REQUIRED_CLIENT_CAPABILITY

Capabilities = dict[str, dict[str, Any]]

_CLIENT_FEATURES = frozenset({"elicitation/create", "sampling/createMessage", "roots/list"})


def refusal(result: Mapping[str, Any], declared: object) -> dict[str, Any] | None:
    """Give the JSON-RPC error to send in place of a result, or ``None`` when the result may be sent.

    Args:
        result: The result as it would be sent; only one that is ``input_required`` is ever refused.
        declared: The ``clientCapabilities`` of the request.
    """
    if result.get("resultType") != "input_required":
        return None
    requests = result.get("inputRequests") or {}
    if not requests and result.get("requestState") is None:
        return {"code": INTERNAL_ERROR, "message": "Internal server error"}
    missing = _undeclared(requests, declared)
    if not missing:
        return None
    # MCP, "Per-request protocol fields".
    return {
        "code": MISSING_REQUIRED_CLIENT_CAPABILITY,
        "message": "This needs something of the client that it did not declare: " + ", ".join(missing),
        "data": {"requiredCapabilities": missing},
    }


def _undeclared(requests: Mapping[str, Mapping[str, Any]], declared: object) -> Capabilities:
    missing: Capabilities = {}
    for request in requests.values():
        capability, mode = _needed(request.get("method"), request.get("params") or {})
        if not _has(declared, capability, mode):
            missing.setdefault(capability, {}).update({mode: {}} if mode else {})
    return missing


def may_ask(method: str, params: Mapping[str, Any] | None, declared: object) -> bool:
    """Tell whether a client declared what a request to it needs; a ``ping`` and what is not of MCP need nothing.

    Args:
        method: That of the request.
        params: Its parameters.
        declared: The client's ``capabilities``.
    """
    return method not in _CLIENT_FEATURES or _has(declared, *_needed(method, params or {}))


def _needed(method: object, params: Mapping[str, Any]) -> tuple[str, str]:
    """Name the capability, and the member of it, that a request needs (MCP, "Client Features")."""
    if method == "elicitation/create":
        return "elicitation", str(params.get("mode") or "form")
    if method == "sampling/createMessage":
        return "sampling", "tools" if "tools" in params or "toolChoice" in params else ""
    return "roots", ""


def _has(declared: object, capability: str, mode: str) -> bool:
    """Tell whether a capability was declared; a bare ``elicitation`` means forms."""
    members = declared.get(capability) if isinstance(declared, Mapping) else None
    if not isinstance(members, Mapping):
        return False
    return not mode or mode in members or (mode == "form" and "url" not in members)
