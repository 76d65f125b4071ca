"""A raw HTTP/1.1 client over a blocking socket: it sends exactly the bytes a test wants and reads answers one by one.

Knows:     enough of RFC 9112 to find where an answer ends (Content-Length, chunked, until close, no body).
Never:     retries, redirects, pools; a wrong answer is an error, not repaired.
Runs in:   the test process.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BufferedReader
from typing import Self

from tests.support.waiting import patient

CRLF = b"\r\n"
PATIENT = patient(10)  # seconds for any one operation


class ConnectionEnded(Exception):  # noqa: N818 - it is what happened, not always an error
    """The server closed the connection where an answer was expected; carries what arrived of it."""

    def __init__(self, received: bytes = b"") -> None:
        super().__init__(f"connection ended after {received[:200]!r}")
        self.received = received


CUT = (ConnectionEnded, ConnectionResetError)
"""What reading an answer raises that the server did not finish."""


@dataclass(slots=True)
class Answer:
    """One response; ``fields`` holds (name in lower case, value) as received, ``trailers`` those after the chunks."""

    version: str
    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """Return the value of a header; several are joined with a comma."""
        values = [value for key, value in self.fields if key == name.lower()]
        return ", ".join(values) if values else None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def parse_target(address: str) -> tuple[socket.AddressFamily, tuple[str, int] | str]:
    """Turn ``unix:/path`` or ``host:port`` (``[::1]:port``) into family and address."""
    if address.startswith("unix:"):
        return socket.AF_UNIX, address.removeprefix("unix:")
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))


def connect(address: str, timeout: float = PATIENT, source: str = "") -> socket.socket:
    """Connect to ``address``, from ``source``; every later operation has ``timeout`` seconds too."""
    family, target = parse_target(address)
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        if source:
            connection.bind((source, 0))
        connection.connect(target)
        if family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def request_bytes(method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Write a request head and its body; ``Host`` and (with a body) ``Content-Length`` are added when missing."""
    fields = {"Host": "test", **(headers or {})}
    if body and "Transfer-Encoding" not in fields:
        fields.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


class Client:
    """One connection; a context manager."""

    def __init__(self, address: str, timeout: float = PATIENT, source: str = "") -> None:
        self.socket = connect(address, timeout, source)
        self._reader: BufferedReader = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close both directions."""
        self._reader.close()
        self.socket.close()

    def abort(self) -> None:
        """Reset the connection (RST)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.close()

    def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.socket.sendall(data)

    def half_close(self) -> None:
        """Send FIN and keep on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def request(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send one request and read its answer."""
        self.send(request_bytes(method, target, headers, body))
        return self.read_answer(method)

    def get(self, target: str, headers: dict[str, str] | None = None) -> Answer:
        """GET."""
        return self.request("GET", target, headers)

    def read_head(self) -> Answer:
        """Read a status line and the headers; the body stays unread."""
        line = self._reader.readline()
        if not line.endswith(CRLF):
            raise ConnectionEnded(line)
        version, status, reason = [*line.decode("latin-1").rstrip("\r\n").split(" ", 2), ""][:3]
        return Answer(version, int(status), reason, self._read_fields())

    def read_answer(self, method: str = "GET", *, interim: bool = False) -> Answer:
        """Read one whole answer to ``method``; 1xx answers are skipped unless ``interim``."""
        while True:
            answer = self.read_head()
            if interim or answer.status >= HTTPStatus.OK:
                break
        self._read_body(answer, method)
        return answer

    def read_exactly(self, count: int) -> bytes:
        """Read ``count`` bytes; ConnectionEnded when there are fewer."""
        data = self._reader.read(count)
        if len(data) < count:
            raise ConnectionEnded(data)
        return data

    def read_chunk(self) -> bytes:
        """Read one chunk of a chunked body; b"" is the last one (its trailers are then read and dropped)."""
        size = self._read_chunk_size()
        data = self.read_exactly(size)
        if size:
            self.read_exactly(2)
        else:
            self._read_fields()
        return data

    def read_to_end(self) -> bytes:
        """Read until the server closes."""
        return self._reader.read()

    def read_until_cut(self) -> bytes:
        """Read until the server closes or resets; what a reset destroyed on its way is missing."""
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while block := self._reader.read1():
                received += block
        return received

    def ended(self) -> bool:
        """Tell whether the server closes now (waits for that, up to the timeout); False when bytes come instead."""
        try:
            return self._reader.read(1) == b""
        except ConnectionResetError:
            return True

    def _read_chunk_size(self) -> int:
        line = self._reader.readline()
        if not line.endswith(CRLF):
            raise ConnectionEnded(line)
        return int(line.split(b";")[0], 16)

    def _read_fields(self) -> list[tuple[str, str]]:
        fields = []
        while (line := self._reader.readline()) not in (CRLF, b""):
            name, _, value = line.decode("latin-1").partition(":")
            fields.append((name.lower(), value.strip()))
        return fields

    def _read_body(self, answer: Answer, method: str) -> None:
        length = answer.header("content-length")
        if method == "HEAD" or answer.status in (204, 304) or answer.status < HTTPStatus.OK:
            return
        if "chunked" in (answer.header("transfer-encoding") or ""):
            while True:
                size = self._read_chunk_size()
                if size == 0:
                    answer.trailers = self._read_fields()
                    break
                answer.chunks.append(self.read_exactly(size))
                self.read_exactly(2)
            answer.body = b"".join(answer.chunks)
        elif length is not None:
            answer.body = self.read_exactly(int(length))
        else:
            answer.body = self.read_to_end()


def fetch(
    address: str, target: str = "/", method: str = "GET", headers: dict[str, str] | None = None, body: bytes = b""
) -> Answer:
    """Ask once over a connection of its own."""
    with Client(address) as client:
        return client.request(method, target, {"Connection": "close", **(headers or {})}, body)


def timed_fetch(address: str, target: str = "/") -> tuple[Answer, float]:
    """Ask once; return the answer and the seconds from before connecting to after the last byte."""
    started = time.monotonic()
    answer = fetch(address, target)
    return answer, time.monotonic() - started


def exchange(address: str, data: bytes, timeout: float = PATIENT) -> bytes:
    """Send raw bytes, then return everything until the server closes."""
    with Client(address, timeout) as client:
        client.send(data)
        return client.read_to_end()
