"""What a worker says of itself in its scoreboard row: once per turn what changed, once per second that it lives.

Knows:     where each fact stands in the row (words.py) and where it comes from.
Never:     the other rows.
Runs in:   the thread that leads (rule 1 of the scoreboard: one writer per word).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from hybridd.http.counts import HttpCounts
from hybridd.net.terms import Terms
from hybridd.ops.logs import Logs
from hybridd.ops.scoreboard import Row
from hybridd.worker import words
from hybridd.worker.accepting import Acceptor
from hybridd.worker.dispatch import Dispatch


class Report:
    """The writer of one row."""

    def __init__(
        self,
        row: Row,
        generation: int,
        *,
        ring: Callable[[], None],
        counts: HttpCounts,
        terms: Terms,
        dispatch: Dispatch,
        acceptors: Sequence[Acceptor],
        logs: Logs,
    ) -> None:
        self._row = row
        self._generation = generation
        self._ring = ring
        self._counts = counts
        self._terms = terms
        self._dispatch = dispatch
        self._acceptors = acceptors
        self._logs = logs
        self._moved: tuple[int, ...] = ()

    def state(self, state: words.WorkerState) -> None:
        """Say what the worker does now, and call the master's attention to it."""
        self._row.words[words.STATE] = words.pack_state(state, self._generation)
        self._ring()

    def beat(self) -> None:
        """The loop turns: the heartbeat, and what is too dear for every turn."""
        row = self._row.words
        row[words.HEARTBEAT] = time.monotonic_ns()
        row[words.OLDEST_CALL] = int(self._dispatch.oldest * 1e9)
        row[words.THREADS] = self._dispatch.threads
        self._row.store(words.LOG_DROPPED, self._logs.dropped)

    def sleeps(self) -> None:
        """The loop goes to sleep; another worker may leave a connection to us if we would hear of it."""
        row = self._row.words
        row[words.BUSY_SINCE] = 0
        row[words.ASLEEP] = int(any(acceptor.armed for acceptor in self._acceptors))

    def wakes(self) -> None:
        """The loop has something to do."""
        row = self._row.words
        row[words.ASLEEP] = 0
        row[words.BUSY_SINCE] = time.monotonic_ns()

    def turned(self) -> None:
        """A turn has ended: store what it changed.  A turn that moved no byte and no Call changed nothing."""
        terms, dispatch = self._terms, self._dispatch
        running, queued, connections = len(dispatch.running), dispatch.queued, len(terms.open)
        moved = (terms.received, terms.sent, connections, running, queued, terms.lost)
        if moved == self._moved:
            return
        self._moved = moved
        words.store_http(self._row, self._counts)
        row = self._row.words
        row[words.CONNECTIONS] = connections  # those of raw protocols too
        row[words.CALLS_RUNNING] = running
        row[words.CALLS_QUEUED] = queued
        row[words.LOAD] = words.pack_load(running + queued, connections)
        row[words.ACCEPTING] = int(any(acceptor.armed for acceptor in self._acceptors))
        row[words.CONNECTIONS_ACCEPTED] = sum(acceptor.accepted for acceptor in self._acceptors)
        row[words.NETWORK_RECEIVE] = terms.received
        row[words.NETWORK_TRANSMIT] = terms.sent
