"""The connection that the SDK wants for a request which stands alone, made with as little as a request needs."""

from functools import cached_property

from mcp.server.connection import Connection
from mcp.shared.inbound import InboundModernRoute
from mcp_types import ClientCapabilities, InitializeRequestParams
from mcp_types.version import LATEST_MODERN_VERSION

_NO_CHANNEL = Connection.from_envelope(LATEST_MODERN_VERSION, None, None).outbound
"""What the SDK has for a connection whose server cannot speak up by itself."""


def connection_without_session(version: str) -> Connection:
    """Make a connection that is open, and knows nothing of its client: what `from_envelope` finds by two failures."""
    connection = Connection.for_loop(_NO_CHANNEL, protocol_version_hint=version)
    connection.initialized.set()
    return connection


class EnvelopeConnection(Connection):
    """A connection as `from_envelope` makes it, which reads who its client is once a tool asks; most never do."""

    initialize_accepted = True

    def __init__(self, route: InboundModernRoute) -> None:
        """Open a connection for one request."""
        super().__init__(_NO_CHANNEL, protocol_version=route.protocol_version)
        self.initialized.set()
        self._route = route
        del self.client_params, self.client_capabilities

    @cached_property
    def _read(self) -> Connection:
        route = self._route
        return Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)

    @cached_property
    def client_params(self) -> InitializeRequestParams | None:
        """What the client says of itself, as the parameters of ``initialize``."""
        return self._read.client_params

    @cached_property
    def client_capabilities(self) -> ClientCapabilities | None:  # type: ignore[override]  # can be set, as in the base class
        """What the client can do."""
        return self._read.client_capabilities
