"""Taking connections off a listening socket.

Knows:     when to accept: the listener is armed, there is room, descriptors are left.
Never:     what is spoken on a connection.
Runs in:   the thread that leads; ``open_connection`` in every thread that runs a loop.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CloseReason
from hybridd.net.listener import Listener
from hybridd.net.reactor import READ
from hybridd.net.terms import Terms, reset_on_close
from hybridd.net.transport import SocketTransport
from hybridd.ops.accept_queue import read_accept_queue
from hybridd.worker.addresses import AddressLimits
from hybridd.worker.crowd import Crowd, Soonest
from hybridd.worker.gate import Gate
from hybridd.worker.reserve import EXHAUSTED, Reserve, say_goodbye

_log = logging.getLogger("hybridd.worker")

_BATCH = 16
"""Connections taken per event, so that those already open are not forgotten in a storm of new ones."""

_PAUSE = 1.0
"""Seconds without accepting when it does not work: no memory left, or the listener was shut down by somebody who shares
it.  The event would come back at once."""

_SHORT_PAUSE = 0.02
"""The same for want of a descriptor: a connection may be old enough to give way in a moment."""

_PATIENCE = 0.9
"""Seconds that other workers have, to take whom we cannot take, before we turn them away."""

_SAID = 60.0
"""Seconds between two lines of the log about it."""

_TURNED_AWAY = 256
"""Connections that are turned away in one go: 5 ms."""

_CLIENT_GONE = frozenset(
    {errno.ECONNABORTED, errno.EPROTO, errno.ENOPROTOOPT, errno.EOPNOTSUPP}
    | {errno.ENETDOWN, errno.ENETUNREACH, errno.ENONET, errno.EHOSTDOWN, errno.EHOSTUNREACH}
)
"""Errors of one connection that accept(2) reports; the next one may be well."""


Take = Callable[[socket.socket, Any], object]
"""Begins with an accepted connection: its socket and its peer's address; OSError: it cannot."""

Start = Callable[..., Any]
"""As Take, for the same arguments and perhaps one more: what makes the transport; gives the transport, or None."""


class Wish(Enum):
    """Whether connections are wanted."""

    NO = "no"
    YES = "yes"
    LATER = "later"  # yes, but it does not work for now


def open_connection(
    terms: Terms,
    make_protocol: Callable[[], Any],
    sock: socket.socket,
    peer: Any,
    make_transport: Callable[[Terms, socket.socket, Any, Any], SocketTransport] = SocketTransport,
) -> SocketTransport | None:
    """Begin with a connection that was accepted; in the thread whose loop ``terms`` are about."""
    try:
        protocol = make_protocol()
    except Exception as error:  # noqa: BLE001  # a user's factory: only its connection pays
        _log.exception("no protocol can be made for the connection of %s; it is cut", peer or "a client")
        _cut(terms, sock, peer, error)
        return None
    transport = make_transport(terms, sock, protocol, peer)
    transport.open()
    return transport


def _cut(terms: Terms, sock: socket.socket, peer: Any, error: Exception) -> None:
    reset_on_close(sock)
    sock.close()
    terms.lost += 1
    if terms.lost_one is not None:
        terms.lost_one(error)
    if terms.left is not None:
        terms.left(peer)


