"""What happens on a connection between accept and its protocol: steps, under one absolute deadline.

Most listeners have no steps, and their connections never come here.  A step is a generator over the opening: it reads
(and writes) exactly what is its own, yields READ or WRITE when it has to wait for that, and returns when the next step,
or the protocol, may go on behind it; it may put another socket or another peer in place.  OSError ends the connection.

Knows:     the reactor, one socket that does not block.
Never:     what a step reads; what is spoken afterwards.
Runs in:   the thread of the loop on which the connection will live, every method.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Generator, Sequence
from typing import Any

from hybridd.net.reactor import READ
from hybridd.net.terms import Terms, reset_on_close

_log = logging.getLogger("hybridd.net")

_UNDISTURBED = 1.0
"""Seconds that a handshake has when places get scarce: several round trips round the world."""

Step = Callable[["Opening"], Generator[int, None, None]]
Begin = Callable[["Opening"], Any]
"""Begins with the protocol of a connection that is open; gives its transport, or None."""
Failed = Callable[["Opening", Exception], object]
"""Is told of a connection that did not come to its protocol: an OpeningError, a TimeoutError, another OSError."""


class OpeningError(ConnectionError):
    """The client does not do what this listener asks for; ``reason`` is why its connection ends, for the metrics.

    ``answered``: it has been told, and is not reset: that could overtake the answer.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.answered = False


class SilentlyGone(ConnectionError):  # noqa: N818 - nobody's error: a port scan, a health check
    """The client has closed without having sent anything."""


class Opening:
    """One connection on its way to its protocol; among the open ones until it is there.

    Attributes:
        sock, peer: as accepted, or as the steps so far have made them.
        terms: those of the loop.
        session: of TLS, once a step has begun one.
        deadline, tick: the wheel's (net/deadlines.py).
    """

    __slots__ = (
        "_begin",
        "_failed",
        "_grace",
        "_mask",
        "_running",
        "_seconds",
        "deadline",
        "peer",
        "session",
        "sock",
        "terms",
        "tick",
    )

    def __init__(
        self,
        terms: Terms,
        sock: socket.socket,
        peer: Any,
        *,
        steps: Sequence[Step],
        begin: Begin,
        failed: Failed,
    ) -> None:
        self.terms = terms
        self.sock = sock
        self.peer = peer
        self.session: Any = None
        self.deadline = 0.0
        self.tick = 0
        self._begin = begin
        self._failed = failed
        self._running: Generator[int, None, None] | None = self._run(steps)
        self._mask = 0  # what the selector watches for us; 0 = not registered
        self._grace: float | None = None
        self._seconds = 0.0  # from the beginning to the deadline

    def __repr__(self) -> str:
        return f"<Opening {self.peer}>"

    def start(self, seconds: float) -> None:
        """Go as far as what has come allows; the whole way may take ``seconds``."""
        self._seconds = seconds
        self.terms.open[self] = None
        self.terms.reactor.deadlines.arm(self, self.terms.reactor.now + seconds)
        self._advance()

    def ready(self, mask: int) -> None:
        """The selector saw something; events from before an unregister are ignored."""
        if mask & self._mask:
            self._advance()

    def expired(self, now: float) -> None:
        """The wheel says that the deadline has passed."""
        del now
        self._end(TimeoutError("the client did not come to its first request in time"))

    # As one of the open connections: see Open in terms.py.

    def may_give_way(self, left: float, undisturbed: float) -> bool:
        """Whether it has been here for a while; ``left``: seconds to the deadline.  Any thread may ask."""
        return self._running is not None and self._seconds - left >= max(undisturbed, _UNDISTURBED)

    def give_way(self, left: float, undisturbed: float, reason: str) -> bool:
        """End for ``reason``, if we may give way: whether we do."""
        if not self.may_give_way(left, undisturbed):
            return False
        self._end(OpeningError(reason, "others needed the place"))
        return True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``peername``, as far as it is known, and ``socket``."""
        return {"peername": self.peer, "socket": self.sock}.get(name, default)

    def get_protocol(self) -> Opening:
        """Who can say goodbye."""
        return self

    def drain(self, idle_grace: float) -> None:
        """End politely, soon: as a connection that has asked for nothing, and later as its protocol does."""
        self._grace = idle_grace
        at = self.terms.reactor.now + idle_grace
        if at < self.deadline:
            self.terms.reactor.deadlines.arm(self, at)

    def abort(self) -> None:
        """End at once."""
        self._end(ConnectionAbortedError("the connection was cut"))

    # The way.

    def _run(self, steps: Sequence[Step]) -> Generator[int, None, None]:
        for step in steps:
            yield from step(self)

    def _advance(self) -> None:
        assert self._running is not None
        try:
            mask = next(self._running, 0)
            if mask:
                self._watch(mask)
        except OSError as error:
            self._end(error)
        except Exception as error:  # noqa: BLE001  # a defect of ours: its connection pays, and the worker goes on
            _log.critical("%r failed; its connection is cut", self, exc_info=True)
            self._end(error)
        else:
            if not mask:
                self._hand_over()

    def _watch(self, mask: int) -> None:
        if mask == self._mask:
            return
        if self._mask:
            self.terms.reactor.modify(self.sock.fileno(), mask, self)
        else:
            self.terms.reactor.register(self.sock.fileno(), mask, self)
        self._mask = mask

    def _hand_over(self) -> None:
        """The steps are done: let the protocol begin, with the goodbye that was said meanwhile."""
        self._leave()
        transport = self._begin(self)
        if self._grace is not None and transport is not None:
            drain = getattr(transport.get_protocol(), "drain", None)
            if drain is not None:  # a raw protocol has none
                drain(self._grace)

    def _end(self, error: Exception) -> None:
        """Close; nobody else has heard of this connection."""
        running = self._running
        if running is None:
            return
        self._leave()
        if not (isinstance(error, SilentlyGone) or getattr(error, "answered", False)):
            reset_on_close(self.sock)
        self.sock.close()
        running.close()
        self.terms.lost += 1
        if self.terms.left is not None:
            self.terms.left(self.peer)
        self._failed(self, error)

    def _leave(self) -> None:
        self._running = None
        if self._mask:
            self.terms.reactor.unregister(self.sock.fileno())
            self._mask = 0
        self.terms.reactor.deadlines.forget(self)
        del self.terms.open[self]


def receive(sock: socket.socket, most: int, flags: int = 0) -> Generator[int, None, bytes]:
    """Wait for bytes and give them, up to ``most``; for steps."""
    while True:
        try:
            return sock.recv(most, flags)
        except (BlockingIOError, InterruptedError):
            yield READ
