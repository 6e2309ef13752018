"""What a handler of the SDK sees of one request: the SDK's `DispatchContext`, which it leaves to transports."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

import anyio
from aiohttp import web
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import RequestId

from server.transport.message import Request


class Sink(Protocol):
    """What takes the messages that go ahead of an answer."""

    async def send(self, message: dict[str, Any]) -> None:
        """Send one."""


class Channel:
    """One request's way back: notifications go ahead of its answer, requests to the client are refused."""

    def __init__(
        self, http: web.Request, request: Request, stream: Sink | None, metadata: ServerMessageMetadata | None = None
    ) -> None:
        """Serve one message of one POST; without a stream its notifications are dropped."""
        self.http = http
        self.message_metadata = metadata or ServerMessageMetadata(request_context=http, can_send_request=False)
        self.request_id: RequestId | None = request.id
        self._progress_token = progress_token_from_params(request.params)
        self._stream = stream

    @cached_property
    def transport(self) -> TransportContext:
        """What carries the message, for whoever asks."""
        asks = self.message_metadata.can_send_request
        return TransportContext(kind="streamable-http", can_send_request=asks, headers=self.http.headers)

    @property
    def can_send_request(self) -> bool:
        """Whether the client can be asked anything: not here."""
        return False

    @cached_property
    def cancel_requested(self) -> anyio.Event:
        """Never set: a request is cancelled by closing its connection, or not at all."""
        return anyio.Event()

    async def send_raw_request(
        self,
        method: str,
        params: Mapping[str, Any] | None,  # noqa: ARG002 - the SDK's signature
        opts: CallOptions | None = None,  # noqa: ARG002 - the SDK's signature
    ) -> dict[str, Any]:
        """Refuse: without a session the client's answer has nowhere to go."""
        raise NoBackChannelError(method)

    async def notify(
        self,
        method: str,
        params: Mapping[str, Any] | None,
        opts: CallOptions | None = None,  # noqa: ARG002 - the SDK's signature
    ) -> None:
        """Send a notification ahead of the answer."""
        if self._stream is not None:
            message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
            await self._stream.send(message if params is None else message | {"params": dict(params)})

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Report progress, if the client asked for it by a token."""
        if self._progress_token is None:
            return
        params = {"progressToken": self._progress_token, "progress": progress, "total": total, "message": message}
        await self.notify("notifications/progress", {k: v for k, v in params.items() if v is not None})
