"""What a tool may ask of its client: what the client said it can do, and nothing else (MCP, "Server Requirements")."""

from collections.abc import Mapping
from typing import Any

Capabilities = dict[str, dict[str, Any]]


def undeclared(result: Mapping[str, Any], declared: object) -> Capabilities:
    """Give the capabilities that an ``input_required`` result needs and the client did not declare.

    Args:
        result: The result as it would be sent; any other type of result needs none.
        declared: The ``clientCapabilities`` of the request.
    """
    missing: Capabilities = {}
    requests = result.get("inputRequests") if result.get("resultType") == "input_required" else None
    for request in (requests or {}).values():
        capability, mode = _needed(request.get("method"), request.get("params") or {})
        if not _has(declared, capability, mode):
            missing.setdefault(capability, {}).update({mode: {}} if mode else {})
    return missing


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
