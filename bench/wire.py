"""An HTTP/1.1 client that costs as little as one in Python can, so that it is the server which is measured.

What a client does is written as a generator, a flow: it yields requests as bytes, is sent their
answers, and returns its result. A connection is kept, has one request under way, and knows nothing
but answers with a length.
"""

import socket
from collections.abc import Generator
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Answer(NamedTuple):
    """A response: its status, its head as it came, and its body."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> str:
        """Give the value of a header that is known to be there."""
        start = self.head.lower().index(b"\r\n" + name.lower() + b": ") + len(name) + 4
        return self.head[start : self.head.index(b"\r\n", start)].decode("ascii")


Flow = Generator[bytes, Answer, T]


class Connection:
    """A connection to a port of loopback."""

    def __init__(self, port: int) -> None:
        """Connect; raises `OSError` when nothing listens there."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def receive(self) -> Answer | None:
        """Read what has come, and give the answer once it is complete.

        Raises:
            OSError: The connection broke.
        """
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionResetError("the server closed the connection")
        data = self._buffer + received if self._buffer else received
        end = data.find(b"\r\n\r\n") + 4
        if end >= 4:
            start = data[:end].lower().index(b"\r\ncontent-length: ") + 18
            if len(data) >= end + int(data[start : data.index(b"\r\n", start)]):
                self._buffer = b""
                return Answer(int(data[9:12]), data[: end - 2], data[end:])
        self._buffer = data
        return None

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and give its result."""
        try:
            request = next(flow)
            while True:
                self.socket.sendall(request)
                while (answer := self.receive()) is None:
                    pass
                request = flow.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def expect(status: int, text: bytes) -> Flow[Answer]:
    """Send a request whose answer must have this status.

    Raises:
        RuntimeError: It has another.
    """
    answer = yield text
    if answer.status != status:
        raise RuntimeError(f"{text.split(b' HTTP', 1)[0]!r}: not {status} but {answer!r}")
    return answer


def request(method: str, path: str, port: int, body: bytes = b"", **headers: str) -> bytes:
    """Write out a request; ``Content_Type="…"`` gives the header ``Content-Type``."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
