"""Connections that have a process each (dispatch ``fork``): the worker's side.

The worker has one thread, so that its fork is safe.  Every child has a row in a scoreboard that only this worker and
its children share: the child writes what it counts, the worker adds it up into its own row, and into the retired ones
when the child is reaped, so that a child may be killed at any instruction.

Knows:     how to make, signal and reap these children.
Never:     what they do (forked_connection.py).
Runs in:   the worker's main thread.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from operator import add
from typing import Any

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CLOSE_REASON_INDEX, CloseReason
from hybridd.net.terms import Terms
from hybridd.ops.parent_death import libc
from hybridd.ops.scoreboard import Row, Scoreboard
from hybridd.ops.signal_names import signal_name
from hybridd.ops.title import connection_from
from hybridd.worker import words
from hybridd.worker.in_flight import killed_requests
from hybridd.worker.spec import WorkerSpec

_log = logging.getLogger("hybridd.worker")

_COLLECT_AFTER = 0.1
"""Seconds between two sums while connections are open: a sum over 256 children takes 2 ms."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What a child is born for: a connection that came to the listener of this number, and the row to count in."""

    listener: int
    sock: socket.socket
    peer: Any
    row: Row


class BecomeConnection(BaseException):
    """Raised in a forked child; unwinds the worker's loop, which is the parent's, up to the frame that ran it."""

    def __init__(self, handover: Handover) -> None:
        super().__init__(handover)
        self.handover = handover


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that a child works on, as its row tells it."""

    method: str
    path: str
    id: str


class Child:
    """A process with a connection, as the worker's loop has it among its open ones."""

    __slots__ = ("condemned", "peer", "pid", "row", "slot")

    def __init__(self, pid: int, slot: int, row: Row, peer: Any) -> None:
        self.pid = pid
        self.slot = slot
        self.row = row
        self.peer = peer
        self.condemned = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Know the ``peername``; the socket is the child's alone."""
        return self.peer if name == "peername" else default

    def get_protocol(self) -> Child:
        """Who can say goodbye."""
        return self

    def drain(self, idle_grace: float) -> None:
        """End politely, soon; it knows the configured grace itself."""
        del idle_grace
        self.send(signal.SIGTERM)

    def abort(self) -> None:
        """End at once, or as soon as its handler returns."""
        self.send(signal.SIGQUIT)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; it is not reaped, so its number is its own."""
        os.kill(self.pid, number)

    @property
    def since(self) -> float:
        """When the Call that runs there began, monotonic seconds; 0.0 when none does."""
        return words.running_since(self.row)

    @property
    def request(self) -> Asked:
        """What it works on."""
        calls = words.read_calls(self.row)
        return Asked(calls[0].method, calls[0].path, calls[0].request_id) if calls else Asked("-", "-", "-")


class ConnectionProcesses:
    """The ``Work`` of the dispatch ``fork``."""

    handoffs = 0
    queued = 0

    def __init__(self, spec: WorkerSpec, terms: Terms, counts: HttpCounts, door: HttpCounts, most: int) -> None:
        self.threads = most
        self._spec = spec
        self._terms = terms
        self._counts = counts
        self._door = door
        self._board = Scoreboard.create(words.LAYOUT, most)
        self._free = list(range(most - 1, -1, -1))
        self._children: dict[int, Child] = {}
        self._ended = 0
        self._killed = 0
        self._collected_at = 0.0
        libc()
        # What is there now is shared with every child; a collection that looks at it would copy its pages.
        gc.collect()
        gc.freeze()

    def take(self, listener: int, sock: socket.socket, peer: Any) -> None:
        """Give a new connection its process; OSError when there is none to be had.  In the child this does not return.

        Raises:
            BecomeConnection: in the child.
        """
        slot = self._free.pop()
        row = self._board.claim(slot)
        # A signal that arrives now waits for the child's own handlers; ours would tell the parent.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
            if pid == 0:
                raise BecomeConnection(Handover(listener, sock, peer, row))
        except OSError:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self._give_back(slot)
            raise
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        sock.close()
        child = self._children[pid] = Child(pid, slot, row, peer)
        self._terms.open[child] = None

    def receive_signal(self, number: int) -> None:
        """Take the worker's signals first: a child has ended, or all of them shall open the logs again."""
        if number == signal.SIGCHLD:
            self._reap()
        elif number == signal.SIGUSR1:
            for child in self._children.values():
                child.send(signal.SIGUSR1)

    def close(self) -> None:
        """The worker leaves: end who is still there."""
        for child in self._children.values():
            child.send(signal.SIGKILL)
        for pid in list(self._children):
            self._end(pid, _status(pid, 0))

    def _reap(self) -> None:
        while (found := self._next_ended()) is not None:
            self._end(*found)

    def _next_ended(self) -> tuple[int, int] | None:
        """Reap one of ours; a process of the application's is left to it."""
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if ended is None:
            return None
        candidates = [ended.si_pid] if ended.si_pid in self._children else list(self._children)
        for pid in candidates:
            status = _status(pid, os.WNOHANG)
            if status is not None:
                return pid, status
        return None

    def _end(self, pid: int, status: int | None) -> None:
        child = self._children.pop(pid)
        del self._terms.open[child]
        if self._terms.left is not None:
            self._terms.left(child.peer)
        self._ended += 1
        if status:
            self._explain(child, status)
        for sink, dropped in zip(
            self._sinks(), child.row.words[words.LOG_DROPPED : words.LOG_DROPPED + 2], strict=True
        ):
            if sink is not None:
                sink.dropped += dropped  # its losses are ours to report
        self._give_back(child.slot)

    def _sinks(self) -> tuple[Any, Any]:
        return self._spec.logs.error.sink, self._spec.logs.access.sink

    def _explain(self, child: Child, status: int) -> None:
        """Say what a child died of, and what died with it."""
        self._killed += 1
        how = f"died of {signal_name(-status)}" if status < 0 else f"exited with status {status}"
        now = self._terms.reactor.now
        lost = killed_requests(child.row, self._spec.slot, now)
        during = "".join(f" during {record.method} {record.target.decode('latin-1')}" for record in lost)
        _log.error("pid=%d, %s, %s%s", child.pid, connection_from(child.peer), how, during)
        for record in lost:
            self._spec.logs.access.append(record)

    def _give_back(self, slot: int) -> None:
        self._board.fold(slot)
        self._free.append(slot)

    # What the rest of the worker asks.

    def start(self, run_loop: Callable[[], None]) -> None:
        """The main thread runs the worker's loop."""
        run_loop()

    @property
    def running(self) -> Collection[Child]:
        """The children whose handlers run."""
        return [child for child in self._children.values() if child.since]

    @property
    def idle(self) -> bool:
        """Whether no child is left."""
        return not self._children

    @property
    def oldest(self) -> float:
        """When the oldest running Call began; 0.0 when none does."""
        return min((child.since for child in self.running), default=0.0)

    def has_capacity(self, expected: int) -> bool:
        """Whether there is a row for one more."""
        del expected  # they have theirs already
        return bool(self._free)

    def grow(self) -> None:
        """Once per heartbeat: a handler that is over its time loses its process, stacks first."""
        limit = self._spec.config.timeouts.handler
        if not limit:
            return
        for child in self.running:
            if child.condemned:
                child.send(signal.SIGKILL)
            elif self._terms.reactor.now - child.since > limit:
                child.condemned = True
                asked = child.request
                _log.error(
                    "%s %s: the handler still runs after %g s (timeouts.handler); its process %d is ended",
                    asked.method,
                    asked.path,
                    limit,
                    child.pid,
                    extra={"fields": {"request_id": asked.id}},
                )
                child.send(signal.SIGABRT)

    def collect(self) -> None:
        """At the end of each turn of the worker's loop: sum up what the children have counted."""
        now = self._terms.reactor.now
        if self._children and now - self._collected_at < _COLLECT_AFTER:
            return
        self._collected_at = now
        reading = self._board.read()
        terms, counts, totals = self._terms, self._counts, reading.totals
        words.load_http(totals, counts)
        counts.closed[CLOSE_REASON_INDEX[CloseReason.ERROR]] += self._killed
        counts.closed[:] = map(add, counts.closed, self._door.closed)  # nothing else is counted there
        terms.received = totals[words.NETWORK_RECEIVE]
        terms.sent = totals[words.NETWORK_TRANSMIT]
        terms.lost = self._ended
        counts.open = len(self._children)
        counts.reading = sum(row[words.CONNECTIONS_READING] for row in reading.rows.values())
        counts.active = sum(row[words.CONNECTIONS_ACTIVE] for row in reading.rows.values())


def _status(pid: int, options: int) -> int | None:
    """Reap: the exit status, negative for a signal; None while it lives."""
    with suppress(ChildProcessError):  # the application has reaped it, and keeps its status for itself
        reaped, status = os.waitpid(pid, options)
        return os.waitstatus_to_exitcode(status) if reaped else None
    return 0
