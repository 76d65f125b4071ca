"""What an exchange has told its outlet: the order of the parts, and the promise of Content-Length.

Knows:     the head, the stage of the response, how many bytes are still promised.
Never:     calls application code, logs: a broken promise is returned as words.
Runs in:   the thread that steps the exchange, outside of its window.
"""

from __future__ import annotations

import os
from enum import Enum, auto

from hybridd.app.file_wrapper import Region
from hybridd.app.head import with_length
from hybridd.app.outlet import Outlet
from hybridd.http.request import Request
from hybridd.http.response import BODILESS, ResponseHead, check_head

TOO_SHORT = "gave a body that is {} bytes shorter than its Content-Length"


class Stage(Enum):
    """How far the response is."""

    UNSENT = auto()
    OPEN = auto()
    COMPLETE = auto()  # all sent, or cut
    HEAD_ONLY = auto()  # complete too, and no body was wanted


# Names of the module: looking a member up in its class takes 65 ns in Python 3.11, several times per request.
UNSENT, OPEN, COMPLETE, HEAD_ONLY = Stage


class Answer:
    """The outlet's half of an exchange, and its base class: a second object per request would cost 0.2 µs.

    WsgiExchange sets the attributes, for the same reason.
    """

    __slots__ = ("_head", "_left", "_outlet", "_request", "_stage")

    _request: Request
    _outlet: Outlet
    _stage: Stage
    _head: ResponseHead | None  # until something is sent, start_response may replace it
    _left: int | None  # what an open response's Content-Length still promises; None: no length is known

    def _send(self, head: ResponseHead, part: bytes) -> int:
        """Send a part that is not empty; return how many of its bytes lie beyond the Content-Length (not sent)."""
        outlet = self._outlet
        if self._stage is UNSENT:
            if self._is_bodiless(head):
                self._send_head_only(head)
                return 0
            left = head.content_length
            if left is not None and len(part) >= left:
                outlet.whole(head, part[:left])
                self._stage = COMPLETE
                return len(part) - left
            self._start(head, part)
        else:
            if self._stage is not OPEN:
                return len(part) if self._stage is COMPLETE else 0
            left = self._left
            if left is not None and len(part) >= left:
                outlet.send(part[:left])
                self._finish()
                return len(part) - left
            outlet.send(part)
        self._left = None if left is None else left - len(part)
        return 0

    def _send_region(self, head: ResponseHead, region: Region) -> str:
        """Send what is left of a file, as far as Content-Length allows, and end; return what is wrong with it.

        Raises:
            OSError: no descriptor is left for the receiver; nothing was sent.
        """
        unsent = self._stage is UNSENT
        problem = self._check_length(head, region.count)
        if problem:
            return problem
        head = self._head or head  # it may have got a length
        promised = head.content_length if unsent else self._left
        count = region.count if promised is None else min(region.count, promised)
        if not count or self._stage is COMPLETE or (unsent and self._is_bodiless(head)):
            return self._end()
        fd = os.dup(region.fd)  # the application may close its own before the last byte has gone
        if unsent:
            self._start(head, b"")
        self._outlet.send_file(fd, region.offset, count)
        self._left = None if promised is None else promised - count
        return self._end()

    def _end(self) -> str:
        """End a response that the application has given all of; return what is wrong with it (then nothing is done)."""
        if self._stage not in {UNSENT, OPEN}:
            return ""
        head = self._head
        if head is None:
            return "did not call start_response"
        if self._stage is UNSENT and self._is_bodiless(head):
            self._send_head_only(head)
            return ""
        missing = head.content_length if self._stage is UNSENT else self._left
        if missing:
            return TOO_SHORT.format(missing)
        if self._stage is UNSENT:
            self._outlet.whole(head, b"")
            self._stage = COMPLETE
        else:
            self._finish()
        return ""

    def _check_length(self, head: ResponseHead, length: int) -> str:
        """Note the length of a body that is all there; return what is wrong with it (then nothing was sent)."""
        if self._stage is not UNSENT or head.status in BODILESS:
            return ""
        if self._is_bodiless(head):  # HEAD: no body at all may mean that it was left out
            if head.content_length is None and length:
                self._head = with_length(head, length)
        elif head.content_length is None:
            self._head = with_length(head, length)
        elif length < head.content_length:
            return TOO_SHORT.format(head.content_length - length)
        return ""

    def _break_off(self) -> None:
        """Make the best of a failed application: 500 while nothing is sent, else a response that is seen to be cut."""
        if self._stage is UNSENT:
            text = f"500 Internal Server Error\nThe error log says why, under request {self._request.id}.\n"
            head = ResponseHead(500, "Internal Server Error", [("Content-Type", "text/plain; charset=utf-8")])
            check_head(head)
            self._outlet.whole(head, text.encode())
        elif self._stage is OPEN:
            self._outlet.abort()
        self._stage = COMPLETE

    def _start(self, head: ResponseHead, first: bytes) -> None:
        self._outlet.start(head, first)
        self._stage = OPEN

    def _finish(self) -> None:
        self._outlet.finish()
        self._stage = COMPLETE

    def _send_head_only(self, head: ResponseHead) -> None:
        """Answer with a head alone."""
        self._start(head, b"")
        self._finish()
        self._stage = HEAD_ONLY

    def _is_bodiless(self, head: ResponseHead) -> bool:
        """Must there be no body, whatever the application gives?"""
        return self._request.method == "HEAD" or head.status in BODILESS
