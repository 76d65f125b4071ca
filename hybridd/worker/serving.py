"""What a worker does between READY and its end: listen, serve, beat, drain.

    PROBATION ──lived long enough──→ SERVING ──TERM, LEAVE, or the master is gone──→ DRAINING ─nothing left→ ENDED
        │                            ↓     ↑                                     ↑ │
        │                            RETIRED (a reload replaces us) ─────────────┘ │
        └───────────────────────────────┴── QUIT, or the drain's deadline ──────┴──────────────────────→ ENDED

Knows:     its reactor, acceptors, services, dispatch and report.
Never:     how the process began or ends (life.py).
Runs in:   the thread that leads.
"""

from __future__ import annotations

import faulthandler
import logging
import signal
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from math import inf
from typing import Any, Protocol

from hybridd.config.settings import Config
from hybridd.net.reactor import READ, Reactor
from hybridd.net.terms import Open, Terms
from hybridd.ops.logs import Logs
from hybridd.worker import orders
from hybridd.worker.accepting import Acceptor
from hybridd.worker.incidents import Incidents
from hybridd.worker.report import HEARTBEAT, Report
from hybridd.worker.stacks import write_stacks
from hybridd.worker.watch import Watch
from hybridd.worker.words import WorkerState
from hybridd.worker.work import Work

_log = logging.getLogger("hybridd.worker")

_BACKLOG_AT_DRAIN = 1024
"""Connections taken at most when a drain begins: they waited for us, and another worker may not be there."""

_FAREWELL = 0.5
"""Seconds that connections which other threads or processes serve have to tell of their end when they were cut."""


class Phase(Enum):
    """See the picture at the head of this file."""

    PROBATION = "probation"
    SERVING = "serving"
    RETIRED = "retired"
    DRAINING = "draining"
    ENDED = "ended"


class Service(Protocol):
    """What serves the connections of a listener; ``connection`` makes the protocol of one."""

    draining: bool

    @property
    def connection(self) -> Callable[[], Any]:
        """Makes the protocol of a new connection."""

    @property
    def proxied_connection(self) -> Callable[[], Any] | None:
        """Makes the protocol of a new connection of one of trusted_proxies; None: it is no other."""


