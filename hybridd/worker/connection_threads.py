"""Connections that have a thread each: a new one (``thread``), or one of a bounded pool (``pool``).

The worker's own loop only accepts, beats and drains; each thread runs a private loop (loop.py) with its one connection
and counts for itself.  Loops are kept for the next connection, so that there are never more than connections at once,
and what the worker has counted is the sum over all of them.

Knows:     threads, private loops.
Never:     what is spoken; other workers.
Runs in:   the thread that runs the worker's loop, but for ``_serve``.
"""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, Protocol

from hybridd.config.settings import Config
from hybridd.http.counts import HttpCounts
from hybridd.net.terms import Terms
from hybridd.ops.scoreboard import Row
from hybridd.worker.call import Call
from hybridd.worker.in_flight import InFlight
from hybridd.worker.loop import Loop
from hybridd.worker.pool import Done, Job, Pool

_log = logging.getLogger("hybridd.worker")

_COLLECT_AFTER = 0.1
"""Seconds between two sums while connections are open: a sum over a thousand threads takes 5 ms."""

_NAMED_AFTER = 1.0
"""Seconds that a Call must have run to be named in the scoreboard: who writes there sees it once a second."""


class Threads(Protocol):
    """Where threads come from."""

    size: int

    @property
    def free(self) -> bool:
        """Whether a job submitted now begins at once."""

    def submit(self, job: Job, done: Done) -> None:
        """Run ``job()`` in a thread, then ``done(its result)`` in the worker's; RuntimeError: no thread to be had."""

    def grow(self) -> object:
        """Ask again for what the system has refused."""


class NewThreads:
    """A thread for each job, which ends with it."""

    free = True

    def __init__(self, size: int, post: Callable[..., None]) -> None:
        self.size = size
        self._post = post
        self._begun = 0

    def submit(self, job: Job, done: Done) -> None:
        """Run ``job()`` in a new thread, then ``done(its result)`` in the worker's; RuntimeError: none to be had."""
        Thread(target=lambda: self._post(done, job()), name=f"connection-{self._begun}", daemon=True).start()
        self._begun += 1

    def grow(self) -> None:
        """Nothing was ever refused for long."""


