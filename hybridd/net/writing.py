"""The write side of a connection: what goes at once, what waits, and who is told when much of it does.

A base class of the transport and not a part of it: an idle connection has no room for one object more.

Knows:     one socket's send calls, the protocol's ``pause_writing`` and ``resume_writing``.
Never:     reading; how a connection ends (transport.py).
Runs in:   the thread that leads the reactor, every method.
"""

from __future__ import annotations

import os
import socket
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from hybridd.net.deadline_pair import DeadlinePair
from hybridd.net.send_queue import SendQueue
from hybridd.net.terms import Side, Terms

_OPEN = Side.OPEN  # see transport.py

HIGH_WATERMARK = 65536
LOW_WATERMARK = 16384

MOST_HELD = 16384
"""Bytes: what is larger takes longer to copy than to wake its reader."""


class Writing(DeadlinePair):
    """The methods of a transport that send."""

    __slots__ = ("_held", "_high", "_low", "_protocol", "_protocol_paused", "_queue", "_side", "_sock")

    def __init__(self, terms: Terms, sock: socket.socket, protocol: Any) -> None:
        super().__init__(terms)
        self._sock = sock
        self._protocol = protocol
        self._side = Side.OPEN
        self._queue: SendQueue | None = None
        self._held: bytes | bytearray | memoryview = b""  # sent when the jobs of this turn are done: Reactor.held
        self._high = HIGH_WATERMARK
        self._low = LOW_WATERMARK
        self._protocol_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send ``data`` after everything that was written before; returns at once."""
        if self._side is not _OPEN or not data:
            return
        held = self._terms.reactor.held
        if self._held:
            self.send_held()
            held = None
        if self._queue is not None:
            self._wait(data, 0)
            return
        self._held = data
        if held is None or len(data) > MOST_HELD:
            self.send_held()
        else:
            if type(data) is not bytes:
                self._held = bytes(data)
            held.append(self)

    def send_held(self) -> None:
        """Send what was held back, while there was no queue; harmless when nothing was."""
        data = self._held
        if not data:
            return
        self._held = b""
        sent = 0
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self._lose(error)
            return
        self._terms.sent += sent
        if sent != len(data):
            self._wait(data, sent)

    def _wait(self, data: bytes | bytearray | memoryview, sent: int) -> None:
        """Let what was not sent wait until the socket takes more."""
        waiting = memoryview(data)[sent:]
        # A caller's bytearray may change after we return; what waits must not.
        self._open_queue().append(waiting if type(data) is bytes else bytes(waiting))
        self._queued()

    def writelines(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send several pieces in order."""
        self.write(b"".join(parts))

    def sendfile(self, fd: int, offset: int, count: int) -> None:
        """Send a stretch of a file, in order with ``write``; the descriptor is ours from now on."""
        self.send_held()  # by which the connection may be lost
        if self._side is not Side.OPEN or not count:
            os.close(fd)
            return
        started = self._queue is not None
        self._open_queue().append_file(fd, offset, count)
        if not started:
            self._flush()
        if self._queue is not None:
            self._queued()

    def write_eof(self) -> None:
        """Send what waits, then FIN; reading goes on."""
        self.send_held()
        if self._side is Side.OPEN:
            self._side = Side.ENDING
            if self._queue is None:
                self._shut_down_writing()

    def can_write_eof(self) -> bool:
        """TCP and unix streams can be closed one way."""
        return True

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent, files included."""
        return len(self._held) + (0 if self._queue is None else self._queue.size)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """(low, high) watermark in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Call pause_writing above ``high`` bytes that wait, resume_writing at ``low`` or fewer."""
        if high is None:
            high = HIGH_WATERMARK if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high}) must be >= low ({low}) must be >= 0")
        self._high, self._low = high, low

    def _open_queue(self) -> SendQueue:
        if self._queue is None:
            self._queue = SendQueue()
        return self._queue

    def _close_queue(self) -> None:
        if self._queue is not None:
            self._queue.close()
            self._queue = None
            self._write_deadline = 0.0

    def _queued(self) -> None:
        """Something waits: let the selector say when it can go, and the protocol when it should stop."""
        self._watch()
        if not self._write_deadline and self._queue is not None and self._terms.write_timeout:
            self._queue.mark = self._queue.taken(self._sock)
            self._made_progress()
        if not self._protocol_paused and self.get_write_buffer_size() > self._high:
            self._protocol_paused = True
            self._tell(self._protocol.pause_writing)

    def _flush(self) -> None:
        queue = self._queue
        assert queue is not None
        try:
            for sent in queue.send(self._sock):
                self._terms.sent += sent
        except OSError as error:
            self._cut(error)  # visibly: a file may have become shorter, and nobody may take the part for the whole
            return
        if not queue.size:
            self._close_queue()
        self._watch()
        if self._protocol_paused and queue.size <= self._low:
            self._protocol_paused = False
            self._tell(self._protocol.resume_writing)
        if self._queue is None:
            self._flushed()

    def _judge_peer(self) -> None:
        """Something has waited for ``write_timeout`` seconds: the peer must have taken its share meanwhile."""
        queue, terms = self._queue, self._terms
        assert queue is not None
        taken = queue.taken(self._sock)
        if taken - queue.mark < max(1, terms.write_rate * terms.write_timeout):
            self._cut(TimeoutError("the peer reads too slowly"))
            return
        queue.mark = taken
        self._made_progress()

    def _flushed(self) -> None:
        if self._side is Side.ENDING:
            self._shut_down_writing()
        elif self._side is Side.CLOSING:
            self._lose(None)

    def _shut_down_writing(self) -> None:
        self._side = Side.ENDED
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            self._lose(error)

    def _tell(self, method: Callable[[], object]) -> None:
        """Call the protocol; whatever it raises ends its connection only."""
        try:
            method()
        except Exception as error:  # noqa: BLE001  # see above
            self._protocol_failed(error)

    # How a connection is watched and ends is the whole transport's business.

    @abstractmethod
    def _watch(self) -> None:
        """Let the selector watch for exactly what is of interest."""

    @abstractmethod
    def _cut(self, error: Exception | None) -> None:
        """End the connection with a reset."""

    @abstractmethod
    def _lose(self, error: Exception | None) -> None:
        """Give everything back."""

    @abstractmethod
    def _protocol_failed(self, error: Exception) -> None:
        """End the connection of a protocol that raised ``error``."""
