"""The head of an answer: checked and encoded once.

Knows:     RFC 9110 and 9112's rules for what a response head may hold.
Never:     the connection's state, the framing of bodies (framing.py).
Runs in:   check_head in whichever thread runs the Call (a bad header is the application's error, with its traceback);
           Stamp in every thread that runs a loop.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto

SERVER = "hybridd"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_FORBIDDEN = re.compile(r"[\r\n\0]")
_MOST_REMEMBERED = 1024  # header names and status lines; an application that invents them must not make us grow
_NO_CONTENT = 204
BODILESS = frozenset({204, 304})  # and every answer to HEAD; RFC 9110 6.4.1
LEAST_STATUS, MOST_STATUS = 200, 599  # informational ones are the protocol's own business


class _Kind(Enum):
    """What a header name means to us."""

    PLAIN = auto()
    CONTENT_LENGTH = auto()
    CONNECTION = auto()
    TRANSFER_ENCODING = auto()
    DATE = auto()
    SERVER = auto()


_SPECIAL = {
    "content-length": _Kind.CONTENT_LENGTH,
    "connection": _Kind.CONNECTION,
    "transfer-encoding": _Kind.TRANSFER_ENCODING,
    "date": _Kind.DATE,
    "server": _Kind.SERVER,
}
_PLAIN = _Kind.PLAIN
_kinds: dict[str, _Kind] = {}
_status_lines: dict[tuple[int, str], str] = {}


class ResponseHead:
    """Status line and header fields of one answer.

    Attributes:
        status: 200…599.
        reason: reason phrase, may be empty.
        headers: (name, value) pairs, latin-1 text, in order.  ``Content-Length`` frames the body; without it the
            protocol chooses chunked, close-delimited or the length it knows.  ``Connection: close`` is honoured;
            other values of Connection, and Transfer-Encoding, are the protocol's business and left out.  Date and
            Server are added when absent.
        encoded: status line and header lines, made by :func:`check_head`; None before that.
        content_length: what Content-Length says, when there is one.
        length_as_sent: how long a body must be that goes with these very headers on a connection that goes on; -1:
            none can.
        close: the application wants the connection closed behind this answer.
        dated, served: it has its own Date, its own Server.
        finished: all bytes of the head with its date, and until when they hold (transport time); the protocol's.
    """

    __slots__ = (
        "close",
        "content_length",
        "dated",
        "encoded",
        "finished",
        "headers",
        "length_as_sent",
        "reason",
        "served",
        "status",
    )

    def __init__(self, status: int, reason: str, headers: Sequence[tuple[str, str]]) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.encoded: bytes | None = None
        self.content_length: int | None = None
        self.length_as_sent = -1
        self.close = False
        self.dated = False
        self.served = False
        self.finished = 0.0, b""

    def __repr__(self) -> str:
        return f"<ResponseHead {self.status} {self.reason}>"


def check_head(head: ResponseHead) -> None:
    """Check that ``head`` can be sent, and prepare it; any thread, idempotent.

    Raises:
        ValueError: status out of range; CR, LF or NUL in reason, name or value; text that is not latin-1; a name
            that is no token; a Content-Length that is no number, or the second one.  The sentence names the header.
    """
    if head.encoded is not None:
        return
    status = head.status, head.reason
    lines = [_status_lines.get(status) or _learn_status(*status)]
    for name, value in head.headers:
        kind = _kinds.get(name) or _learn_kind(name)
        if kind is _PLAIN or _understand(head, kind, name, value):
            lines.append(f"{name}: {value}\r\n")
    text = "".join(lines)
    # Joined once and looked at once: every line has the one CR and the one LF that are ours.
    if text.count("\r") != len(lines) or text.count("\n") != len(lines) or "\0" in text:
        raise ValueError(_name_forbidden(head.headers))
    if head.content_length is not None and not head.close and head.status not in BODILESS:
        head.length_as_sent = head.content_length
    try:
        head.encoded = text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise ValueError(_name_unencodable(head.headers, error)) from None


class Stamp:
    """The Server and Date lines; encoded when the date changes."""

    __slots__ = ("_both", "_date", "_text")

    def __init__(self) -> None:
        self._text = ""
        self._date = self._both = b""

    def lines(self, head: ResponseHead, date: str) -> bytes:
        """Give those of the two lines that ``head`` does not have itself; ``date`` is an IMF-fixdate."""
        if date != self._text:
            self._date = f"Date: {date}\r\n".encode("latin-1")
            self._both = f"Server: {SERVER}\r\n".encode("latin-1") + self._date
            self._text = date  # last: another thread's loop may be looking
        if not head.dated and not head.served:
            return self._both
        if head.dated:
            return b"" if head.served else f"Server: {SERVER}\r\n".encode("latin-1")
        return self._date


def _understand(head: ResponseHead, kind: _Kind, name: str, value: str) -> bool:
    """Take in a header that means something to us; tell whether it is sent as it is."""
    if kind is _Kind.CONTENT_LENGTH:
        if not (value.isascii() and value.isdigit()):
            raise ValueError(f"response header {name!r} is no number of bytes: {value!r}")
        if head.content_length is not None:
            raise ValueError(f"response header {name!r} is there twice")
        head.content_length = int(value)
        return head.status != _NO_CONTENT  # RFC 9110 8.6
    if kind is _Kind.DATE:
        head.dated = True
    elif kind is _Kind.SERVER:
        head.served = True
    elif kind is _Kind.CONNECTION:
        head.close = head.close or "close" in value.lower().replace(" ", "").split(",")
    return kind is _Kind.DATE or kind is _Kind.SERVER


def _learn_kind(name: str) -> _Kind:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"the name of response header {name!r} is not a token (RFC 9110 5.6.2)")
    if len(_kinds) >= _MOST_REMEMBERED:
        _kinds.clear()
    kind = _kinds[name] = _SPECIAL.get(name.lower(), _PLAIN)
    return kind


def _learn_status(status: int, reason: str) -> str:
    if not LEAST_STATUS <= status <= MOST_STATUS:
        raise ValueError(f"status {status} is not between {LEAST_STATUS} and {MOST_STATUS}")
    if _FORBIDDEN.search(reason):
        raise ValueError(f"the reason phrase has CR, LF or NUL in it: {reason!r}")
    try:
        reason.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the reason phrase is not latin-1: {reason!r}") from None
    if len(_status_lines) >= _MOST_REMEMBERED:
        _status_lines.clear()
    line = _status_lines[status, reason] = f"HTTP/1.1 {status} {reason}\r\n"
    return line


def _name_forbidden(headers: Sequence[tuple[str, str]]) -> str:
    for name, value in headers:
        if _FORBIDDEN.search(str(value)):
            return f"response header {name!r} has CR, LF or NUL in its value: {value!r}"
    return "a response header has CR, LF or NUL in it"


def _name_unencodable(headers: Sequence[tuple[str, str]], error: UnicodeEncodeError) -> str:
    for name, value in headers:
        try:
            str(value).encode("latin-1")
        except UnicodeEncodeError:
            return f"response header {name!r} is not latin-1: {value!r}"
    return f"a response header is not latin-1: {error}"
