"""How far the bytes of a chunked body may be given to llhttp at once: never past the end of the message (reader.py).

The end is a CR LF CR LF, but a body may be full of them: searched for alone, 64 KiB of empty lines became 16,384 pieces
and took 70 ms of everybody's time.  So chunks are stepped over by their sizes, in 6 ms at most, and only from the last
one on, where the trailer fields are, is the end searched for; or from a line that is no size, which llhttp will judge.

Knows:     the grammar of a chunk's first line (RFC 9112 7.1), as far as its size.
Never:     verdicts; keeps no byte of the body.
Runs in:   the leader thread.
"""

from __future__ import annotations

import re

END = b"\r\n\r\n"
_LINE_END = 2  # CR LF
_SIZE = re.compile(rb"([0-9A-Fa-f]+)(?:;[^\r\n]*)?\r\n")
_BEGUN = re.compile(rb"([0-9A-Fa-f]*)(?:(;)[^\r\n]*)?(\r)?")


def find_end(tail: bytes, data: bytes) -> int:
    """Give the index in ``data`` behind the next CR LF CR LF, which may have begun in ``tail``; -1: there is none."""
    if tail:
        at = (tail + data[:3]).find(END)
        if at >= 0:
            return at + len(END) - len(tail)
    at = data.find(END)
    return at + len(END) if at >= 0 else -1


def new_tail(tail: bytes, piece: bytes) -> bytes:
    """Give the last bytes of the stream, as many as an END may have of its beginning."""
    return (tail + piece[-3:])[-3:]


class ChunkSteps:
    """The steps through one body."""

    __slots__ = ("_begun", "_over", "_tail")

    def __init__(self) -> None:
        self._over = 0  # bytes to come before the next chunk's first line
        self._begun = b""  # what has come of that line, without what does not matter: it may come byte by byte
        self._tail: bytes | None = None  # the last bytes; None: the end is not searched for yet

    @property
    def inside(self) -> int:
        """How many bytes to come are surely data of the chunk at hand."""
        return max(self._over - _LINE_END, 0)

    def reach(self, data: bytes) -> int:
        """Say how many of the bytes that come next may be given at once, and suppose that they are; at least one."""
        text, start = data, 0
        if self._tail is None:
            text = self._begun + data
            start = self._step(text)
            if self._tail is None:
                return len(data)
        assert self._tail is not None
        end = find_end(self._tail, text[start:])
        self._tail = new_tail(self._tail, text[start:] if end < 0 else text[start : start + end])
        return len(data) if end < 0 else start + end - (len(text) - len(data))

    def _step(self, text: bytes) -> int:
        """Go from line to line; give the index of the one from which on the end is searched for."""
        at, size_line = self._over, _SIZE.match
        while at < len(text):
            found = size_line(text, at)
            size = int(found[1], 16) if found is not None else 0
            if found is None or not size:
                break
            at = found.end() + size + _LINE_END
        self._over = max(at - len(text), 0)
        if at >= len(text):
            self._begun = b""
        elif (begun := _BEGUN.fullmatch(text, at)) is not None:
            digits, extension, carriage_return = begun.groups(b"")
            self._begun = (digits.lstrip(b"0") or digits[:1]) + extension + carriage_return
        else:
            self._tail = b""
        return at
