"""One connection of the load client and the one request on it, from the first SYN to how it ended.

    CONNECTING ─┬→ WAITING ─┬→ KEPT ──closed, although it was to stay open──→ BROKEN
                │           ├→ CLOSED        (a whole answer; the server had said that it closes)
                │           └→ BROKEN        (the connection ended before the answer was whole)
                └→ REFUSED

Knows:     sockets; HTTP/1.1 answers, through llhttp.
Never:     waits: whoever has a selector calls ``ready``.
Runs in:   the client process.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
from enum import StrEnum

import httptools

READ_SIZE = 65536
HOST = "127.0.0.1"


class Fate(StrEnum):
    """What has become of a connection; the picture stands at the head of this file."""

    CONNECTING = "connecting"
    WAITING = "waiting"
    KEPT = "kept"
    CLOSED = "closed"
    BROKEN = "broken"
    REFUSED = "refused"


ENDED = frozenset({Fate.CLOSED, Fate.BROKEN, Fate.REFUSED})


def request_bytes(path: str, port: int, *, close: bool = False) -> bytes:
    """Return a GET as bytes."""
    mode = "Connection: close\r\n" if close else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nUser-Agent: hybridd-compare\r\nAccept: */*\r\n{mode}\r\n"
    ).encode("latin-1")


class Answer:
    """Reads one answer after the other; ``complete`` once one is whole, until ``begin``.

    Attributes:
        status, keeps: of the last whole one; whether the server keeps the connection open behind it.
    """

    def __init__(self) -> None:
        self.complete = False
        self.status = 0
        self.keeps = True
        self._beginning = b""  # of an answer that did not come in one piece
        self._parser = httptools.HttpResponseParser(self)

    def on_message_complete(self) -> None:
        """Take note, for llhttp: only now it knows whether the connection stays."""
        self.status = self._parser.get_status_code()
        self.keeps = self._parser.should_keep_alive()
        self.complete = True

    def begin(self) -> None:
        """Expect the next answer."""
        self.complete = False
        self._beginning = b""

    def feed(self, data: bytes) -> bool:
        """Take bytes; tell whether the answer is whole.

        Raises:
            httptools.HttpParserError: they are none of HTTP.
        """
        self._parser.feed_data(data)
        if not self.complete and len(self._beginning) < READ_SIZE:
            self._beginning += data
        return self.complete

    def end(self) -> bool:
        """Take the end of the stream; tell whether it ends an answer that has no other end (RFC 9112, 6.3)."""
        if not self.complete and delimited_by_close(self._beginning):
            self.status = self._parser.get_status_code()
            self.keeps, self.complete = False, True
        return self.complete


def delimited_by_close(beginning: bytes) -> bool:
    """Tell whether an answer has a whole head, and neither length nor chunks."""
    head, end, _ = beginning.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")[1:]
    return bool(end) and not any(line.startswith((b"content-length:", b"transfer-encoding:")) for line in lines)


class Exchange:
    """One connection with one request.

    Attributes:
        began, answered: monotonic seconds; 0.0 until it happens.
        status: of the answer.
    """

    def __init__(self, port: int, request: bytes, now: float) -> None:
        self.fate = Fate.CONNECTING
        self.began = now
        self.answered = 0.0
        self.status = 0
        self._request = request
        self._answer = Answer()
        self.socket = socket.socket()
        self.socket.setblocking(False)
        error = self.socket.connect_ex((HOST, port))
        if error not in (0, errno.EINPROGRESS):
            self.fate = Fate.REFUSED

    def fileno(self) -> int:
        """For selectors."""
        return self.socket.fileno()

    @property
    def events(self) -> int:
        """What to wait for."""
        return selectors.EVENT_WRITE if self.fate is Fate.CONNECTING else selectors.EVENT_READ

    @property
    def seconds(self) -> float | None:
        """From the SYN to the last byte of the answer; None without a whole answer."""
        return self.answered - self.began if self.answered else None

    def ready(self, now: float) -> None:
        """Go on: the socket is ready for what ``events`` said."""
        if self.fate is Fate.CONNECTING:
            self._ask()
        else:
            self._readable(now)

    def close(self) -> None:
        """Close the connection; the fate stays what it is."""
        self.socket.close()

    def _ask(self) -> None:
        if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.fate = Fate.REFUSED
            return
        try:
            self.socket.send(self._request)  # a small request into an empty buffer goes in whole
        except OSError:
            self.fate = Fate.BROKEN
        else:
            self.fate = Fate.WAITING

    def _readable(self, now: float) -> None:
        try:
            data = self.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if self.fate is Fate.KEPT:
            self.fate = Fate.BROKEN  # nothing was asked: it is the end, or nonsense
            return
        try:
            whole = self._answer.feed(data) if data else self._answer.end()
        except httptools.HttpParserError:
            self.fate = Fate.BROKEN
            return
        if whole:
            self.answered, self.status = now, self._answer.status
            self.fate = Fate.KEPT if self._answer.keeps else Fate.CLOSED
        elif not data:
            self.fate = Fate.BROKEN


def pin(cpu: int | None) -> None:
    """Stay on one CPU, if one is given."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