class Acceptor:
    """One listener in one worker, or in the master (which shares it with nobody and needs no gate).

    A connection begins on the loop of ``terms`` with what ``make_protocol`` makes, or wherever ``take`` takes it, which
    may raise OSError (for lack of threads, say): then the connection is cut.  ``soonest`` yields the connections where
    they do not live on the loop of ``terms``.

    Attributes:
        armed: whether the reactor watches it.
        accepted: connections taken, only ever growing.
    """

    def __init__(
        self,
        listener: Listener,
        terms: Terms,
        limit: int,
        make_protocol: Callable[[], Any] | None = None,
        gate: Gate | None = None,
        *,
        take: Take | None = None,
        counts: HttpCounts | None = None,
        reserve: Reserve | None = None,
        addresses: AddressLimits | None = None,
        soonest: Soonest | None = None,
    ) -> None:
        self.listener = listener
        self.armed = False
        self.accepted = 0
        self._terms = terms
        self._limit = limit
        self._gate = gate
        if take is None:
            assert make_protocol is not None
            take = partial(open_connection, terms, make_protocol)
        self._take = take
        self._crowd = Crowd(terms, limit, soonest or terms.reactor.deadlines.soonest)
        self._counts = counts or HttpCounts()  # of those who are closed unserved
        self._reserve = reserve
        self._addresses = addresses
        self._failing_since = 0.0  # when the accept failed that no good one has followed
        self._said = 0.0
        self._wish = Wish.NO
        self._fresh = 0  # connections taken in this turn: their Calls have not begun
        self._new_silent = 0  # of these, who had not asked for anything yet
        self._silent = 0  # the same of the turn before: they may be read in this one

    @property
    def full(self) -> bool:
        """Whether there is no room for a connection more."""
        return len(self._terms.open) >= self._limit

    def waiting(self, most: int) -> int:
        """How many wait to be accepted; ``most`` where the system does not say (unix sockets)."""
        queue = read_accept_queue(self.listener.fileno())
        return most if queue is None else queue.length

    def arm(self) -> None:
        """Accept from now on."""
        self._wish = Wish.YES
        self.review()

    def disarm(self) -> None:
        """Accept no more; who waits is served by another worker."""
        self._wish = Wish.NO
        self.review()

    def review(self) -> None:
        """Watch the listener if it is wanted, a handler is free, and there is room for a connection."""
        watch = self._wish is Wish.YES and not self.full
        watch = watch and (self._gate is None or self._gate.capacity(0))
        if watch is self.armed:
            return
        self.armed = watch
        self._terms.armed += 1 if watch else -1
        if watch:
            self._terms.reactor.register(self.listener.fileno(), READ, self)
        else:
            self._terms.reactor.unregister(self.listener.fileno())

    def ready(self, mask: int) -> None:
        """Somebody waits: take them one by one, as long as nobody else should."""
        del mask
        for _ in range(_BATCH):
            if not self.armed:
                break
            if self._gate is not None:
                if not self._gate.has_room(self._fresh + self._silent):
                    break
                if self._gate.defers(self._terms.reactor.now):
                    os.sched_yield()  # who should take it may need this CPU to do so
                    break
            if not self.accept(1):
                break

    def turned(self) -> None:
        """A turn has ended, and with it began the Calls of those who were read in it."""
        self._silent = self._new_silent
        self._fresh = self._new_silent = 0
        if self._wish is Wish.YES and self.full:
            self._crowd.make_room()
        self.review()

    def admit_one(self) -> None:
        """Take one connection although all handlers are busy: nobody waits for ever behind slow ones."""
        self._crowd.calm()
        if self._reserve is not None:
            self._reserve.refill()
        if self._wish is Wish.YES and not self.armed:
            self.accept(1)

    def accept(self, most: int) -> int:
        """Take up to ``most`` waiting connections; how many there were."""
        before = self.accepted
        for _ in range(most):
            if self.full:
                break
            try:
                sock, peer = self.listener.accept()
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                if error.errno in _CLIENT_GONE:
                    continue
                exchanged = self._exchange(error)
                if exchanged is None:
                    break
                sock, peer = exchanged
            self._failing_since = 0.0
            self.accepted += 1
            if self._addresses is not None and not self._addresses.admit(peer, self._terms.reactor.now):
                self._refuse(sock, peer)
                continue
            self._fresh += 1
            received = self._terms.received
            try:
                self._take(sock, peer)
            except OSError as error:
                _cut(self._terms, sock, peer, error)
                self._pause(error, _PAUSE)
                break
            self._new_silent += self._terms.received == received
            if len(self._terms.open) > self._crowd.mark:
                self._crowd.make_room()
        self.review()
        return self.accepted - before

    def _refuse(self, sock: socket.socket, peer: Any) -> None:
        """Close at once: an answer would cost more than the limit saves."""
        say_goodbye(sock)
        self._terms.lost += 1
        self._counts.count_closed(CloseReason.ADDRESS_LIMIT)
        self._counts.note(CloseReason.ADDRESS_LIMIT, peer[0])

    def _exchange(self, error: OSError) -> tuple[socket.socket, Any] | None:
        """Take who waits in exchange for an idle connection, if descriptors are what is missing; None: not now."""
        if error.errno in EXHAUSTED:
            if not self.listener.is_awaited():
                return None
            if self._crowd.free_descriptor():
                try:
                    return self.listener.accept() if self._reserve is None else self._reserve.accept(self.listener)
                except OSError as again:
                    if again.errno not in EXHAUSTED:
                        return None  # another worker has taken who waited
            elif self._crowd.asking:
                return None  # the event comes back, and the next ones are asked
        self._fail(error)
        return None

    def _fail(self, error: OSError) -> None:
        """Leave who waits to other workers for a pause; turn them away when that did not help."""
        now = self._terms.reactor.now
        if error.errno not in EXHAUSTED:
            self._pause(error, _PAUSE)
            return
        if not self._failing_since:
            self._failing_since = now
        elif now - self._failing_since >= _PATIENCE:
            self._failing_since = now
            self._turn_away()
        self._pause(error, _SHORT_PAUSE)

    def _turn_away(self) -> None:
        if self._reserve is None:
            return
        number = self._reserve.turn_away(self.listener, _TURNED_AWAY)
        self.accepted += number
        self._terms.lost += number
        for _ in range(number):
            self._counts.count_closed(CloseReason.NO_DESCRIPTORS)

    def _pause(self, error: OSError, seconds: float) -> None:
        now = self._terms.reactor.now
        if now >= self._said:
            self._said = now + _SAID
            _log.warning("cannot accept on %s for now: %s", self.listener.address, error.strerror)
        if self._wish is Wish.YES:
            self._wish = Wish.LATER
            self.review()
            self._terms.reactor.call_later(seconds, self._end_pause)

    def _end_pause(self) -> None:
        if self._wish is Wish.LATER:
            self.arm()
