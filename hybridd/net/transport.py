"""The hands of a connection: a non-blocking socket driven by the reactor, with asyncio's Transport methods.

Beyond asyncio: ``sendfile`` is ordered with ``write``; ``set_deadline`` is how a protocol states until when it waits;
bytes that the peer does not take for ``write_timeout`` seconds end the connection.

An idle connection costs this object, its socket and one selector key: no buffer, deque or dict of its own.

Knows:     one socket, the reactor, the protocol's asyncio methods.
Never:     what is spoken.
Runs in:   the thread that leads the reactor, every method.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable
from typing import Any

from hybridd.net.deadline_pair import DeadlinePair, Expired
from hybridd.net.reactor import READ, WRITE
from hybridd.net.send_queue import SendQueue
from hybridd.net.terms import Reading, Side, Terms, reset_on_close

READ_SIZE = 65536
HIGH_WATERMARK = 65536
LOW_WATERMARK = 16384

_log = logging.getLogger("hybridd.net")


class SocketTransport(DeadlinePair):
    """One accepted connection."""

    __slots__ = (
        "_high",
        "_low",
        "_mask",
        "_peername",
        "_protocol",
        "_protocol_paused",
        "_queue",
        "_reading",
        "_side",
        "_sock",
    )

    def __init__(self, terms: Terms, sock: socket.socket, protocol: Any, peername: Any) -> None:
        super().__init__(terms)
        self._sock = sock
        self._protocol = protocol
        self._peername = peername
        self._side = Side.OPEN
        self._reading = Reading.ON
        self._mask = 0  # what the selector watches for us; 0 = not registered
        self._queue: SendQueue | None = None
        self._high = HIGH_WATERMARK
        self._low = LOW_WATERMARK
        self._protocol_paused = False

    def __repr__(self) -> str:
        waiting = self.get_write_buffer_size()
        return f"<SocketTransport {self._peername} {self._side.name} reading={self._reading.name} {waiting} B>"

    def open(self) -> None:
        """Introduce the protocol to its connection and begin to read."""
        self._terms.open.add(self)
        try:
            self._protocol.connection_made(self)
        except Exception:  # noqa: BLE001  # whatever a protocol raises ends its connection only
            self._protocol_failed()
        self._watch()

    # Reading.

    def ready(self, mask: int) -> None:
        """The selector saw something; events from before an unregister are ignored."""
        if mask & self._mask & WRITE:
            self._flush()
        if mask & self._mask & READ:
            self._receive()

    def _receive(self) -> None:
        try:
            data = self._sock.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        try:
            if data:
                self._terms.received += len(data)
                self._protocol.data_received(data)
                return
            self._reading = Reading.ENDED
            self._watch()
            if not self._protocol.eof_received():
                self.close()
        except Exception:  # noqa: BLE001  # whatever a protocol raises ends its connection only
            self._protocol_failed()

    def pause_reading(self) -> None:
        """Read nothing until ``resume_reading``; not even the peer's departure is seen."""
        if self._reading is Reading.ON:
            self._reading = Reading.PAUSED
            self._watch()

    def resume_reading(self) -> None:
        """Read again after ``pause_reading``."""
        if self._reading is Reading.PAUSED:
            self._reading = Reading.ON
            self._watch()

    def is_reading(self) -> bool:
        """Whether bytes that arrive will be read."""
        return self._reading is Reading.ON

    # Writing.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send ``data`` after everything that was written before; returns at once."""
        if self._side is not Side.OPEN or not data:
            return
        if self._queue is None:
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                self._lose(error)
                return
            self._terms.sent += sent
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
        # A caller's bytearray may change after we return; what waits must not.
        self._open_queue().append(bytes(data))
        self._queued()

    def writelines(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send several pieces in order."""
        self.write(b"".join(parts))

    def sendfile(self, fd: int, offset: int, count: int) -> None:
        """Send a stretch of a file, in order with ``write``; the descriptor is ours from now on."""
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
        if self._side is Side.OPEN:
            self._side = Side.ENDING
            if self._queue is None:
                self._shut_down_writing()

    def can_write_eof(self) -> bool:
        """TCP and unix streams can be closed one way."""
        return True

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent, files included."""
        return 0 if self._queue is None else self._queue.size

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
            self._made_progress()
        return self._queue

    def _close_queue(self) -> None:
        if self._queue is not None:
            self._queue.close()
            self._queue = None
            self._write_deadline = 0.0

    def _queued(self) -> None:
        """Something waits: let the selector say when it can go, and the protocol when it should stop."""
        self._watch()
        if not self._protocol_paused and self.get_write_buffer_size() > self._high:
            self._protocol_paused = True
            self._protocol.pause_writing()

    def _flush(self) -> None:
        queue = self._queue
        assert queue is not None
        try:
            for sent in queue.send(self._sock):
                self._terms.sent += sent
                self._made_progress()
        except OSError as error:
            self._lose(error)
            return
        if not queue.size:
            self._close_queue()
        self._watch()
        if self._protocol_paused and queue.size <= self._low:
            self._protocol_paused = False
            self._protocol.resume_writing()
        if self._queue is None:
            self._flushed()

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

    def expired(self, now: float) -> None:
        """The wheel says that a deadline has passed."""
        match self._which_expired(now):
            case Expired.WRITE:
                reset_on_close(self._sock)
                self._lose(TimeoutError("the peer does not read"))
            case Expired.PROTOCOL:
                try:
                    self._protocol.deadline_expired()
                except Exception:  # noqa: BLE001
                    self._protocol_failed()

    # The end.

    def close(self) -> None:
        """Send what waits, then close; nothing is read any more."""
        if self._side >= Side.CLOSING:
            return
        self._reading = Reading.ENDED
        if self._queue is None:
            self._lose(None)
        else:
            self._side = Side.CLOSING
            self._watch()

    def abort(self) -> None:
        """Close now; what waits is dropped and the peer gets a reset, so that it cannot take a part for the whole."""
        if self._side is not Side.CLOSED:
            reset_on_close(self._sock)
            self._lose(None)

    def is_closing(self) -> bool:
        """Whether ``close`` or ``abort`` was called or the connection is lost."""
        return self._side >= Side.CLOSING

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``peername``, ``sockname`` or ``socket``."""
        if name == "peername":
            return self._peername
        if name == "socket":
            return self._sock
        if name == "sockname" and self._side is not Side.CLOSED:
            return self._sock.getsockname()
        return default

    def get_protocol(self) -> Any:
        """The protocol that is told of this connection's events."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Let another protocol go on with this connection."""
        self._protocol = protocol

    def _watch(self) -> None:
        """Let the selector watch for exactly what is of interest; for nothing means not at all."""
        if self._side is Side.CLOSED:
            return
        mask = (READ if self._reading is Reading.ON else 0) | (WRITE if self._queue is not None else 0)
        if mask == self._mask:
            return
        reactor, fd = self._terms.reactor, self._sock.fileno()
        if not mask:
            reactor.unregister(fd)
        elif self._mask:
            reactor.modify(fd, mask, self)
        else:
            reactor.register(fd, mask, self)
        self._mask = mask

    def _lose(self, error: Exception | None) -> None:
        """Give everything back; the protocol learns of it at the top of the next turn, never inside its own call."""
        if self._side is Side.CLOSED:
            return
        self._side = Side.CLOSED
        self._reading = Reading.ENDED
        reactor = self._terms.reactor
        if self._mask:
            reactor.unregister(self._sock.fileno())
            self._mask = 0
        self._forget_deadlines()
        self._close_queue()
        self._sock.close()
        self._terms.open.discard(self)
        self._terms.lost += 1
        reactor.call_soon(self._tell_lost, error)

    def _tell_lost(self, error: Exception | None) -> None:
        if self._terms.lost_one is not None:
            self._terms.lost_one(error)
        try:
            self._protocol.connection_lost(error)
        except Exception:  # noqa: BLE001  # a user's protocol; there is nothing left to cut
            _log.exception("%r failed in connection_lost", self._protocol)

    def _protocol_failed(self) -> None:
        _log.exception("%r failed; its connection is cut", self._protocol)
        self.abort()
