"""The answering half of an HTTP connection: from the service's answers to bytes.

Knows:     how an answer is framed, and whether the connection goes on behind it.
Never:     what the request was for; input.
Runs in:   the leader thread.
"""

from __future__ import annotations

from abc import abstractmethod

from hybridd.http.connection import CLOSE_LINE, Connection, Flow, Reading
from hybridd.http.framing import BodyWriter, Framing
from hybridd.http.head import V11
from hybridd.http.outcome import CloseReason, Outcome, Rejection
from hybridd.http.refusal import refusal
from hybridd.http.request import Request
from hybridd.http.response import BODILESS, ResponseHead, check_head
from hybridd.http.states import State

_LARGE = 65536
"""Bytes: a larger body is not copied behind its head, for as many copies as there are slow readers would lie in memory;
the application's own object, which may be the same for all, can wait as well."""

_KEEP_ALIVE_LINE = b"Connection: keep-alive\r\n"  # HTTP/1.0 has to be told
_CHUNKED_LINE = b"Transfer-Encoding: chunked\r\n"

TAKEN = frozenset({State.QUEUED, State.CALL, State.RESPONDING})
"""The service has a request of this connection and has not given all of the answer."""

_UNANSWERED = frozenset({State.READY, State.QUEUED, State.CALL})

# Looked up for every request.
_QUEUED, _CALL = State.QUEUED, State.CALL
_FREE = Flow.FREE
_ENDED = Reading.ENDED


