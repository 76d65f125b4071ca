"""HttpProtocol: one connection's HTTP, between a transport and a service.

The transport's calls come first, then the service's.  What happens between connection and answer:

    bytes → receiving.py → reader.py → Request → service.request_ready … take_request → call_started →
    respond, or start, send…, finish → bytes

Knows:     the state of this connection, its limits and deadlines.
Never:     sockets, threads, clocks, applications.
Runs in:   the leader thread of a worker, or the master's only thread.
See also:  states.py for the table, connection.py for how a connection ends.
"""

from __future__ import annotations

from hybridd.http.answering import TAKEN, Answering
from hybridd.http.connection import Flow, Reading
from hybridd.http.counts import FIRST_BUCKET, bucket_of
from hybridd.http.outcome import CLIENT_CLOSED_REQUEST, CloseReason, Outcome, Rejection
from hybridd.http.reader import RequestReader
from hybridd.http.receiving import Receiving
from hybridd.http.request import Request
from hybridd.http.states import Expiry, State

# Looked up for every request.
_IDLE, _READY, _QUEUED, _CALL = State.IDLE, State.READY, State.QUEUED, State.CALL
_SERVED = Outcome.SERVED
_ENDED = Reading.ENDED

_CALL_GOES_ON = frozenset({CloseReason.HANDLER_TIMEOUT, CloseReason.ABORTED})
"""Ends of a connection behind which the service's Call may still have something to say."""


class HttpProtocol(Receiving, Answering):
    """An asyncio-shaped Protocol that turns bytes into requests for its service and the service's answers into bytes.

    At most one request is taken at a time, and requests are answered in order.  Every method must be called in the
    leader thread; the service's side is a no-op once the connection is lost.
    """

    __slots__ = ()

    # The transport's side; the rest of it is in Receiving.

    def pause_writing(self) -> None:
        """Note that something written stays buffered."""
        if self._flow is Flow.FREE:
            self._flow = Flow.BLOCKED

    def resume_writing(self) -> None:
        """Note that everything written is with the kernel."""
        was, self._flow = self._flow, Flow.FREE
        if self._state is State.FLUSHING:
            request = self.request
            assert request is not None
            self._flushed(request, self._service.clock.now)
        elif was is Flow.BEHIND and self._state is State.RESPONDING:
            if self._timeouts.handler:
                self._transport.set_deadline(self._timeouts.handler)
            self._service.client_caught_up(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; tells the service when a request was taken and not answered."""
        state, request = self._state, self.request
        if state is State.CLOSED:
            return
        self._reason = self._reason_of(exc, busy=bool(state.reading or state.active))
        if exc is not None:
            self._counts.note(self._reason, self._peer[0])
        if state.reading:
            self._lose_reading()
        elif request is not None:
            self._lose_answer(request)
        self._enter(State.CLOSED)
        self._ahead = b""
        self._counts.open -= 1
        self._counts.count_closed(self._reason)
        if state in TAKEN:
            self._service.client_gone(self)
        elif self._reason not in _CALL_GOES_ON:
            del self._transport  # a cycle; a Call that runs needs it still, to close the files that it gives

    def _lose_answer(self, request: Request) -> None:
        """Record a request whose answer the client will not see, or not all of it."""
        state, now = self._state, self._service.clock.now
        request.status = request.status or CLIENT_CLOSED_REQUEST
        if request.outcome is _SERVED:
            request.outcome = Outcome.CLIENT_GONE
        if state is not State.FLUSHING:
            request.answered = now
        if state is _QUEUED:
            request.called = now
        if state is _READY:
            request.body.close()
        self._conclude(request, now)

    def deadline_expired(self) -> None:
        """Do what this state's row in the table says."""
        state = self._state
        expiry = state.expiry
        if expiry is Expiry.CLOSE:
            if self._reason is None:
                self._reason = state.reason
                self._counts.note(state.reason, self._peer[0])
            self._transport.close()
        elif expiry is Expiry.PART:
            self._part()
        elif expiry is Expiry.REFUSE:
            self._refuse_late()
        elif expiry is Expiry.SHED:
            self.refuse(503, Rejection.QUEUE_TIMEOUT)
            self._service.queue_expired(self)
        elif expiry is Expiry.GIVE_UP and self._timeouts.handler and self._flow is not Flow.BEHIND:
            if state is State.RESPONDING:
                self._cut_answer(Outcome.DEADLINE, state.reason)
            else:
                self.refuse(504, Rejection.HANDLER_TIMEOUT)
            self._service.handler_expired(self)

    # From the reader to the service.

    def _announce(self, request: Request, rest: bytes, now: float) -> None:
        counts = self._counts
        if self._state.reading:
            counts.reading -= 1
        counts.active += 1
        request.ready = request.called = now
        peer = self._peer
        request.peer, request.peer_port = peer[0], peer[1]
        self.request = request
        self._ahead = rest
        self._state = _READY
        self._service.request_ready(self)

    def _tell_behind(self) -> None:
        self._service.client_behind(self)

    def _store(self, reader: RequestReader, chunks: list[bytes]) -> None:
        request = reader.request
        assert request is not None
        self._service.spool_body(self, request.body, chunks)

    # The service's side.

    def take_request(self) -> Request | None:
        """Give the request announced by ``request_ready``; None when its connection is gone meanwhile.

        Its body is the taker's to close, when the Call is over.
        """
        request = self.request
        if self._state is not _READY or request is None:
            return None
        self._state = _CALL
        return request

    def call_queued(self) -> None:
        """Say that the request has to wait for a thread: ``timeouts.queue`` begins."""
        if self._state is _READY or self._state is _CALL:
            self._enter(_QUEUED)

    def call_started(self) -> None:
        """Say that the request's Call begins to run: the queue wait ends, ``timeouts.handler`` begins."""
        request, state = self.request, self._state
        if request is None or (state is not _READY and state is not _CALL and state is not _QUEUED):
            return
        self._state = _CALL
        request.called = now = self._service.clock.now
        waited, wait = now - request.ready, self._counts.queue_wait
        wait.seconds += waited
        wait.counts[0 if waited <= FIRST_BUCKET else bucket_of(waited)] += 1
        handler = self._timeouts.handler
        if handler or state is _QUEUED:
            self._transport.set_deadline(handler or None)

    def drain(self, idle_grace: float) -> None:
        """Close politely: a busy connection after its answer, a silent one after ``idle_grace`` s, write side first."""
        self._grace = idle_grace
        if self._is_between_requests():
            self._enter(State.PARTING)
            self._transport.set_deadline(idle_grace)

    def shut(self) -> None:
        """Close at once; open answers are cut."""
        if self._state in TAKEN:
            self.abort_response()
        elif self._state is not State.CLOSED:
            self._reason = CloseReason.ABORTED
            self._transport.abort()

    def _flushed(self, request: Request, now: float) -> None:
        """The answer is with the kernel: end, or go on with the next request."""
        self._conclude(request, now)
        if self._reason is not None:
            # A client that had not asked for the end may be sending another request (RFC 9112 9.6).
            self._hang_up(linger=request.keep_alive or bool(self._ahead))
            return
        self._counts.active -= 1
        self._state = _IDLE
        self._transport.set_deadline(self._timeouts.keep_alive)
        if self._grace is not None:
            self._enter(State.PARTING)
            self._transport.set_deadline(self._grace)
        if self._ahead:
            self._read_ahead()
        elif self._reading is _ENDED:
            self._transport.close()
