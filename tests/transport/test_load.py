"""Finding what ``MCP_SERVER`` names."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp.server import MCPServer, Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp_types import SubscriptionsListenRequestParams
from opentelemetry import trace

from server.clock import Clock
from server.services import Services
from server.settings import load_settings
from server.transport.load import LoadError, load_server

SETTINGS = load_settings(server_url="https://mcp.example.com")
CLOCK: Clock = int
SERVICES = Services(None, CLOCK, SETTINGS, os.urandom)

comfortable = MCPServer("comfortable")
plain: Server[Any] = Server("plain")
number = 7


class Holder:
    inside = MCPServer("inside")


def failing() -> MCPServer:
    raise ValueError("first line\nsecond line")


def with_default(services: Services | None = None) -> Server[Any]:
    return Server("given" if services else "not given")


def with_option(name: str = "option") -> Server[Any]:
    return Server(name)


def returns_nothing() -> None:
    return None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("comfortable", "comfortable"),
        ("plain", "plain"),
        ("Holder.inside", "inside"),
        ("with_default", "given"),
        ("with_option", "option"),
    ],
)
def test_a_server_is_found_or_built(name: str, expected: str) -> None:
    found = load_server(f"{__name__}:{name}", SERVICES)
    assert isinstance(found, Server)
    assert found.name == expected


def test_a_callable_may_ask_for_the_services() -> None:
    assert load_server("tests.transport.plugged:build_for", SERVICES).name == "for https://mcp.example.com"
    assert load_server("tests.transport.plugged:build", SERVICES).name == "plugged"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("no.such.module:build", "cannot be imported: ModuleNotFoundError"),
        ("tests.transport.plugged:no_such_thing", "tests.transport.plugged has no no_such_thing"),
        (f"{__name__}:Holder.missing", "has no Holder.missing"),
        (f"{__name__}:number", "is a int, not an MCPServer or a lowlevel Server"),
        (f"{__name__}:returns_nothing", "is a NoneType, not an MCPServer"),
        (f"{__name__}:failing", "failed: ValueError: first line second line"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(spec: str, message: str) -> None:
    with pytest.raises(LoadError) as failed:
        load_server(spec, SERVICES)
    assert message in str(failed.value)
    assert spec in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_module_in_the_working_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    (tmp_path / "their_tools.py").write_text("from mcp.server import MCPServer\nserver = MCPServer('theirs')\n")
    assert load_server("their_tools:server", SERVICES).name == "theirs"


def test_a_module_that_does_not_even_compile_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    (tmp_path / "their_typo.py").write_text("def (:\n")
    with pytest.raises(LoadError, match="cannot be imported: SyntaxError"):
        load_server("their_typo:server", SERVICES)


def _names(server: Server[Any]) -> list[str]:
    return [type(middleware).__name__ for middleware in server.middleware]


def test_tracing_is_taken_out_only_where_nothing_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "OpenTelemetryMiddleware" not in _names(load_server(f"{__name__}:with_option", SERVICES))
    monkeypatch.setattr(trace, "get_tracer_provider", object)
    assert "OpenTelemetryMiddleware" in _names(load_server(f"{__name__}:with_option", SERVICES))


def test_other_middleware_stays() -> None:
    assert _names(load_server(f"{__name__}:comfortable", SERVICES)) == ["RequestStateBoundary"]


@pytest.mark.parametrize(("limit", "expected"), [(1_024, 10_000), (5, 5), (20_000, 20_000)])
def test_a_limit_of_listeners_that_somebody_chose_stays(limit: int, expected: int) -> None:
    handler = ListenHandler(InMemorySubscriptionBus(), max_subscriptions=limit)
    plain.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, handler)
    load_server(f"{__name__}:plain", SERVICES)
    assert vars(handler)["_max_subscriptions"] == expected
