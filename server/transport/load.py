"""Finding the MCP server that ``MCP_SERVER`` names."""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.mcpserver import MCPServer

from server.services import Services
from server.transport.listeners import admit_listeners
from server.transport.tracing import drop_idle_tracing


class LoadError(Exception):
    """``MCP_SERVER`` names nothing that can be served; the message is one line."""


def load_server(spec: str, services: Services) -> Server[Any]:
    """Find, and if need be build, the MCP server to plug in.

    Args:
        spec: ``module:object``; the object is an `MCPServer`, a lowlevel `Server`, or a callable that
            returns one, given ``services`` if it takes an argument. Modules are looked for in the
            working directory too.
        services: What the callable may ask for.

    Raises:
        LoadError: There is no such module or object, it is of another kind, or it failed.
    """
    found = _find(spec)
    if callable(found) and not isinstance(found, MCPServer | Server):
        found = _build(spec, found, services)
    if isinstance(found, MCPServer):
        found.streamable_http_app()
        found = found.session_manager.app
    if not isinstance(found, Server):
        raise LoadError(f"MCP_SERVER={spec!r} is a {type(found).__name__}, not an MCPServer or a lowlevel Server")
    drop_idle_tracing(found)
    admit_listeners(found)
    return found


def _find(spec: str) -> Any:
    module_name, _, path = spec.partition(":")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise LoadError(f"MCP_SERVER={spec!r} cannot be imported: {_one_line(error)}") from error
    for name in path.split("."):
        if not hasattr(found, name):
            raise LoadError(f"MCP_SERVER={spec!r}: {module_name} has no {path}")
        found = getattr(found, name)
    return found


def _build(spec: str, factory: Any, services: Services) -> Any:
    try:
        return factory(services) if _takes_services(factory) else factory()
    except Exception as error:
        raise LoadError(f"MCP_SERVER={spec!r} failed: {_one_line(error)}") from error


def _takes_services(factory: Any) -> bool:
    parameters = inspect.signature(factory).parameters.values()
    return any((p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD) or p.name == "services" for p in parameters)


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
