"""An HTTP/1.1 client that costs as little as one in Python can, so that it is the server which is measured.

It keeps its connection, has one request under way, and knows nothing but answers with a length.
"""

import asyncio
from typing import NamedTuple, cast


class Answer(NamedTuple):
    """A response: its status, its head as it came, and its body."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> str:
        """Give the value of a header that is known to be there, by its name as the server writes it."""
        start = self.head.index(b"\r\n" + name + b": ") + len(name) + 4
        return self.head[start : self.head.index(b"\r\n", start)].decode("ascii")


class Connection(asyncio.Protocol):
    """One keep-alive connection; the requests are bytes, written out by the caller."""

    def __init__(self) -> None:
        """Be ready to be connected; see `connect`."""
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._answer: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Collect an answer, and hand it over once it is complete."""
        data = self._buffer + data if self._buffer else data
        end = data.find(b"\r\n\r\n") + 4
        if end >= 4:
            start = data.index(b"\r\nContent-Length: ") + 18
            if len(data) >= end + int(data[start : data.index(b"\r\n", start)]):
                self._buffer = b""
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(Answer(int(data[9:12]), data[: end - 2], data[end:]))
                return
        self._buffer = data

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that is under way."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server closed the connection"))

    async def send(self, request: bytes) -> Answer:
        """Send a request and give its answer.

        Raises:
            OSError: The connection broke.
        """
        self._answer = self._loop.create_future()
        self._transport.write(request)
        return await self._answer

    async def expect(self, status: int, request: bytes) -> Answer:
        """Send a request whose answer must have this status.

        Raises:
            RuntimeError: It has another.
        """
        answer = await self.send(request)
        if answer.status != status:
            raise RuntimeError(f"{request.split(b' HTTP', 1)[0]!r}: {answer.status} instead of {status}: {answer!r}")
        return answer

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


async def connect(port: int) -> Connection:
    """Connect to a port of loopback."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


def request(method: str, path: str, port: int, body: bytes = b"", **headers: str) -> bytes:
    """Write out a request; ``Content_Type="…"`` gives the header ``Content-Type``."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
