"""Calls that run where the loop runs, one at a time, and are never handed off.

With one connection to the loop that is a blocking server: its thread waits for its client, then for its handler.  With
many it is the classic reactor: whoever blocks stops everybody.  A client that reads slowly is no reason to wait: the
rest of its answer goes on when it has caught up (call.py).

Knows:     Calls.
Never:     sockets, HTTP's rules.
Runs in:   the thread that runs the loop; others may read ``call``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from threading import Thread
from types import MappingProxyType

from hybridd.config.settings import Config
from hybridd.http.request import Request
from hybridd.net.reactor import Reactor
from hybridd.worker.call import Call, CallState
from hybridd.worker.in_flight import InFlight
from hybridd.worker.lead import Lead
from hybridd.worker.room import Room


class Inline:
    """The desk of one loop.

    Attributes:
        call: the Call that runs now.
        before_step: called before one runs: what the turn has done so far is told before nobody is left to tell it.
    """

    threads = 1
    queued = handoffs = 0
    slow_routes: Mapping[str, object] = MappingProxyType({})

    def __init__(
        self, config: Config, reactor: Reactor, in_flight: InFlight | None = None, room: Room | None = None
    ) -> None:
        self.lead = Lead()  # nobody ever takes it
        self.reactor = reactor
        self.post = reactor.post
        self.response_memory = config.limits.response_memory
        self.response_spool = config.limits.response_spool
        self.room = room or Room(config.limits.spool)
        self.call: Call | None = None
        self.before_step: Callable[[], None] | None = None
        self._in_flight = in_flight
        self.shown: Mapping[Request, Call] = {} if in_flight is None else in_flight.shown
        self._unfinished = 0

    def start(self, run_loop: Callable[[], None]) -> None:
        """Run the worker's loop in a thread of its own; RuntimeError when there is none to be had."""
        Thread(target=run_loop, name="loop", daemon=True).start()

    @property
    def running(self) -> Collection[Call]:
        """The Call that runs now, if one does."""
        call = self.call
        return () if call is None else (call,)

    @property
    def idle(self) -> bool:
        """Whether no Call has begun that has not ended."""
        return not self._unfinished

    @property
    def oldest(self) -> float:
        """When the step of the Call that runs now began; 0.0 when none does."""
        call = self.call
        return 0.0 if call is None else call.started

    def runs_beside(self, request: Request | None) -> bool:
        """Whether a Call for it would run in a pool: there is none."""
        del request
        return False

    def has_capacity(self, expected: int) -> bool:
        """Whether a Call that came now would begin at once: who asks this is not in one."""
        del expected
        return True

    def submit(self, call: Call) -> None:
        """Run a new Call."""
        self._unfinished += 1
        call.connection.call_started()
        self._step(call)

    def resume(self, call: Call) -> None:
        """Let a suspended Call go on; not from inside a transport's frame."""
        call.state = CallState.RESUMED
        self.reactor.call_soon(self._step, call)

    def client_gone(self, call: Call) -> None:
        """Nobody waits for this Call any more: let it end."""
        call.gone = True
        if call.state is CallState.SUSPENDED:
            self.resume(call)

    def drop(self, call: Call) -> None:
        """Nothing ever waits here."""

    def settled(self, request: Request) -> None:
        """The outcome of a request that is ``shown`` is recorded."""
        if self._in_flight is not None:
            self._in_flight.settled(request)

    def grow(self) -> None:
        """Nothing goes on elsewhere."""

    def _step(self, call: Call) -> None:
        call.state = CallState.RUNNING
        call.started = self.reactor.now
        self.call = call
        if self._in_flight is not None:
            self._in_flight.show(call)
        if self.before_step is not None:
            self.before_step()
        call.leading = True
        if call.gone:
            call.abandon()
            done = True
        else:
            done = call.step()
        call.leading = False
        self.call = None
        if done:
            self._end(call)
        else:
            call.rest()
            if call.gone and call.state is CallState.SUSPENDED:
                self.resume(call)

    def _end(self, call: Call) -> None:
        self._unfinished -= 1
        call.state = CallState.DONE
        call.end()
        if self._in_flight is not None:
            self._in_flight.forget(call)


class InlineFiles:
    """Writes temporary files where the loop runs: there is nobody else whom that could hold up."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor

    def submit(self, job: Callable[[], object], done: Callable[..., object]) -> None:
        """Run ``job()``, then ``done(its result)`` from the top of the loop."""
        self._reactor.call_soon(done, job())