class Answering(Connection):
    """What the service calls to answer the request it has taken."""

    __slots__ = ()

    @abstractmethod
    def _flushed(self, request: Request, now: float) -> None:
        """The answer is with the kernel: end, or go on with the next request."""

    @abstractmethod
    def _tell_behind(self) -> None:
        """More of the answer waits for the client than it should."""

    def respond(self, head: ResponseHead, body: bytes) -> None:
        """Answer wholly, with one ``transport.write``, or two for a large body.

        Content-Length is added when absent.  For HEAD, 204 and 304 ``body`` is not sent (HEAD: its length is).

        Raises:
            ValueError: from check_head, or ``body`` is longer than the head's Content-Length; nothing was written.  A
                shorter one is an answer that cannot be completed: sent, then cut.
        """
        request, state = self.request, self._state
        if request is None or (state is not _CALL and state is not _QUEUED):
            return
        if head.encoded is None:
            check_head(head)
        service, transport = self._service, self._transport
        now, size = service.clock.now, len(body)
        if (  # the usual case: there is nothing to decide about this answer, and the connection goes on behind it
            head.length_as_sent == size <= _LARGE
            and request.keep_alive
            and request.version is V11
            and request.method != "HEAD"
            and self._reason is None
            and self._reading is not _ENDED
            and not service.draining
            and self._timeouts.keep_alive
        ):
            until, finished = head.finished
            transport.write((finished if now < until else self._finish_head(head)) + body)
        else:
            size = self._respond_specially(request, head, body)
        request.status = head.status
        request.body_bytes = size
        request.answered = now
        if self._flow is _FREE and not transport.is_closing():
            self._flushed(request, now)
        else:
            self._enter(State.FLUSHING)

    def _respond_specially(self, request: Request, head: ResponseHead, body: bytes) -> int:
        """Write an answer with the lines that it needs; give the size of what was sent as its body."""
        length, size = head.content_length, len(body)
        if length is not None and length < size:
            raise ValueError(f"the body has {size} bytes, but its Content-Length says {length}")
        lines = self._connection_lines(request, head)
        if request.method == "HEAD" or head.status in BODILESS:
            if length is None and body and head.status not in BODILESS:
                lines += b"Content-Length: %d\r\n" % size
            body, size = b"", 0
        elif length is None:
            lines += b"Content-Length: %d\r\n" % size
        elif length != size:
            request.outcome, self._reason = Outcome.FAILED, CloseReason.ABORTED
        if size > _LARGE:
            self._write_answer(head, lines, b"")
            self._transport.write(body)
        else:
            self._write_answer(head, lines, body)
        return size

    def start(self, head: ResponseHead, first: bytes = b"") -> None:
        """Send the head of a streamed answer, and its first part.

        Raises:
            ValueError: from check_head; nothing was written.
        """
        request, state = self.request, self._state
        if request is None or (state is not _CALL and state is not _QUEUED):
            return
        check_head(head)
        writer = BodyWriter(request, head)
        if writer.framing is Framing.CLOSE:
            self._reason = CloseReason.DONE
        lines = self._connection_lines(request, head)
        if writer.framing is Framing.CHUNKED:
            lines += _CHUNKED_LINE
        first = first[: writer.admit(len(first))]
        before, behind = writer.enclose(len(first))
        self._writer = writer
        self._enter(State.RESPONDING)
        request.status = head.status
        request.body_bytes = len(first)
        self._write_answer(head, lines, before + first + behind)
        self._notice_behind()

    def send(self, data: bytes) -> None:
        """Send a part; what goes beyond Content-Length is cut off (nothing is sent for HEAD, 204, 304)."""
        request, writer = self.request, self._writer
        if self._state is not State.RESPONDING or request is None or writer is None:
            return
        data = data[: writer.admit(len(data))]
        if data:
            before, behind = writer.enclose(len(data))
            request.body_bytes += len(data)
            self._transport.write(before + data + behind if before else data)
            self._notice_behind()

    def send_file(self, fd: int, offset: int, count: int) -> None:
        """Send a part that is ``count`` bytes of a file, in order with the others; owns ``fd`` from now on."""
        request, writer, transport = self.request, self._writer, self._transport
        if self._state is not State.RESPONDING or request is None or writer is None:
            transport.sendfile(fd, offset, 0)  # closes it
            return
        count = writer.admit(count)
        before, behind = writer.enclose(count)
        request.body_bytes += count
        if before:
            transport.write(before)
        transport.sendfile(fd, offset, count)
        if behind:
            transport.write(behind)
        self._notice_behind()

    def finish(self) -> None:
        """End a streamed answer; when bytes promised by Content-Length are missing, like ``abort_response``."""
        request, writer = self.request, self._writer
        if self._state is not State.RESPONDING or request is None or writer is None:
            return
        if writer.missing:
            self.abort_response()
            return
        end = writer.end()
        if end:
            self._transport.write(end)
        self._answered(request)

    def abort_response(self) -> None:
        """Cut the connection so that the client notices that the answer is not whole."""
        if self._state in TAKEN:
            self._cut_answer(Outcome.FAILED, CloseReason.ABORTED)

    def refuse(self, status: int, rejection: Rejection) -> None:
        """Answer the request at hand with a refusal of the server (503 with Retry-After, 504, …), then close."""
        request, state = self.request, self._state
        if request is None or state not in _UNANSWERED:
            return
        if state is _QUEUED:
            request.called = self._service.clock.now
        self._refuse(request, refusal(status, rejection))
        self._hang_up(linger=bool(self._ahead))

    def _connection_lines(self, request: Request, head: ResponseHead) -> bytes:
        """Decide whether the connection goes on behind this answer, and say so."""
        if self._reason is None:
            if self._service.draining:
                self._reason = CloseReason.DRAIN
            elif (
                head.close
                or not request.keep_alive
                or not self._timeouts.keep_alive
                or (self._reading is _ENDED and not self._ahead)
            ):
                self._reason = CloseReason.DONE
            else:
                return b"" if request.version == (1, 1) else _KEEP_ALIVE_LINE
        return CLOSE_LINE

    def _notice_behind(self) -> None:
        if self._flow is Flow.BLOCKED and self._transport.get_write_buffer_size() > self._limits.response_memory:
            self._flow = Flow.BEHIND
            self._tell_behind()

    def _cut_answer(self, outcome: Outcome, reason: CloseReason) -> None:
        request = self.request
        assert request is not None
        request.answered = now = self._service.clock.now
        request.outcome = outcome
        request.status = request.status or 500
        self._conclude(request, now)
        self._cut(reason)

    def _answered(self, request: Request) -> None:
        """All parts are given; wait until the kernel has them."""
        request.answered = now = self._service.clock.now
        if self._flow is _FREE and not self._transport.is_closing():
            self._flushed(request, now)
        else:
            self._enter(State.FLUSHING)
