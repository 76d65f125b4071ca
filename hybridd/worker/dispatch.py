"""Which thread runs a Call: the one that leads until it blocks, or one of the pool.

``handlers: auto``.  A Call begins on the thread that leads, which costs no thread switch.  When it blocks, the monitor
has another thread take the reactor over, and this one is an ordinary thread of the pool from then on.  Routes that did
so lately go to the pool at once (routes.py).  ``inline`` never hands off, ``threads`` never begins on the leader.

``threads`` Calls hold a thread at once, wherever they began; one more thread always leads.  Behind them waits a bounded
queue; how long a Call may wait there is its connection's deadline.

Knows:     Calls, how many may run, who leads.
Never:     HTTP's rules, sockets, the application.
Runs in:   the thread that leads, every method but ``_take_over``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from functools import partial

from hybridd.config.settings import Config
from hybridd.http.outcome import Rejection
from hybridd.http.request import Request
from hybridd.net.reactor import Reactor
from hybridd.ops.scoreboard import Row
from hybridd.worker.call import Call, CallState, Step
from hybridd.worker.in_flight import InFlight
from hybridd.worker.lead import Lead, LeadLostError
from hybridd.worker.monitor import Monitor
from hybridd.worker.pool import Pool
from hybridd.worker.room import Room
from hybridd.worker.routes import Routes, Verdict
from hybridd.worker.waiting import Waiting

_log = logging.getLogger("hybridd.worker")

_FAST, _RUNNING, _DONE = Verdict.FAST, CallState.RUNNING, CallState.DONE  # looked up for every request

COMPUTING_AT_ONCE = 2
"""Calls that compute share the interpreter lock with the leader; more of them would only make each other slower."""

SWITCH_INTERVAL = 0.0002
"""Seconds after which a thread that computes gives the interpreter lock to one that waits for it.  Beside four handlers
that compute, the median of a fast request was 18.5 ms at Python's default of 5 ms, 2.7 at 0.5 ms and 2.1 at this; with
two of them at a time it is 0.4.  Always, and not only while Calls run in the pool: with 5 ms the monitor looks too
rarely to see a handler that computes 12."""


class Dispatch:
    """The desk that Calls go out from and come back to.

    Attributes:
        running: the Calls that hold a thread of the pool.
        suspended: how many began, hold no thread and will go on.
        handoffs: Calls that were taken over, only ever growing.
        slow_routes: what is known of routes that are not fast; nothing: all are.
        shown: the requests that the death certificate could name.
    """

    def __init__(self, config: Config, reactor: Reactor, row: Row) -> None:
        self.lead = Lead()
        self.reactor = reactor
        self.post = reactor.post
        self.response_memory = config.limits.response_memory
        self.response_spool = config.limits.response_spool
        self.room = Room(config.limits.spool)
        self.running: set[Call] = set()
        self.suspended = 0
        self.handoffs = 0
        self._inline = config.handlers != "threads"
        self.lead.give_up = self._give_up
        self._monitor = Monitor(self.lead, self._take_over) if config.handlers == "auto" else None
        self._routes = Routes()
        self.slow_routes = self._routes.slow
        self._pool = Pool(config.threads, reactor.post, "call")
        self._waiting = Waiting()
        self._queue_limit = config.limits.queue
        self._in_flight = InFlight(row)
        self.shown: Mapping[Request, Call] = self._in_flight.shown
        self._computing = 0
        self._run_reactor: Callable[[], None] = reactor.run

    def start(self, run_reactor: Callable[[], None]) -> None:
        """Let a thread of the pool lead: it calls ``run_reactor``, as will every thread that takes over from it.

        Raises:
            RuntimeError: no thread can be started.
        """
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._run_reactor = run_reactor
        if not self._pool.lead(run_reactor):
            raise RuntimeError("no thread can be started to lead")
        if self._monitor is not None:
            self._monitor.start()

    @property
    def queued(self) -> int:
        """Calls that wait for a thread."""
        return len(self._waiting)

    @property
    def threads(self) -> int:
        """Calls that may hold a thread at once."""
        return self._pool.size

    def has_capacity(self, expected: int) -> bool:
        """Whether a Call that came now would begin at once, behind ``expected`` others."""
        return self._pool.running + expected < self._pool.size

    @property
    def idle(self) -> bool:
        """Whether no Call exists that has begun or will begin."""
        return not (self.running or self._waiting or self.suspended)

    @property
    def oldest(self) -> float:
        """When the oldest step that holds a thread began (monotonic seconds); 0.0 when none does."""
        return min((call.started for call in self.running), default=0.0)

    def runs_beside(self, request: Request | None) -> bool:
        """Whether a Call for it would run in the pool, while others run here."""
        return request is not None and self._inline and self._routes.judge(request.method, request.path) is not _FAST

    def submit(self, call: Call) -> None:
        """Run a new Call now, here or in the pool, or let it wait; when the queue is full, its client is told so.

        Raises:
            LeadLostError: the Call ran here, blocked, and somebody else leads now.
        """
        if self._routes.slow:
            call.verdict = self._routes.judge(call.request.method, call.request.path)
        pool = self._pool
        if not self._inline or call.verdict is not _FAST or pool.running >= pool.size:  # not pool.free
            self._submit_to_pool(call)
            return
        call.state = _RUNNING
        call.started = self.reactor.now
        call.connection.call_started()
        call.leading = True
        self.lead.call = call
        done = call.context.run(call.exchange.step)  # call.step()
        if not call.leading:
            self.post(self._released, call, done)
            raise LeadLostError
        self.lead.call = None
        call.leading = False
        if done and call.cell < 0:  # all that `_end` would do
            call.state = _DONE
            call.end()
        else:
            self._stepped(call, done=done)

    def resume(self, call: Call) -> None:
        """Let a suspended Call go on before any new one begins; not from inside a transport's frame."""
        call.state = CallState.RESUMED
        self.suspended -= 1
        self._waiting.add_begun(call)
        self.reactor.call_soon(self._run_waiting)

    def grow(self) -> None:
        """Try again to have all threads that the system refused; once per heartbeat is often enough."""
        if self._pool.grow():
            self._run_waiting()

    def client_gone(self, call: Call) -> None:
        """Nobody waits for this Call any more: forget it if it has not begun, else let it end."""
        call.gone = True
        if call.state is CallState.QUEUED:
            self.drop(call)
        elif call.state is CallState.SUSPENDED:
            self.resume(call)

    def settled(self, request: Request) -> None:
        """The outcome of a request that is ``shown`` is recorded."""
        self._in_flight.settled(request)

    def drop(self, call: Call) -> None:
        """Take a Call that has not begun out of the queue."""
        if call.state is CallState.QUEUED:
            self._waiting.remove(call)
            self._end(call)

    # On the thread that leads.

    def _take_over(self, call: object) -> None:
        """Nobody leads at this moment (the monitor has stolen the lead): let a thread of the pool do it."""
        assert isinstance(call, Call)
        if not self._pool.lead(partial(self._lead_on, call)):
            self._inline = False  # this thread leads now and nobody watches it: nothing may block it
            self._pool.lead_elsewhere()
            self._lead_on(call)

    def _give_up(self, call: object) -> None:
        """The Call that runs here has led for too long, and is about to enter the application once more."""
        assert isinstance(call, Call)
        if self.lead.close(call) and not self._pool.lead(partial(self._lead_on, call)):
            self.lead.open(call)  # there is no thread for it: lead on

    def _lead_on(self, call: Call) -> None:
        self._taken_over(call)
        self._run_reactor()

    def _taken_over(self, call: Call) -> None:
        """The new leader's first step: book the Call that the old one is still busy with."""
        self.lead.call = None
        self.handoffs += 1
        self._holds_thread(call)
        self.reactor.call_soon(self._run_waiting)  # lets the first turn end at once, and with it what it has to report

    def _released(self, call: Call, done: bool) -> None:
        """The old leader has come back from a Call that was taken over."""
        self._pool.release()
        self._lets_thread_go(call)
        self._routes.suspect(call.request.method, call.request.path, self.reactor.now - call.started)
        self._stepped(call, done=done)
        self._run_waiting()

    # In the pool.

    def _submit_to_pool(self, call: Call) -> None:
        if self._may_run(call):
            self._run(call)
        elif len(self._waiting) < self._queue_limit:
            call.connection.call_queued()
            self._waiting.add(call)
            self._in_flight.show(call)
        else:
            self._end(call)
            call.connection.refuse(503, Rejection.QUEUE_FULL)

    def _may_run(self, call: Call) -> bool:
        computing_allowed = self._computing < COMPUTING_AT_ONCE
        if not self._pool.free or (call.verdict is Verdict.COMPUTES and not computing_allowed):
            return False
        return not self._waiting.has_next(computing_allowed=computing_allowed)

    def _run_waiting(self) -> None:
        while self._pool.free:
            call = self._waiting.next(computing_allowed=self._computing < COMPUTING_AT_ONCE)
            if call is None:
                return
            self._run(call)

    def _run(self, call: Call) -> None:
        call.started = self.reactor.now
        if call.state is CallState.QUEUED:
            call.connection.call_started()
        call.state = CallState.RUNNING
        self._holds_thread(call)
        try:
            job = call.abandon if call.gone else call.measured_step
            self._pool.submit(job, partial(self._stepped_in_pool, call, len(self.running)))
        except RuntimeError as error:
            _log.error("no thread for %s %s: %s", call.request.method, call.request.path, error)
            self._lets_thread_go(call)
            self._end(call)
            call.connection.refuse(503, Rejection.QUEUE_FULL)

    def _holds_thread(self, call: Call) -> None:
        self.running.add(call)
        self._computing += call.verdict is Verdict.COMPUTES
        self._in_flight.show(call)

    def _lets_thread_go(self, call: Call) -> None:
        self.running.discard(call)
        self._computing -= call.verdict is Verdict.COMPUTES

    def _stepped_in_pool(self, call: Call, rivals: int, step: Step | BaseException) -> None:
        rivals = max(rivals, len(self.running))  # the others and the leader, when it began and when it ended
        self._lets_thread_go(call)
        if isinstance(step, BaseException):  # a defect of ours, logged by the pool: nobody else will answer this client
            self._end(call)
            call.connection.abort_response()
        else:
            request = call.request
            self._routes.observe(request.method, request.path, step.effort, rivals)
            self._stepped(call, done=step.done)
        self._run_waiting()

    def _stepped(self, call: Call, *, done: bool) -> None:
        if done:
            self._end(call)
            return
        self.suspended += 1
        call.rest()
        self._in_flight.show(call)
        if call.gone and call.state is CallState.SUSPENDED:
            self.resume(call)

    def _end(self, call: Call) -> None:
        call.state = _DONE
        call.end()
        if call.cell >= 0:
            self._in_flight.forget(call)
