"""What the transport relies on in the SDK. A failure here means that it moved: read its changes first."""

import inspect
from importlib.metadata import version
from typing import Any, get_type_hints

import anyio
import pytest
from aiohttp.test_utils import make_mocked_request
from mcp.server import MCPServer, Server
from mcp.server.auth.middleware.auth_context import auth_context_var, get_access_token
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.connection import Connection
from mcp.server.runner import aclose_shielded, serve_connection, serve_one
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared import inbound
from mcp.shared.dispatcher import CallOptions, DispatchContext, Dispatcher, OnRequest
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import ClientCapabilities, Implementation, InitializeRequestParams, ListToolsResult, Tool
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from server.oauth.bearer import Caller
from server.oauth.model import AccessToken as OurToken
from server.oauth.model import User
from server.oauth.provider.words import Holder, access_token
from server.settings import load_settings
from server.transport.channel import Channel
from server.transport.connections import EnvelopeConnection, connection_without_session
from server.transport.message import Request


def _parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_sdk_is_of_the_minor_version_that_this_was_written_for() -> None:
    assert version("mcp").split(".")[:2] == ["2", "3"]
    assert version("mcp-types").split(".")[:2] == ["2", "3"]


def test_the_drivers_take_what_we_give_them() -> None:
    assert _parameters(serve_one) == ["server", "dctx", "method", "params", "connection", "lifespan_state"]
    assert _parameters(Connection.from_envelope) == [
        "protocol_version",
        "client_info",
        "client_capabilities",
        "outbound",
    ]
    assert _parameters(inbound.classify_inbound_request) == ["body", "headers", "supported_modern_versions"]
    assert _parameters(inbound.validate_mcp_param_headers) == ["input_schema", "arguments", "headers"]


def test_a_dispatch_context_has_no_member_that_ours_lacks() -> None:
    members = {name for name in vars(DispatchContext) if not name.startswith("_")}
    members |= {name for base in DispatchContext.__mro__[1:-1] for name in vars(base) if not name.startswith("_")}
    assert members == {
        "transport",
        "can_send_request",
        "request_id",
        "message_metadata",
        "cancel_requested",
        "progress",
        "notify",
        "send_raw_request",
    }
    assert {"kind", "can_send_request", "headers"} == set(get_type_hints(TransportContext))
    assert "request_context" in get_type_hints(ServerMessageMetadata)


def test_a_connection_from_an_envelope_is_open_in_both_eras() -> None:
    for revision in (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS):
        connection = Connection.from_envelope(revision, None, None)
        assert connection.initialize_accepted
        assert isinstance(connection.initialized, anyio.Event)
        assert not connection.has_standalone_channel


@pytest.mark.parametrize("revision", HANDSHAKE_PROTOCOL_VERSIONS)
async def test_a_connection_without_a_session_is_what_an_empty_envelope_makes(revision: str) -> None:
    ours, theirs = connection_without_session(revision), Connection.from_envelope(revision, None, None)
    assert ours.initialized.is_set()
    assert not ours.has_standalone_channel
    ours_has, theirs_has = vars(ours), vars(theirs)
    assert ours_has.keys() == theirs_has.keys()
    made_anew = {"initialized", "state", "exit_stack"}
    assert {name: ours_has[name] for name in ours_has.keys() - made_anew} == {
        name: theirs_has[name] for name in theirs_has.keys() - made_anew
    }
    again = vars(connection_without_session(revision))
    assert all(again[name] is not ours_has[name] for name in made_anew)


@pytest.mark.parametrize(
    ("info", "capabilities"),
    [
        ({"name": "c", "version": "1"}, {"elicitation": {"form": {}}, "experimental": {"x": {"y": [1]}}}),
        ({"name": "c", "version": "1", "title": "C"}, {}),
        (None, {"roots": {"listChanged": True}}),
        ({"name": 7}, {}),
        ({"name": "c", "version": "1"}, "no capabilities"),
        (None, None),
    ],
)
async def test_a_connection_that_reads_its_envelope_late_reads_what_the_sdk_does(info: Any, capabilities: Any) -> None:
    theirs = Connection.from_envelope("2026-07-28", info, capabilities)
    ours = EnvelopeConnection(inbound.InboundModernRoute("2026-07-28", info, capabilities))
    public = [name for name in dir(theirs) if not name.startswith("_") and not callable(getattr(theirs, name))]
    assert {"client_params", "client_capabilities", "initialize_accepted", "has_standalone_channel"} <= set(public)
    for name in set(public) - {"initialized", "exit_stack"}:
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.initialized.is_set()
    assert ours.check_capability(ClientCapabilities()) == theirs.check_capability(ClientCapabilities())
    if ours.client_params is not None:
        assert ours.client_params.capabilities is ours.client_capabilities
        assert ours.client_params is ours.client_params


def test_no_two_connections_share_what_they_read_of_the_same_envelope() -> None:
    route = inbound.InboundModernRoute("2026-07-28", {"name": "c", "version": "1"}, {"experimental": {"x": {}}})
    first, second = EnvelopeConnection(route), EnvelopeConnection(route)
    assert first.client_capabilities is not None
    assert first.client_capabilities.experimental is not None
    first.client_capabilities.experimental["x"]["spoiled"] = True
    assert second.client_capabilities == ClientCapabilities(experimental={"x": {}})
    assert route.client_capabilities == {"experimental": {"x": {}}}


