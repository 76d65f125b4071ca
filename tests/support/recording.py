"""A transport and a service that only write down what happens, for tests of the HTTP protocol without sockets and time.

``RecordingTransport`` is a connection whose client, kernel and clock are in the test's hands; ``RecordingService``
answers what comes with a function.  Both keep the promises of ``hybridd.http.wire``.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from hybridd.config.settings import Limits, Timeouts
from hybridd.http.body import Body
from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CLOSE_REASONS, REJECTIONS
from hybridd.http.protocol import HttpProtocol
from hybridd.http.request import Request
from hybridd.http.response import ResponseHead
from hybridd.http.wire import Clock
from tests.support.http_cases import Response, parse_responses

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"


class RecordingTransport:
    """One connection.

    Attributes:
        now: the time of this turn, in seconds; set it, or call :meth:`advance`.
        room: bytes that the client's window still takes; None: any amount.
        client: bytes that have reached the client.
        writes: how often something was written.
        deadline: when ``deadline_expired`` is due; None: never.
        deadlines: every argument of ``set_deadline``.
        fin: our FIN has reached the client.
        aborted: the connection was reset by us.
        lost: ``connection_lost`` was called.
    """

    def __init__(self, *, peername: Any = ("192.0.2.7", 40000), room: int | None = None) -> None:
        self.now = 1000.0
        self.room = room
        self.client = bytearray()
        self.writes = 0
        self.deadline: float | None = None
        self.deadlines: list[float | None] = []
        self.fin = False
        self.aborted = False
        self.lost = False
        self._peername = peername
        self._protocol: Any = None
        self._buffer: deque[bytes] = deque()
        self._inbox = b""
        self._eof_waits = False
        self._reading = True
        self._high = 65536
        self._low = 16384
        self._paused = False
        self._ending = False
        self._closing = False
        self._loss: list[Exception | None] = []

    # The test's side.

    def connect(self, protocol: Any) -> None:
        """Begin the connection."""
        self._protocol = protocol
        protocol.connection_made(self)

    def feed(self, data: bytes) -> None:
        """The client sends; what is not read waits in the kernel."""
        self._inbox += data
        self._deliver()

    def eof(self) -> None:
        """The client sends its FIN."""
        self._eof_waits = True
        self._deliver()

    def reset(self, error: Exception | None = None) -> None:
        """The connection breaks."""
        self._lose(error or ConnectionResetError(104, "Connection reset by peer"))
        self.settle()

    def advance(self, seconds: float) -> None:
        """Let time pass, with the deadlines that are due on the way."""
        end = self.now + seconds
        while self.deadline is not None and self.deadline <= end:
            self.now = max(self.now, self.deadline)
            self.deadline = None
            self._protocol.deadline_expired()
            self.settle()
        self.now = end

    def read(self, room: int | None = None) -> None:
        """The client reads: its window takes ``room`` bytes more."""
        self.room = None if room is None else (self.room or 0) + room
        self._flush()
        self.settle()

    def settle(self) -> None:
        """Begin the next turn: deliver what was not to be delivered inside a call."""
        if self._loss and not self.lost:
            self.lost = True
            self.deadline = None
            self._protocol.connection_lost(self._loss[0])

    @property
    def paused(self) -> bool:
        """The protocol does not want to read."""
        return not self._reading

    # The protocol's side.

    def write(self, data: bytes, /) -> None:
        """Take bytes."""
        assert isinstance(data, bytes)
        self.writes += 1
        if not self._ending and not self._closing and not self._loss and data:
            self._buffer.append(data)
            self._flush()
            self._pause_protocol()

    def sendfile(self, fd: int, offset: int, count: int, /) -> None:
        """Take a part of a file; it is read and closed now, so that a test sees a descriptor that leaks."""
        data = os.pread(fd, count, offset)
        os.close(fd)
        self.write(data)

    def write_eof(self) -> None:
        """End the write side behind what waits."""
        self._ending = True
        self._flush()

    def pause_reading(self) -> None:
        """Deliver nothing."""
        self._reading = False

    def resume_reading(self) -> None:
        """Deliver again, in the next turn."""
        self._reading = True

    def close(self) -> None:
        """Close behind what waits."""
        self._closing = True
        self._reading = False
        self._flush()

    def abort(self) -> None:
        """Close now."""
        self.aborted = True
        self._buffer.clear()
        self._lose(None)

    def is_closing(self) -> bool:
        """Tell whether the end has begun."""
        return self._closing or bool(self._loss)

    def get_protocol(self) -> Any:
        """Who is told of its events."""
        return self._protocol

    def get_extra_info(self, name: str, default: Any = None, /) -> Any:
        """Know the client's address."""
        return self._peername if name == "peername" else default

    def get_write_buffer_size(self) -> int:
        """Bytes that wait."""
        return sum(map(len, self._buffer))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the watermarks as asyncio does."""
        assert high is not None
        self._high = high
        self._low = high // 4 if low is None else low

    def set_deadline(self, seconds: float | None, /) -> None:
        """Replace the deadline."""
        self.deadlines.append(seconds)
        self.deadline = None if seconds is None else self.now + seconds

    # Inside.

    def _deliver(self) -> None:
        if self._reading and self._inbox and not self.is_closing():
            data, self._inbox = self._inbox, b""
            self._protocol.data_received(data)
        if self._eof_waits and self._reading and not self._inbox and not self.is_closing():
            self._eof_waits = False
            if not self._protocol.eof_received():
                self.close()
        self.settle()

    def deliver(self) -> None:
        """Deliver what waited while reading was paused."""
        self._deliver()

    def _flush(self) -> None:
        while self._buffer and self.room != 0:
            data = self._buffer.popleft()
            if self.room is not None and len(data) > self.room:
                self._buffer.appendleft(data[self.room :])
                data = data[: self.room]
            if self.room is not None:
                self.room -= len(data)
            self.client += data
        if not self._buffer:
            if self._ending or self._closing:
                self.fin = True
            if self._closing:
                self._lose(None)
        if self._paused and self.get_write_buffer_size() <= self._low and not self._loss:
            self._paused = False
            self._protocol.resume_writing()

    def _pause_protocol(self) -> None:
        if self.get_write_buffer_size() > self._high and not self._paused:
            self._paused = True
            self._protocol.pause_writing()

    def _lose(self, error: Exception | None) -> None:
        self._reading = False
        self._loss.append(error)


Answer = Callable[[HttpProtocol, Request], None]


def respond_ok(connection: HttpProtocol, request: Request) -> None:
    """Answer 200 with the request line's first words."""
    body = f"{request.method} {request.path}".encode("latin-1")
    connection.respond(ResponseHead(200, "OK", [("Content-Type", "text/plain")]), body)