class Hosted:
    """A connection that lives in a thread, as the worker's loop has it among its open ones."""

    __slots__ = ("condemned", "leaving", "loop", "peer", "sock", "terms")

    def __init__(self, terms: Terms, loop: Loop, sock: socket.socket, peer: Any) -> None:
        self.terms = terms
        self.loop = loop
        self.sock = sock
        self.peer = peer
        self.condemned = False
        self.leaving = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Know the ``socket``."""
        return self.sock if name == "socket" else default

    def get_protocol(self) -> Hosted:
        """Who can say goodbye."""
        return self

    def drain(self, idle_grace: float) -> None:
        """End politely, soon."""
        self.loop.reactor.post(self.loop.drain, idle_grace)

    def abort(self) -> None:
        """End at once, or as soon as its handler returns."""
        self.loop.reactor.post(self.loop.cut)

    @property
    def deadline(self) -> float:
        """When it ends by itself, as its thread has it now; 0.0: no time is set."""
        return max((one.deadline for one in self._here()), default=0.0)

    def give_way(self, left: float, undisturbed: float, reason: str) -> bool:
        """Be asked to end for ``reason`` for others: whether it was asked.  Its thread has the last word."""
        here = self._here()
        if self.leaving or self not in self.terms.open or not any(one.may_give_way(left, undisturbed) for one in here):
            return False
        self._leave(leaving=True)
        self.loop.reactor.post(self._give_way, here[0], undisturbed, reason)
        return True

    def _here(self) -> list[Any]:
        """Return what is open in its thread, which goes on meanwhile: one connection, or none yet, or none any more."""
        return list(self.loop.terms.open)

    def _give_way(self, connection: Any, undisturbed: float, reason: str) -> None:
        """Run in its thread."""
        if not connection.give_way(connection.deadline - self.loop.reactor.now, undisturbed, reason):
            self.terms.reactor.post(self.stay)

    def stay(self) -> None:
        """Be one of those that are not about to leave; harmless for one that never was."""
        self._leave(leaving=False)

    def _leave(self, *, leaving: bool) -> None:
        self.terms.leaving += leaving - self.leaving
        self.leaving = leaving

    def hang_up(self) -> None:
        """Let its client know now; its thread is in a handler, and finds out when it writes."""
        self.condemned = True
        with suppress(OSError):  # it has ended meanwhile
            self.sock.shutdown(socket.SHUT_RDWR)


class ConnectionThreads:
    """The ``Work`` of the dispatches ``thread`` and ``pool``."""

    handoffs = 0
    queued = 0

    def __init__(
        self,
        config: Config,
        terms: Terms,
        counts: HttpCounts,
        row: Row,
        make_loop: Callable[[], Loop],
        *,
        door: HttpCounts,
        pooled: bool,
    ) -> None:
        self._terms = terms
        self._counts = counts
        self._door = door
        self._make_loop = make_loop
        self._handler_limit = config.timeouts.handler
        reactor = terms.reactor
        self._threads: Threads = (
            Pool(config.threads, reactor.post, "connection")
            if pooled
            else NewThreads(config.limits.connection_threads, reactor.post)
        )
        self._in_flight = InFlight(row)
        self._named: set[Call] = set()
        self._loops: list[Loop] = []
        self._free: list[Loop] = []
        self._collected_at = 0.0

    def start(self, run_loop: Callable[[], None]) -> None:
        """Run the worker's loop in a thread of its own; RuntimeError when there is none to be had."""
        Thread(target=run_loop, name="loop", daemon=True).start()

    def take(self, listener: int, sock: socket.socket, peer: Any) -> None:
        """Give a new connection its thread; OSError when there is none to be had."""
        loop = self._free.pop() if self._free else self._new_loop()
        hosted = Hosted(self._terms, loop, sock, peer)
        self._terms.open[hosted] = None
        try:
            self._threads.submit(partial(_serve, loop, listener, sock, peer), partial(self._end, hosted))
        except RuntimeError:
            del self._terms.open[hosted]
            self._free.append(loop)
            raise OSError(errno.EAGAIN, "no thread can be started") from None

    def _end(self, hosted: Hosted, intact: object) -> None:
        del self._terms.open[hosted]
        hosted.stay()
        if self._terms.left is not None:
            self._terms.left(hosted.peer)
        if intact is True:
            self._free.append(hosted.loop)

    def _new_loop(self) -> Loop:
        loop = self._make_loop()
        self._loops.append(loop)
        return loop

    def soonest(self) -> Iterator[Hosted]:
        """Yield those that have a deadline, the earliest first."""
        hosted: list[Any] = list(self._terms.open)
        timed = [(one.deadline, number) for number, one in enumerate(hosted)]
        return (hosted[number] for deadline, number in sorted(timed) if deadline)

    # What the rest of the worker asks.

    @property
    def running(self) -> Collection[Call]:
        """The Calls whose handlers run."""
        return [call for loop in self._loops for call in loop.desk.running]

    @property
    def idle(self) -> bool:
        """Whether no Call exists: those that do have an open connection."""
        return not self._terms.open

    @property
    def oldest(self) -> float:
        """When the oldest running step of a Call began; 0.0 when none does."""
        return min((call.started for call in self.running), default=0.0)

    @property
    def threads(self) -> int:
        """Threads there may be."""
        return self._threads.size

    def has_capacity(self, expected: int) -> bool:
        """Whether a connection that came now would begin at once."""
        del expected  # they have theirs already
        return self._threads.free

    def grow(self) -> None:
        """Once per heartbeat: who has run for too long is named, and cut off where there is a limit."""
        self._threads.grow()
        now = self._terms.reactor.now
        running = set(self.running)
        for call in self._named - running:
            self._in_flight.forget(call)
        self._named &= running
        for call in running:
            if now - call.started >= _NAMED_AFTER:
                self._in_flight.show(call)
                self._named.add(call)
        if self._handler_limit:
            for hosted in self._terms.open:
                self._judge(hosted, now)

    def _judge(self, hosted: Any, now: float) -> None:
        for call in hosted.loop.desk.running:
            if now - call.started > self._handler_limit and not hosted.condemned:
                hosted.hang_up()
                _log.error(
                    "%s %s: the handler still runs after %g s (timeouts.handler); its client was cut off",
                    call.request.method,
                    call.request.path,
                    self._handler_limit,
                    extra={"fields": {"request_id": call.request.id}},
                )

    def collect(self) -> None:
        """At the end of each turn of the worker's loop: sum up what the connections' loops have counted."""
        now = self._terms.reactor.now
        if self._terms.open and now - self._collected_at < _COLLECT_AFTER:
            return
        self._collected_at = now
        terms, loops = self._terms, self._loops
        terms.received = sum(loop.terms.received for loop in loops)
        terms.sent = sum(loop.terms.sent for loop in loops)
        terms.lost = sum(loop.terms.lost for loop in loops)
        self._counts.become_sum([self._door, *(loop.counts for loop in loops)])


def _serve(loop: Loop, listener: int, sock: socket.socket, peer: Any) -> bool:
    """Serve a connection, in its thread; whether its loop may be used again."""
    try:
        loop.serve(listener, sock, peer)
    except Exception:  # noqa: BLE001  # a defect of ours: its connection pays, and the worker goes on
        _log.critical("a connection's loop failed; the connection is cut", exc_info=True)
        loop.cut()
        return False
    return True
