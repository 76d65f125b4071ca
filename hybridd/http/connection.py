"""What all parts of an HTTP connection share: its state, what it counts and records, and how it ends.

Every attribute of a connection is declared here, and an idle one owns nothing but this object: reader, request, writer
and kept bytes are there only while there is a request.

Knows:     the table of states, the transport, outcomes.
Never:     parsing (receiving.py), answering (answering.py).
Runs in:   the leader thread.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from hybridd.config.settings import Limits, Timeouts
from hybridd.errors import HttpError
from hybridd.http.counts import HttpCounts
from hybridd.http.framing import BodyWriter
from hybridd.http.outcome import CloseReason, Outcome, Rejection
from hybridd.http.reader import RequestReader
from hybridd.http.refusal import MEANINGS, answer_to
from hybridd.http.request import Request
from hybridd.http.response import ResponseHead, Stamp
from hybridd.http.states import State
from hybridd.http.wire import Service, Transport

CLOSE_LINE = b"Connection: close\r\n"

_PARTING_LINGER = 0.3
"""Seconds: no answer is on its way to an idle client, and a request that crosses our FIN comes within a round trip."""
NO_PEER = ("", 0)  # a unix socket's

_BETWEEN_REQUESTS = frozenset({State.CONNECTED, State.IDLE, State.EMPTY_LINE, State.PARTING})

_stamp = Stamp()


class Reading(Enum):
    """The client's side of the connection."""

    ON = auto()
    PAUSED = auto()  # by us: more lies here than we want
    ENDED = auto()  # by FIN


class Flow(Enum):
    """Our side."""

    FREE = auto()  # everything written is with the kernel
    BLOCKED = auto()  # something waits
    BEHIND = auto()  # more waits than limits.response_memory, and the service was told


class Connection:
    """The base of HttpProtocol."""

    __slots__ = (
        "_ahead",  # bytes behind the request at hand, unparsed
        "_before_line",  # the state in which half an empty line came
        "_counts",
        "_flow",
        "_grace",  # seconds that drain() gave idle connections; None: not draining
        "_limits",
        "_peer",  # address and port, and what else the transport's peername has
        "_reader",  # of a request that has begun and is not complete
        "_reading",
        "_reason",  # why the connection is ending; None: it is not, as far as we know
        "_service",
        "_state",
        "_timeouts",
        "_transport",
        "_writer",  # of an answer in parts
        "call",  # what the service makes of the request it has taken; the service's own
        "request",  # the one that is complete and not yet answered
    )

    def __init__(self, service: Service, limits: Limits, timeouts: Timeouts, counts: HttpCounts) -> None:
        self._service = service
        self._limits = limits
        self._timeouts = timeouts
        self._counts = counts
        self._transport: Transport
        self._state = State.CONNECTED
        self._reading = Reading.ON
        self._flow = Flow.FREE
        self._peer: tuple[Any, ...] = NO_PEER
        self._ahead = b""
        self._before_line = self._state
        self._reader: RequestReader | None = None
        self._writer: BodyWriter | None = None
        self._reason: CloseReason | None = None
        self._grace: float | None = None
        self.call: Any = None
        self.request: Request | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._peer[0]} {self._state.name}>"

    @property
    def state(self) -> State:
        """Where this connection is."""
        return self._state

    def _enter(self, state: State) -> None:
        """Change state: gauges and deadline follow the table."""
        old = self._state
        self._state = state
        counts = self._counts
        counts.reading += state.reading - old.reading
        counts.active += state.active - old.active
        if state.timeout and state.timeout != old.timeout:
            self._transport.set_deadline(getattr(self._timeouts, state.timeout) or None)

    def _resume_reading(self) -> None:
        if self._reading is Reading.PAUSED:
            self._reading = Reading.ON
            self._transport.resume_reading()

    def _pause_reading(self) -> None:
        if self._reading is Reading.ON:
            self._reading = Reading.PAUSED
            self._transport.pause_reading()

    # Answers of our own.

    def _write_answer(self, head: ResponseHead, lines: bytes, body: bytes) -> None:
        """Write a checked head with the lines that the protocol adds, and what comes behind it."""
        assert head.encoded is not None
        date, _ = self._service.http_date()
        self._transport.write(b"".join((head.encoded, lines, _stamp.lines(head, date), b"\r\n", body)))

    def _finish_head(self, head: ResponseHead) -> bytes:
        """Give all bytes of a checked head to which the protocol adds no more than the date; they hold for a second.

        An application's usual heads are remembered (app/head.py), so this is not done for every answer.
        """
        assert head.encoded is not None
        date, until = self._service.http_date()
        head.finished = until, b"".join((head.encoded, _stamp.lines(head, date), b"\r\n"))
        return head.finished[1]

    def _refuse(self, request: Request, error: HttpError) -> None:
        """Answer a request with a refusal, record it, and end the connection behind the answer."""
        head, body = answer_to(error)
        if request.method == "HEAD":
            body = b""
        self._write_answer(head, CLOSE_LINE, body)
        request.answered = now = self._service.clock.now
        request.body_bytes = len(body)
        if error.reason in MEANINGS:
            rejection = Rejection(error.reason)
            request.rejection = rejection
            request.outcome, self._reason, _ = MEANINGS[rejection]
            self._counts.count_rejected(rejection)
            self._counts.note(rejection, self._peer[0])
        else:
            request.outcome, self._reason = Outcome.FAILED, CloseReason.ERROR
        request.status = error.status
        self._conclude(request, now)

    def _conclude(self, request: Request, now: float) -> None:
        """Count and record a request that is over."""
        request.finished = now
        self._counts.count_request(request.method, request.status, now - request.started)
        self.request = self._writer = None
        self._service.record(request)

    # The end.

    def _hang_up(self, *, linger: bool) -> None:
        """Close behind the last answer.

        When bytes lie unread in our socket, the kernel answers close() with a reset, which destroys what the client has
        not read yet (RFC 9112 9.6).  So, if there may be any: our FIN first, then read until the client's.
        """
        self._enter(State.LINGER)
        self._ahead = b""
        if linger and self._reading is not Reading.ENDED and self._timeouts.linger:
            self._transport.write_eof()
            self._resume_reading()
        else:
            self._transport.close()

    def _part(self) -> None:
        """End an idle connection, write side first: a request that is on its way is not answered with a reset."""
        self._reason = CloseReason.DRAIN
        self._hang_up(linger=True)
        if self._timeouts.linger > _PARTING_LINGER:
            self._transport.set_deadline(_PARTING_LINGER)

    def _cut(self, reason: CloseReason) -> None:
        """End it at once; the client must not take what it has for the whole."""
        self._reason = reason
        if self._state is not State.LINGER:
            self._enter(State.LINGER)
        self._transport.abort()

    def _reason_of(self, exc: Exception | None, *, busy: bool) -> CloseReason:
        """Say why a connection is lost."""
        if self._reason is not None:
            return self._reason
        if exc is None:
            return CloseReason.RESET if busy else CloseReason.CLIENT
        if isinstance(exc, TimeoutError) and exc.errno is None:  # the transport's own; ETIMEDOUT is the network's
            return CloseReason.WRITE_TIMEOUT
        return CloseReason.RESET if isinstance(exc, ConnectionError | TimeoutError) else CloseReason.ERROR

    def _is_between_requests(self) -> bool:
        return self._state in _BETWEEN_REQUESTS