class RecordingService:
    """Who takes the requests.

    Attributes:
        clock: the time of this turn.
        answer: called with each request taken; None: the test answers.
        requests: every request taken.
        records: every record given.
        calls: the names of what else the protocol has said, in order.
        files: those that bodies were stored in.
        spools: bodies that wait to be stored; :meth:`store` does.
    """

    def __init__(self, clock: Clock, answer: Answer | None = respond_ok) -> None:
        self.clock = clock
        self.draining = False
        self.answer = answer
        self.requests: list[Request] = []
        self.records: list[Request] = []
        self.calls: list[str] = []
        self.files: list[BinaryIO] = []
        self.spools: deque[tuple[HttpProtocol, Body, list[bytes]]] = deque()
        self._ready: deque[HttpProtocol] = deque()

    def turn(self) -> None:
        """Run what is ready and store what waits, until nothing is left (the top of the loop)."""
        while self._ready or self.spools:
            if self.spools:
                self.store()
            else:
                self.start_call()

    def start_call(self) -> None:
        """Take one request and answer it."""
        connection = self._ready.popleft()
        request = connection.take_request()
        if request is None:
            self.calls.append("nothing to take")
            return
        self.requests.append(request)
        connection.call_started()
        if self.answer is not None:
            self.answer(connection, request)

    def store(self, error: OSError | None = None) -> None:
        """Store one body's chunks."""
        connection, body, chunks = self.spools.popleft()
        if error is None:
            if body.file is None:
                body.file = TemporaryFile()  # noqa: SIM115  # Body.close closes it
                self.files.append(body.file)
            body.file.writelines(chunks)
        connection.body_spooled(error)

    def request_ready(self, connection: HttpProtocol, /) -> None:
        """Note it."""
        self._ready.append(connection)

    def spool_body(self, connection: HttpProtocol, body: Body, chunks: list[bytes], /) -> None:
        """Note it."""
        self.spools.append((connection, body, chunks))

    def client_gone(self, connection: HttpProtocol, /) -> None:  # noqa: ARG002
        """Note it."""
        self.calls.append("client_gone")

    def client_behind(self, connection: HttpProtocol, /) -> None:  # noqa: ARG002
        """Note it."""
        self.calls.append("client_behind")

    def client_caught_up(self, connection: HttpProtocol, /) -> None:  # noqa: ARG002
        """Note it."""
        self.calls.append("client_caught_up")

    def queue_expired(self, connection: HttpProtocol, /) -> None:  # noqa: ARG002
        """Note it."""
        self.calls.append("queue_expired")

    def handler_expired(self, connection: HttpProtocol, /) -> None:  # noqa: ARG002
        """Note it."""
        self.calls.append("handler_expired")

    def record(self, request: Request, /) -> None:
        """Note it."""
        self.records.append(request)

    def http_date(self) -> tuple[str, float]:
        """It is always the same second."""
        return DATE, inf


