"""A client for what wrk cannot do: connections opened one by one, kept, and asked when we say so.

Knows:     as much HTTP/1.1 as the applications of the benchmarks answer with: Content-Length, or the end of the stream.
Never:     waits without a deadline.
"""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

_BLOCK = 65536
_REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: hybridd-bench\r\nAccept: */*\r\n"
    "Connection: {mode}\r\n\r\n"
)


class BadAnswer(Exception):  # noqa: N818 - reads as the sentence it begins
    """An answer was not a whole answer with status 200."""


def parse_head(head: bytes) -> tuple[int, int | None]:
    """Return status and Content-Length (None without one) of an answer's head.

    Raises:
        BadAnswer: it is none.
    """
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ", 2)
    if not parts[0].startswith("HTTP/1.") or len(parts) < 2 or not parts[1].isdigit():  # noqa: PLR2004 - RFC 9112 4
        raise BadAnswer(f"no status line: {lines[0]!r}")
    fields = dict(line.lower().split(":", 1) for line in lines[1:] if ":" in line)
    length = fields.get("content-length", "").strip()
    return int(parts[1]), int(length) if length.isdigit() else None


class Connection:
    """One connection to 127.0.0.1."""

    def __init__(self, port: int, timeout: float = 5.0) -> None:
        self._port = port
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._received = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def send(self, path: str, *, keep: bool = True) -> None:
        """Ask, without waiting for the answer."""
        mode = "keep-alive" if keep else "close"
        self._socket.sendall(_REQUEST.format(path=path, port=self._port, mode=mode).encode())

    def receive(self) -> bytes:
        """Return the body of the next answer.

        Raises:
            BadAnswer: cut, or not 200.
            OSError: reset, refused, timed out.
        """
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            self._more()
        status, length = parse_head(bytes(self._received[:end]))
        del self._received[: end + 4]
        if length is None:
            while piece := self._socket.recv(_BLOCK):
                self._received += piece
            length = len(self._received)
        while len(self._received) < length:
            self._more()
        body = bytes(self._received[:length])
        del self._received[:length]
        if status != 200:  # noqa: PLR2004 - OK
            raise BadAnswer(f"status {status}: {body[:200]!r}")
        return body

    def get(self, path: str, *, keep: bool = True) -> bytes:
        """Ask and return the body; raises as ``receive``."""
        self.send(path, keep=keep)
        return self.receive()

    def _more(self) -> None:
        piece = self._socket.recv(_BLOCK)
        if not piece:
            raise BadAnswer("the connection was closed before the answer was whole")
        self._received += piece


def get(port: int, path: str, timeout: float = 5.0) -> bytes:
    """Ask once on a connection of its own; raises as ``Connection.receive``."""
    with Connection(port, timeout) as connection:
        return connection.get(path, keep=False)
