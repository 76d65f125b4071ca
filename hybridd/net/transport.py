"""The hands of a connection: a non-blocking socket driven by the reactor, with asyncio's Transport methods.

Beyond asyncio: ``sendfile`` is ordered with ``write``; ``set_deadline`` is how a protocol states until when it waits;
a peer that takes less of what waits for it than ``write_rate`` bytes per second, over ``write_timeout``, is cut off.

An idle connection costs this object, its socket and one selector key: no buffer, deque or dict of its own.

Knows:     one socket, the reactor, the protocol's asyncio methods.
Never:     what is spoken.
Runs in:   the thread that leads the reactor, every method.
"""

from __future__ import annotations

import logging
import socket
from typing import Any

from hybridd.net.deadline_pair import Expired
from hybridd.net.reactor import READ, WRITE
from hybridd.net.terms import Reading, Side, Terms, reset_on_close
from hybridd.net.writing import Writing

READ_SIZE = 65536

_log = logging.getLogger("hybridd.net")

# Looked up for every request: a member of an enum costs 0.1 µs more by its class than as a name of the module.
_OPEN, _CLOSING = Side.OPEN, Side.CLOSING


class SocketTransport(Writing):
    """One accepted connection; its write side is Writing."""

    __slots__ = ("_mask", "_peername", "_reading")

    def __init__(self, terms: Terms, sock: socket.socket, protocol: Any, peername: Any) -> None:
        super().__init__(terms, sock, protocol)
        self._peername = peername
        self._reading = Reading.ON
        self._mask = 0  # what the selector watches for us; 0 = not registered

    def __repr__(self) -> str:
        waiting = self.get_write_buffer_size()
        return f"<SocketTransport {self._peername} {self._side.name} reading={self._reading.name} {waiting} B>"

    def open(self) -> None:
        """Introduce the protocol to its connection and begin to read."""
        self._terms.open[self] = None
        try:
            self._protocol.connection_made(self)
        except Exception as error:  # noqa: BLE001  # whatever a protocol raises ends its connection only
            self._protocol_failed(error)
        self._watch()
        if self._terms.eager and self._reading is Reading.ON and self._mask:
            self.ready(READ)  # most clients have asked already: one turn less, and 5 % of a new connection's CPU time

    # Reading.

    def ready(self, mask: int) -> None:
        """The selector saw something; events from before an unregister are ignored."""
        mask &= self._mask
        if mask != READ:
            if mask & WRITE:
                self._flush()
            if not mask & self._mask & READ:
                return
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
        except Exception as error:  # noqa: BLE001  # whatever a protocol raises ends its connection only
            self._protocol_failed(error)

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

    # Deadlines.

    def expired(self, now: float) -> None:
        """The wheel says that a deadline has passed."""
        match self._which_expired(now):
            case Expired.WRITE:
                self._judge_peer()
            case Expired.PROTOCOL:
                self._tell(self._protocol.deadline_expired)

    def may_give_way(self, left: float, undisturbed: float) -> bool:
        """Whether ``give_way`` would be heard now; any thread may ask."""
        may_give_way = getattr(self._protocol, "may_give_way", None)
        return may_give_way is not None and bool(may_give_way(left, undisturbed))

    def give_way(self, left: float, undisturbed: float, reason: str) -> bool:
        """Somebody else needs the place: whether the protocol gave it up; ``left``: seconds to the deadline."""
        give_way = getattr(self._protocol, "give_way", None)  # asyncio's protocols know nothing of it
        return give_way is not None and bool(give_way(left, undisturbed, reason))

    # The end.

    def close(self) -> None:
        """Send what waits, then close; nothing is read any more."""
        self.send_held()
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
        self._cut(None)

    def is_closing(self) -> bool:
        """Whether ``close`` or ``abort`` was called or the connection is lost."""
        side = self._side
        return side is not _OPEN and side >= _CLOSING

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
            try:
                reactor.register(fd, mask, self)
            except OSError as error:  # no kernel memory, or fs.epoll.max_user_watches: epoll_ctl(2)
                self._lose(error)
                return
        self._mask = mask

    def _cut(self, error: Exception | None) -> None:
        if self._side is not Side.CLOSED:
            reset_on_close(self._sock)
            self._lose(error)

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
        self._held = b""
        self._close_queue()
        self._sock.close()
        self._terms.open.pop(self, None)
        reactor.call_soon(self._tell_lost, error)

    def _tell_lost(self, error: Exception | None) -> None:
        self._terms.lost += 1
        if self._terms.lost_one is not None:
            self._terms.lost_one(error)
        if self._terms.left is not None:
            self._terms.left(self._peername)
        try:
            self._protocol.connection_lost(error)
        except Exception:  # noqa: BLE001  # a user's protocol; there is nothing left to cut
            _log.exception("%r failed in connection_lost", self._protocol)
        self._protocol = None  # they hold each other: both are freed now, and not when the collector comes by

    def _protocol_failed(self, error: Exception) -> None:
        _log.error("%r failed; its connection is cut", self._protocol, exc_info=error)
        self._cut(error)