class Wire:
    """A client's view of one connection, with everything behind it in reach.

    ``Wire(answer, limits={"body": 10}, timeouts={"handler": 5.0})`` changes some of the default settings.
    """

    def __init__(
        self,
        answer: Answer | None = respond_ok,
        *,
        limits: Mapping[str, Any] | None = None,
        timeouts: Mapping[str, float] | None = None,
        room: int | None = None,
        peername: Any = ("192.0.2.7", 40000),
        make: Callable[..., HttpProtocol] = HttpProtocol,
    ) -> None:
        self.transport = RecordingTransport(room=room, peername=peername)
        self.service = RecordingService(self.transport, answer)
        self.counts = HttpCounts()
        self.limits = replace(Limits(), **(limits or {}))
        self.timeouts = replace(Timeouts(), **(timeouts or {}))
        self.protocol = make(self.service, self.limits, self.timeouts, self.counts)
        self.transport.connect(self.protocol)

    def send(self, *pieces: bytes) -> None:
        """The client sends; after each piece the loop turns until nothing is left to do."""
        for piece in pieces:
            if piece:
                self.transport.feed(piece)
            self.turn()

    def fin(self) -> None:
        """The client closes its side."""
        self.transport.eof()
        self.turn()

    def turn(self) -> None:
        """Let the service take and answer what is ready, and deliver what waits in the kernel."""
        self.service.turn()
        self.transport.settle()
        self.transport.deliver()
        self.service.turn()
        self.transport.settle()

    def responses(self, methods: Sequence[str] = ()) -> list[Response]:
        """Give what has come, taken apart."""
        return parse_responses(bytes(self.transport.client), list(methods))

    def statuses(self) -> list[int]:
        """Give the statuses of what has come."""
        return [response.status for response in self.responses()]

    def rejected(self) -> dict[str, int]:
        """Give the rejections counted."""
        return {str(reason): count for reason, count in zip(REJECTIONS, self.counts.rejected, strict=True) if count}

    def closed(self) -> str:
        """Give why the connection has ended; empty: it has not."""
        ends = [str(reason) for reason, count in zip(CLOSE_REASONS, self.counts.closed, strict=True) if count]
        assert len(ends) == sum(self.counts.closed) == self.transport.lost
        return ends[0] if ends else ""

    def record(self) -> Request:
        """Give the one record there is."""
        assert len(self.service.records) == 1, self.service.records
        return self.service.records[0]
