"""The receiving half of an HTTP connection: from bytes to a complete request.

Knows:     the reader, the limits on what arrives, when a body goes to a file.
Never:     what a request is for; files themselves.
Runs in:   the leader thread, inside the transport's callbacks.
"""

from __future__ import annotations

import errno
import re
from abc import abstractmethod

from hybridd.errors import HttpError, SpoolFullError
from hybridd.http.body_reader import BodyReader
from hybridd.http.connection import Connection, Reading
from hybridd.http.head import bad_line
from hybridd.http.known_heads import recall
from hybridd.http.outcome import CLIENT_CLOSED_REQUEST, CloseReason, Outcome, Rejection
from hybridd.http.reader import RequestReader
from hybridd.http.refusal import refusal
from hybridd.http.request import Request
from hybridd.http.states import Input, State
from hybridd.http.wire import Transport

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_IN_USE = 1.0
"""Seconds that a connection is left alone on which something was asked: several round trips round the world."""
_LAST_OF_CRLF = 0x0D  # nothing that a request line may begin with is so low
_EMPTY_LINES = re.compile(rb"(?:\r\n)*").match
_CR = b"\r"
_HALVES = (_CR, b"\n")

_PARSE, _KEEP, _EMPTY_LINE = Input.PARSE, Input.KEEP, Input.EMPTY_LINE
_WANTS_MORE = frozenset({_PARSE, _EMPTY_LINE})
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Receiving(Connection):
    """What the transport calls when something arrives."""

    __slots__ = ()

    @abstractmethod
    def _announce(self, request: Request, rest: bytes, now: float) -> None:
        """Tell the service that a request is complete; ``rest`` lies behind it."""

    @abstractmethod
    def _store(self, reader: RequestReader, chunks: list[bytes]) -> None:
        """Give parts of a body to the service, to put them into a file."""

    def connection_made(self, transport: Transport) -> None:
        """Begin: the first head is due within ``timeouts.head`` from now."""
        self._transport = transport
        peername = transport.get_extra_info("peername")
        if isinstance(peername, tuple):
            self._peer = peername
        self._counts.open += 1
        transport.set_write_buffer_limits(high=0)  # we want to hear when everything is sent
        transport.set_deadline(self._timeouts.head)

    def eof_received(self) -> bool:
        """Note the client's FIN; True keeps the write side open for the answers that are due."""
        self._reading = Reading.ENDED
        return self._state.input is _KEEP

    def _set_aside(self, data: bytes) -> None:
        """Keep what comes while a request is at hand; read on, so that the client's going is noticed, within bounds."""
        self._ahead += data
        if len(self._ahead) > self._limits.request_line + self._limits.header_bytes:
            self._pause_reading()

    def data_received(self, data: bytes) -> None:
        """Take bytes; may announce a request or answer a refusal, never starts a Call."""
        taken = self._state.input
        if taken is not _PARSE:
            if taken is _KEEP:
                self._set_aside(data)
            if taken is not _EMPTY_LINE:
                return
            self._rest()
            data = _CR + data
        reader = self._reader
        now = self._service.clock.now
        if reader is None:
            request = recall(data, self._limits)
            if request is not None:
                request.started = now
                self._announce(request, b"", now)
                return
            if data[0] <= _LAST_OF_CRLF:
                data = self._skip_empty_lines(data)
                if not data:
                    return
            reader = RequestReader.take(self._limits)
            reader.started = now
        self._feed(reader, data, now)

    def _feed(self, reader: RequestReader, data: bytes, now: float) -> None:
        """Parse what has come."""
        try:
            rest = reader.feed(data)
        except HttpError as error:
            self._reader = reader
            self._refuse_reading(error)
            return
        body, request = reader.body, reader.request
        if request is not None and request.scheme == "https" and self._transport.get_extra_info("ssl_object") is None:
            # RFC 9110 7.4: what is for those whom a certificate has convinced is for nobody else.
            self._reader = reader
            self._refuse_reading(refusal(421, Rejection.MISDIRECTED))
            return
        if body is None and reader.complete:
            self._announce_read(reader, rest, now)
            return
        self._reader = reader
        if body is None:
            if self._state is not State.HEAD:
                self._enter(State.HEAD)
        else:
            self._read_body(reader, body, rest)

    def _skip_empty_lines(self, data: bytes) -> bytes:
        """Leave out empty lines before a request (RFC 9112 2.2: some clients end a body with one)."""
        empty = _EMPTY_LINES(data)
        assert empty is not None  # none of them are some, too
        data = data[empty.end() :]
        if not data.startswith(_HALVES):
            return data
        if data == _CR:
            self._before_line = self._state
            self._enter(State.EMPTY_LINE)
        else:  # llhttp would leave them out, any number of them
            self._reader = reader = RequestReader.take(self._limits)
            reader.started = self._service.clock.now
            self._refuse_reading(bad_line())
        return b""

    def _rest(self) -> None:
        """Go back between two requests; the deadline stays what it is."""
        self._state = State.PARTING if self._grace is not None else self._before_line

    def _announce_read(self, reader: RequestReader, rest: bytes, now: float) -> None:
        request = reader.request
        assert request is not None
        self._reader = None
        reader.give_back()
        self._announce(request, rest, now)

    def _read_body(self, reader: RequestReader, body: BodyReader, rest: bytes) -> None:
        """Go on after a piece of body: the deadline, the file, the announcement."""
        timeouts, limits = self._timeouts, self._limits
        begun = self._state is State.BODY
        if body.pending > limits.body_memory or (body.complete and body.spooled and body.pending):
            self._ahead = rest
            self._pause_reading()
            self._enter(State.SPOOLING)
            self._store(reader, body.take_chunks())
        elif body.complete:
            self._announce_read(reader, rest, self._service.clock.now)
        elif not begun:
            self._enter(State.BODY)
            body.progress = 0
            assert reader.request is not None
            if reader.request.expects_continue and not body.body.length:
                self._transport.write(_CONTINUE)
        elif body.progress >= limits.body_rate * timeouts.body:
            body.progress = 0
            self._transport.set_deadline(timeouts.body)

    def body_spooled(self, error: OSError | None) -> None:
        """Say that the chunks given to ``service.spool_body`` are stored, or why not (answered 503, 507 or 500)."""
        reader = self._reader
        if self._state is not State.SPOOLING or reader is None or reader.body is None:
            if reader is not None:  # the client has gone meanwhile
                self._drop_reader()
            return
        if isinstance(error, SpoolFullError):
            self._refuse_reading(refusal(503, Rejection.SPOOL_FULL))
            return
        if error is not None:
            status = 507 if error.errno in _DISK_FULL else 500
            self._refuse_reading(HttpError(status, "", "The request's body cannot be stored."))
            return
        rest, self._ahead = self._ahead, b""
        self._resume_reading()
        body = reader.body
        if body.complete:
            self._announce_read(reader, rest, self._service.clock.now)
            return
        self._enter(State.BODY)
        body.progress = 0
        if rest:
            self.data_received(rest)
        self._close_if_no_more()

    def _read_ahead(self) -> None:
        """Begin with what the client has sent ahead."""
        rest, self._ahead = self._ahead, b""
        self._resume_reading()
        self.data_received(rest)
        self._close_if_no_more()

    def _close_if_no_more(self) -> None:
        """Close behind a FIN when more input would be needed."""
        if self._reading is Reading.ENDED and self._state.input in _WANTS_MORE:
            self._transport.close()

    def _refuse_reading(self, error: HttpError) -> None:
        """Refuse the request that is being read."""
        reader = self._reader
        assert reader is not None
        self._refuse(self._describe(reader), error)
        self._drop_reader()
        self._hang_up(linger=True)

    def _refuse_late(self) -> None:
        """Refuse a head or body that did not come in time."""
        late = Rejection.HEAD_TIMEOUT if self._state is State.HEAD else Rejection.BODY_TIMEOUT
        self._refuse_reading(refusal(408, late))

    def may_give_way(self, left: float, undisturbed: float) -> bool:
        """Whether nothing is asked of us; ``left``: seconds to this state's deadline.  Any thread may ask.

        Who is in its state for less than ``undisturbed`` seconds is left alone: its request may be on its way.  Who
        has asked for something before has more time: its next request needs a round trip.
        """
        state = self._state
        if state is State.EMPTY_LINE:
            state = self._before_line
        if state is not State.CONNECTED and undisturbed < _IN_USE:
            undisturbed = _IN_USE
        return state.gives_way and getattr(self._timeouts, state.timeout) - left >= undisturbed

    def give_way(self, left: float, undisturbed: float, reason: str) -> bool:
        """End for ``reason``, if we may give way: whether we do."""
        if not self.may_give_way(left, undisturbed):
            return False
        if self._reader is not None:
            self._refuse(self._describe(self._reader), refusal(408, Rejection.HEAD_TIMEOUT))
            self._drop_reader()
        self._reason = CloseReason(reason)
        self._counts.note(reason, self._peer[0])
        self._hang_up(linger=False)
        return True

    def _describe(self, reader: RequestReader) -> Request:
        """Give the request as far as it was read."""
        request = reader.describe()
        request.peer, request.peer_port = self._peer[:2]
        request.ready = request.called = request.answered = self._service.clock.now
        return request

    def _lose_reading(self) -> None:
        """Record a request that the client has not sent to its end."""
        reader = self._reader
        assert reader is not None  # the state says so
        request = self._describe(reader)
        request.status, request.outcome = CLIENT_CLOSED_REQUEST, Outcome.CLIENT_GONE
        if self._reason is CloseReason.ABORTED:
            request.outcome = Outcome.FAILED
        self._conclude(request, request.ready)
        if self._state is not State.SPOOLING:  # else the file is being written: body_spooled drops it
            self._drop_reader()

    def _drop_reader(self) -> None:
        """Forget a request that will not be answered, or is."""
        reader, self._reader = self._reader, None
        if reader is not None:
            if reader.request is not None:
                reader.request.body.close()
            reader.give_back()
