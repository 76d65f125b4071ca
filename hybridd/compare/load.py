"""As many requests as the server answers: each connection asks again as soon as it has its answer.

Knows:     keep-alive; a server that closes after an answer is connected to again, and that is part of the latency.
Never:     more than the connections and seconds it is told.
Runs in:   the client process, its only thread.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from typing import Any

import httptools

from hybridd.compare.exchange import HOST, READ_SIZE, Answer
from hybridd.compare.percentiles import percentile

_FAILED_FROM = 400  # the status from which on an answer is a failure
_PAUSE = 0.01  # seconds before one that failed tries again, lest a dead server be hammered
_TURN = 0.1
_PATIENCE = 5.0  # seconds for the last answers


class _Connection:
    """One client: a socket, the parser of its answers, and when it asked."""

    __slots__ = ("answer", "asked", "connecting", "descriptor", "socket")

    def __init__(self, port: int, now: float) -> None:
        self.asked = now
        self.connecting = True
        self.answer = Answer()
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.descriptor = self.socket.fileno()
        error = self.socket.connect_ex((HOST, port))
        if error not in (0, errno.EINPROGRESS):
            self.socket.close()
            raise OSError(error, "cannot connect")


class Load:
    """A closed loop over ``connections`` connections."""

    def __init__(self, port: int, request: bytes, connections: int) -> None:
        self._port = port
        self._request = request
        self._wanted = connections
        self._open: dict[int, _Connection] = {}
        self._poll = select.epoll()
        self._latencies: list[float] = []
        self._failures = 0
        self._paused_until = 0.0
        self._asking = True

    def run(self, seconds: float) -> dict[str, Any]:
        """Ask for ``seconds``, wait for what is still to come, and return what came of it.

        Nothing is in flight at either end: what the server did in between is what these answers cost.
        """
        began, cpu = time.monotonic(), time.process_time()
        now, end = began, began + seconds
        try:
            while self._asking or (self._open and now < end + _PATIENCE):
                if self._asking and len(self._open) < self._wanted and now >= self._paused_until:
                    self._fill(now)
                for descriptor, _ in self._poll.poll(max(0.0, min(_TURN, end - now)) if self._asking else _TURN):
                    self._ready(self._open[descriptor])
                now = time.monotonic()
                self._asking = now < end
        finally:
            self._failures += len(self._open)
            for connection in self._open.values():
                connection.socket.close()
            self._poll.close()
        elapsed = now - began
        return self._result(elapsed, (time.process_time() - cpu) / elapsed)

    def _result(self, elapsed: float, share: float) -> dict[str, Any]:
        self._latencies.sort()
        return {
            "requests": len(self._latencies),
            "failures": self._failures,
            "seconds": elapsed,
            "client_cpu": share,
            "p50": percentile(self._latencies, 0.50),
            "p99": percentile(self._latencies, 0.99),
        }

    def _fill(self, now: float) -> None:
        while len(self._open) < self._wanted:
            try:
                connection = _Connection(self._port, now)
            except OSError:
                self._fail(now)
                return
            self._open[connection.descriptor] = connection
            self._poll.register(connection.descriptor, select.EPOLLOUT)

    def _ready(self, connection: _Connection) -> None:
        try:
            if connection.connecting:
                connection.socket.send(self._request)
                connection.connecting = False
                self._poll.modify(connection.descriptor, select.EPOLLIN)
                return
            data = connection.socket.recv(READ_SIZE)
            answer = connection.answer
            if not (answer.feed(data) if data else answer.end()):
                if not data:
                    self._lost(connection)
                return
        except BlockingIOError:
            return
        except (OSError, httptools.HttpParserError):
            self._lost(connection)
            return
        self._answered(connection)

    def _answered(self, connection: _Connection) -> None:
        now = time.monotonic()
        answer = connection.answer
        if answer.status < _FAILED_FROM:
            self._latencies.append(now - connection.asked)
        else:
            self._failures += 1
        if not (answer.keeps and self._asking):
            self._close(connection)
            if self._asking:
                self._fill(now)
            return
        answer.begin()
        connection.asked = now
        try:
            connection.socket.send(self._request)
        except OSError:
            self._lost(connection)

    def _lost(self, connection: _Connection) -> None:
        self._close(connection)
        self._fail(time.monotonic())

    def _fail(self, now: float) -> None:
        self._failures += 1
        self._paused_until = now + _PAUSE

    def _close(self, connection: _Connection) -> None:
        del self._open[connection.descriptor]
        connection.socket.close()  # epoll forgets it