class Serving:
    """One worker's life as a server.

    Attributes:
        on_beat: called with each heartbeat.
        stuck: Calls that still ran when it ended: threads that nobody can stop.
    """

    def __init__(
        self,
        config: Config,
        *,
        reactor: Reactor,
        terms: Terms,
        acceptors: Sequence[Acceptor],
        services: Sequence[Service],
        dispatch: Work,
        report: Report,
        incidents: Incidents,
        logs: Logs,
        stacks: int,
    ) -> None:
        self.phase = Phase.PROBATION
        self.on_beat: Callable[[], None] | None = None
        self.stuck = 0
        self._config = config
        self._reactor = reactor
        self._terms = terms
        self._acceptors = acceptors
        self._services = services
        self._dispatch = dispatch
        self._report = report
        self._incidents = incidents
        self._logs = logs
        self._stacks = stacks
        self._watch = Watch(config.timeouts)
        self._to_empty: dict[Acceptor, int] = {}  # how many still wait for us, since we were full
        self._to_sweep: list[Acceptor] = []  # where handshakes are still on their way to us

    def begin(self, lifeline: int, probation: float) -> None:
        """Say READY; accept at once, or after ``probation`` seconds when a new generation is being tried.

        Infinity: when the master says so (``revive``).
        """
        reactor = self._reactor
        _Lifeline(lifeline, reactor, self)
        reactor.on_sleep = self._report.sleeps
        reactor.on_wake = self._report.wakes
        reactor.after_turn.append(self._turned)
        self._beat()
        if not probation:
            self._serve()
        elif probation < inf:
            reactor.call_later(probation, self._serve)
        self._report.state(WorkerState.READY)

    def receive_signal(self, number: int) -> None:
        """Do what the master (or an operator) asks for."""
        match number:
            case signal.SIGTERM:
                self.drain()
            case signal.SIGQUIT:
                self.end()
            case signal.SIGUSR1:
                self._logs.reopen()
            case orders.RETIRE:
                self.retire()
            case orders.REVIVE:
                self.revive()
            case orders.LEAVE:
                self.drain(last=False)

    def retire(self) -> None:
        """Accept nothing more where others accept; what is open goes on, and we may be called back."""
        if self.phase is Phase.SERVING:
            self.phase = Phase.RETIRED
            for acceptor in self._acceptors:
                if not self._report.is_leaving(acceptor.listener):
                    acceptor.disarm()

    def revive(self) -> None:
        """Accept again, or (in an upgrade) for the first time."""
        if self.phase in (Phase.RETIRED, Phase.PROBATION):
            self._accept()

    def orphaned(self) -> None:
        """The master is gone: nobody reads any more what is written for a death certificate."""
        _log.warning("the master is gone; this worker finishes what it does and leaves")
        self._stacks = self._logs.error.sink.fd
        faulthandler.enable(self._stacks, all_threads=True)
        self.drain()

    def drain(self, *, last: bool = True) -> None:
        """Finish what was begun, begin nothing new, then end.

        ``last``: nobody else may be there to take who waits to be accepted; else only those are taken that wait where a
        newer generation does not listen.  That is done twice: a handshake that is on its way has ``shutdown.linger``.
        """
        if self.phase in (Phase.DRAINING, Phase.ENDED):
            return
        was, self.phase = self.phase, Phase.DRAINING
        for service in self._services:
            service.draining = True
        for acceptor in self._acceptors:
            if was is not Phase.PROBATION and (
                (last and was is Phase.SERVING) or self._report.is_leaving(acceptor.listener)
            ):
                self._to_sweep.append(acceptor)
            self._sweep(acceptor)
            acceptor.disarm()
        part(self._terms.open, self._config.shutdown.idle_grace)
        self._reactor.call_later(self._config.timeouts.graceful, self._cut)
        if self._to_sweep:
            self._reactor.call_later(self._config.shutdown.linger, self._sweep_again)
        else:
            self._take_backlog()

    def end(self) -> None:
        """Leave now; whatever is open is cut."""
        if self.phase is Phase.ENDED:
            return
        self._to_empty.clear()
        self._to_sweep.clear()
        for acceptor in self._acceptors:
            acceptor.disarm()
        cut(self._terms.open)
        self.stuck = len(self._dispatch.running)
        if self._terms.open:
            self.phase = Phase.ENDED
            self._reactor.call_later(_FAREWELL, self._leave)
        else:
            self._leave()

    def _sweep(self, acceptor: Acceptor) -> None:
        """Take who waits, as far as there is room now."""
        if acceptor in self._to_sweep:
            acceptor.accept(_BACKLOG_AT_DRAIN)
            if acceptor.full:
                self._to_empty[acceptor] = acceptor.waiting(_BACKLOG_AT_DRAIN)

    def _sweep_again(self) -> None:
        """Take who came through since the drain began."""
        before = self._terms.open.copy()
        for acceptor in self._to_sweep:
            self._sweep(acceptor)
        part(self._terms.open.keys() - before, self._config.shutdown.idle_grace)
        self._to_sweep.clear()
        if self.phase is Phase.DRAINING:
            self._take_backlog()

    def _take_backlog(self) -> None:
        """Take who waited when the drain began and found every place taken, as soon as there is room."""
        for acceptor, waiting in list(self._to_empty.items()):
            before = self._terms.open.copy()
            left = waiting - acceptor.accept(waiting)
            part(self._terms.open.keys() - before, self._config.shutdown.idle_grace)
            if left and acceptor.full:
                self._to_empty[acceptor] = left
            else:
                del self._to_empty[acceptor]
        if not self._to_empty and not self._to_sweep:
            self._report.state(WorkerState.DRAINING)  # the master may end the listeners now

    def _serve(self) -> None:
        if self.phase is Phase.PROBATION:
            self._accept()

    def _accept(self) -> None:
        self.phase = Phase.SERVING
        for acceptor in self._acceptors:
            acceptor.arm()

    def _beat(self) -> None:
        self._report.beat()
        self._incidents.look(self._reactor.now)
        self._logs.tick(self._reactor.now)
        self._dispatch.grow()
        self._watch.look(self._dispatch.running, self._reactor.now)
        for acceptor in self._acceptors:
            acceptor.admit_one()
        if self.on_beat is not None:
            self.on_beat()
        if self.phase is not Phase.ENDED:
            self._reactor.call_later(HEARTBEAT, self._beat)

    def _turned(self) -> None:
        for acceptor in self._acceptors:
            acceptor.turned()
        if self._to_empty:
            self._take_backlog()
        self._report.turned()
        if not self._terms.open and (
            self.phase is Phase.ENDED or (self.phase is Phase.DRAINING and self._dispatch.idle and not self._to_sweep)
        ):
            self._leave()

    def _leave(self) -> None:
        self.phase = Phase.ENDED
        # Behind the jobs that tell protocols of the end of their connections, and before what they counted is stored.
        self._reactor.call_soon(self._reactor.stop)

    def _cut(self) -> None:
        if self.phase is not Phase.DRAINING:
            return
        _log.error(
            "%d connections and %d calls did not end within %g s (timeouts.graceful); they are cut",
            len(self._terms.open),
            len(self._dispatch.running),
            self._config.timeouts.graceful,
        )
        for call in self._dispatch.running:
            _log.error("still running: %s %s (request %s)", call.request.method, call.request.path, call.request.id)
        if self._dispatch.running:
            write_stacks(self._stacks)
        self.end()


def part(connections: Iterable[Open], idle_grace: float) -> None:
    """End connections politely: busy ones after their answer, silent ones after ``idle_grace`` seconds."""
    for transport in list(connections):
        drain = getattr(transport.get_protocol(), "drain", None)
        if drain is not None:  # a raw protocol has no way to say goodbye: its client or the deadline ends it
            drain(idle_grace)


def cut(connections: Iterable[Open]) -> None:
    """End connections now; HTTP says in its log that it was we who cut an answer, not the client."""
    for transport in list(connections):
        getattr(transport.get_protocol(), "shut", transport.abort)()


class _Lifeline:
    """The read end of a pipe whose write end only the master has: its end of file is the master's death."""

    def __init__(self, fd: int, reactor: Reactor, serving: Serving) -> None:
        self._fd = fd
        self._reactor = reactor
        self._serving = serving
        reactor.register(fd, READ, self)

    def ready(self, mask: int) -> None:
        del mask
        self._reactor.unregister(self._fd)  # its end of file would be reported for ever
        self._serving.orphaned()
