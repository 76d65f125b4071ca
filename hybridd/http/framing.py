"""How the body of a streamed answer is cut into bytes on the wire (RFC 9112 6 and 7).

Knows:     the promise of the head: a length, chunks, the end of the connection, or no body at all.
Never:     the transport.
Runs in:   the leader thread.
"""

from __future__ import annotations

from enum import Enum, auto

from hybridd.http.request import Request
from hybridd.http.response import BODILESS, ResponseHead

LAST_CHUNK = b"0\r\n\r\n"


class Framing(Enum):
    """How the client knows where the body ends."""

    NONE = auto()  # there is none
    LENGTH = auto()  # Content-Length
    CHUNKED = auto()  # Transfer-Encoding: chunked
    CLOSE = auto()  # the end of the connection (HTTP/1.0)


class BodyWriter:
    """The body of one streamed answer.

    Attributes:
        framing: chosen by the head and the request.
        missing: bytes that Content-Length still promises; 0 for other framings.
    """

    __slots__ = ("framing", "missing")

    def __init__(self, request: Request, head: ResponseHead) -> None:
        self.missing = 0
        if request.method == "HEAD" or head.status in BODILESS:
            self.framing = Framing.NONE
        elif head.content_length is not None:
            self.framing = Framing.LENGTH
            self.missing = head.content_length
        elif request.version == (1, 1):
            self.framing = Framing.CHUNKED
        else:
            self.framing = Framing.CLOSE

    def admit(self, size: int) -> int:
        """Give how many of ``size`` further bytes belong to the body; they are then counted as sent."""
        if self.framing is Framing.LENGTH:
            size = min(size, self.missing)
            self.missing -= size
        elif self.framing is Framing.NONE:
            size = 0
        return size

    def enclose(self, size: int) -> tuple[bytes, bytes]:
        """Give what goes before and behind ``size`` admitted bytes."""
        return (b"%x\r\n" % size, b"\r\n") if self.framing is Framing.CHUNKED and size else (b"", b"")

    def end(self) -> bytes:
        """Give what ends a body that is complete."""
        return LAST_CHUNK if self.framing is Framing.CHUNKED else b""