def test_the_revisions_are_those_we_know() -> None:
    assert MODERN_PROTOCOL_VERSIONS == ("2026-07-28",)
    assert HANDSHAKE_PROTOCOL_VERSIONS == ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")


def test_the_statuses_are_those_of_the_specification() -> None:
    assert dict(inbound.ERROR_CODE_HTTP_STATUS) == {
        -32700: 400,
        -32600: 400,
        -32602: 400,
        -32020: 400,
        -32021: 400,
        -32022: 400,
        -32601: 404,
    }


def test_a_comfortable_server_gives_its_lowlevel_one_away() -> None:
    server = MCPServer("s")
    server.streamable_http_app()
    assert type(server.session_manager.app) is Server


def test_a_new_server_traces_and_does_nothing_else() -> None:
    [middleware] = Server[Any]("s").middleware
    assert type(middleware).__name__ == "OpenTelemetryMiddleware"
    assert type(middleware).__module__.startswith("mcp.")


def test_a_listen_handler_can_be_closed_through_the_lowlevel_server() -> None:
    server = MCPServer("s")
    server.streamable_http_app()
    entry = server.session_manager.app.get_request_handler("subscriptions/listen")
    assert entry is not None
    assert isinstance(entry.handler, ListenHandler)
    assert callable(entry.handler.close)


def test_a_listen_handler_keeps_its_limit_where_ours_is_set() -> None:
    assert vars(ListenHandler(InMemorySubscriptionBus()))["_max_subscriptions"] == 1_024


def test_tools_learn_their_caller_from_the_context_variable() -> None:
    access = AccessToken(token="t", client_id="c", scopes=["s"], expires_at=1, resource="r", subject="u", claims={})
    reset = auth_context_var.set(AuthenticatedUser(access))
    try:
        assert get_access_token() is access
    finally:
        auth_context_var.reset(reset)


@pytest.mark.parametrize("user", [None, User("u", "demo", "u", "Ada", "ada@example.com")])
def test_a_holder_is_a_user_of_the_sdk_in_all_but_when_it_is_described(user: User | None) -> None:
    settings = load_settings()
    row = OurToken(
        "digest", "hint", "g", "c", None if user is None else user.user_id, ("read",), settings.resource, 1, 9
    )
    caller = Caller("token", row, user)
    holder, told = Holder(caller, settings), AuthenticatedUser(access_token(caller, settings.issuer))
    assert "access_token" not in vars(holder)
    for name in ("username", "display_name", "is_authenticated", "scopes", "access_token"):
        assert getattr(holder, name) == getattr(told, name)
    assert set(vars(told)) <= set(vars(holder))
    assert holder.access_token is holder.access_token
    assert holder.access_token is not Holder(caller, settings).access_token


def test_a_tool_still_drops_security_schemes() -> None:
    tool = Tool.model_validate({"name": "t", "inputSchema": {"type": "object"}, "securitySchemes": []})
    assert "securitySchemes" not in tool.model_dump(by_alias=True)


@pytest.mark.parametrize("name", ["cache_hints", "lifespan", "middleware", "server_info_stamp", "get_request_handler"])
def test_a_lowlevel_server_has_what_is_read_off_it(name: str) -> None:
    assert hasattr(Server[Any]("s"), name)


def test_the_loops_driver_takes_a_dispatcher_and_gives_it_its_handlers_and_nothing_else() -> None:
    assert _parameters(serve_connection) == [
        "server",
        "dispatcher",
        "connection",
        "lifespan_state",
        "init_options",
        "task_status",
    ]
    assert _parameters(Connection.for_loop) == ["outbound", "session_id", "protocol_version_hint"]
    assert {name for name in vars(Dispatcher) if not name.startswith("_")} == {"run"}
    assert _parameters(Dispatcher.run) == ["self", "on_request", "on_notify", "on_notify_intercept", "task_status"]
    assert set(get_type_hints(CallOptions)) == {
        "request_id",
        "timeout",
        "cancel_on_abandon",
        "on_progress",
        "resumption_token",
        "on_resumption_token",
        "headers",
    }


async def test_a_connection_of_the_loop_goes_on_where_its_client_is_known() -> None:
    async def on_list_tools(_: Any, __: Any) -> ListToolsResult:
        return ListToolsResult(tools=[])

    class Capturing:
        on_request: OnRequest

        async def send_raw_request(self, *_: Any) -> dict[str, Any]:
            raise NotImplementedError

        async def notify(self, *_: Any) -> None:
            raise NotImplementedError

        async def run(self, on_request: OnRequest, *_: Any, **__: Any) -> None:
            self.on_request = on_request

    params = InitializeRequestParams(
        protocol_version="2025-06-18",
        capabilities=ClientCapabilities(),
        client_info=Implementation(name="c", version="1"),
    )
    dispatcher: Any = Capturing()
    connection = Connection.for_loop(dispatcher, session_id="s", protocol_version_hint="2025-06-18")
    server = Server[Any]("s", on_list_tools=on_list_tools)
    await serve_connection(server, dispatcher, connection=connection, lifespan_state={})
    assert not connection.initialize_accepted
    connection.client_params = params
    assert connection.initialize_accepted
    assert connection.client_capabilities == ClientCapabilities()
    channel = Channel(make_mocked_request("POST", "/mcp"), Request(1, "tools/list", None), None)
    assert (await dispatcher.on_request(channel, "tools/list", None))["tools"] == []
    closed: list[str] = []
    connection.exit_stack.callback(closed.append, "closed")
    await aclose_shielded(connection)
    assert closed == ["closed"]
