"""Which thread runs a Call, and which Calls wait for one.

``threads`` Calls run at once, each in a thread of the pool; the thread that leads is never among them, so that the
connections are served whatever the application does.  Behind them waits a bounded queue; how long a Call may wait there
is its connection's deadline.

Knows:     Calls and how many may run.
Never:     HTTP's rules, sockets, the application.
Runs in:   the thread that leads, every method.
"""

from __future__ import annotations

import logging
from collections import deque
from functools import partial

from hybridd.config.settings import Config
from hybridd.http.outcome import Rejection
from hybridd.net.reactor import Reactor
from hybridd.ops.scoreboard import Row
from hybridd.worker import words
from hybridd.worker.call import Call, CallState
from hybridd.worker.lead import Lead
from hybridd.worker.pool import Pool

_log = logging.getLogger("hybridd.worker")

_CELL_STATES = {
    CallState.QUEUED: words.CallState.QUEUED,
    CallState.RUNNING: words.CallState.RUNNING,
    CallState.SUSPENDED: words.CallState.SUSPENDED,
    CallState.RESUMED: words.CallState.SUSPENDED,
}


class Dispatch:
    """The desk that Calls go out from and come back to.

    Attributes:
        running: the Calls that hold a thread.
        suspended: how many began, hold no thread and will go on.
    """

    def __init__(self, config: Config, reactor: Reactor, row: Row) -> None:
        self.lead = Lead()
        self.response_memory = config.limits.response_memory
        self.response_spool = config.limits.response_spool
        self.running: set[Call] = set()
        self.suspended = 0
        self.post = reactor.post
        self._reactor = reactor
        self._pool = Pool(config.threads, reactor.post, "call")
        self._waiting: deque[Call] = deque()
        self._queue_limit = config.limits.queue
        self._row = row
        self._free_cells = list(range(words.CALL_CELLS - 1, -1, -1))

    @property
    def queued(self) -> int:
        """Calls that wait for a thread."""
        return len(self._waiting)

    @property
    def threads(self) -> int:
        """Calls that may run at once."""
        return self._pool.size

    @property
    def idle(self) -> bool:
        """Whether no Call exists that has begun or will begin."""
        return not (self.running or self._waiting or self.suspended)

    @property
    def oldest(self) -> float:
        """When the oldest Call that holds a thread began (monotonic seconds); 0.0 when none does."""
        return min((call.started for call in self.running), default=0.0)

    def submit(self, call: Call) -> bool:
        """Run a new Call now, or let it wait; False: the queue is full, and the client has been told so."""
        if self._pool.free and not self._waiting:
            self._run(call)
        elif len(self._waiting) < self._queue_limit:
            call.connection.call_queued()
            self._waiting.append(call)
            self._show(call)
        else:
            self._end(call)
            call.connection.refuse(503, Rejection.QUEUE_FULL)
            return False
        return True

    def resume(self, call: Call) -> None:
        """Let a suspended Call go on before any new one begins; not from inside a transport's frame."""
        call.state = CallState.RESUMED
        self.suspended -= 1
        self._waiting.appendleft(call)
        self._reactor.call_soon(self._run_waiting)

    def client_gone(self, call: Call) -> None:
        """Nobody waits for this Call any more: forget it if it has not begun, else let it end."""
        call.gone = True
        if call.state is CallState.QUEUED:
            self.drop(call)
        elif call.state is CallState.SUSPENDED:
            self.resume(call)

    def drop(self, call: Call) -> None:
        """Take a Call that has not begun out of the queue."""
        if call.state is CallState.QUEUED:
            self._waiting.remove(call)
            self._end(call)

    def _run_waiting(self) -> None:
        while self._waiting and self._pool.free:
            self._run(self._waiting.popleft())

    def _run(self, call: Call) -> None:
        if call.state is CallState.QUEUED:
            call.started = self._reactor.now
            call.connection.call_started()
        call.state = CallState.RUNNING
        self.running.add(call)
        self._show(call)
        job = call.abandon if call.gone else call.step
        try:
            self._pool.submit(job, partial(self._stepped, call))
        except RuntimeError as error:
            self._no_thread(call, error)

    def _no_thread(self, call: Call, error: RuntimeError) -> None:
        _log.error("no thread can be started for %s %s: %s", call.request.method, call.request.path, error)
        self.running.discard(call)
        self._end(call)
        call.connection.refuse(503, Rejection.QUEUE_FULL)

    def _stepped(self, call: Call, done: bool | BaseException) -> None:
        self.running.discard(call)
        if done is False:
            self.suspended += 1
            call.rest()
            self._show(call)
            if call.gone and call.state is CallState.SUSPENDED:
                self.resume(call)
        else:
            self._end(call)
            if done is not True:  # a defect of ours, logged by the pool: nobody will answer this client
                call.connection.abort_response()
        self._run_waiting()

    def _end(self, call: Call) -> None:
        call.state = CallState.DONE
        call.close_spool()
        call.request.body.close()  # also that of a Call that never began
        if call.cell >= 0:
            words.clear_call(self._row, call.cell)
            self._free_cells.append(call.cell)
            call.cell = -1

    def _show(self, call: Call) -> None:
        """Write the Call into its row, so that a death certificate can name it."""
        if call.cell < 0:
            if not self._free_cells:
                return
            call.cell = self._free_cells.pop()
        request = call.request
        words.write_call(
            self._row,
            call.cell,
            _CELL_STATES[call.state],
            int((call.started or request.ready) * 1e9),
            request_id=request.id,
            method=request.method,
            path=request.path,
        )
