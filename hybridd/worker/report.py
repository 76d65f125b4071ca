"""What a worker says of itself in its scoreboard row: once per turn what changed, once per second that it lives.

Knows:     where each fact stands in the row (words.py) and where it comes from.
Never:     the other rows.
Runs in:   the thread that leads (rule 1 of the scoreboard: one writer per word).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from math import inf
from typing import Final

from hybridd.http.counts import HttpCounts
from hybridd.net.listener import Listener
from hybridd.net.terms import Terms
from hybridd.ops.scoreboard import Row
from hybridd.ops.title import Title, worker_title
from hybridd.worker import leaving_words, words
from hybridd.worker.accepting import Acceptor
from hybridd.worker.spec import WorkerSpec
from hybridd.worker.words import WorkerState
from hybridd.worker.work import Work

HEARTBEAT: Final = 1.0
"""Seconds; an idle worker wakes up for nothing else."""

STALL: Final = 0.1
"""Seconds from which a loop that stands still is counted: less than people notice."""

# Looked up in every turn.
_ASLEEP: Final = words.ASLEEP
_BUSY_SINCE: Final = words.BUSY_SINCE


class Report:
    """The writer of one row.

    How long the loop stood still costs no clock: a turn's time is known when it begins and after each Call, and that
    something else held the interpreter lock is seen by a loop that wakes up later than its heartbeat was due.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        row: Row,
        *,
        counts: HttpCounts,
        terms: Terms,
        dispatch: Work,
        acceptors: Sequence[Acceptor],
    ) -> None:
        self._spec = spec
        self._row = row
        self._counts = counts
        self._terms = terms
        self._dispatch = dispatch
        self._acceptors = acceptors
        self._state = WorkerState.BOOTING
        self._title = Title()
        self._moved: tuple[int, ...] = ()
        # Seconds of the loop's clock: when this turn began, until when stalls are counted, when the next beat is due.
        self._woke = terms.reactor.now
        self._turning = False  # it has begun and not ended
        self._counted = self._woke
        self._due = inf

    def state(self, state: WorkerState) -> None:
        """Say what the worker does now, and call the master's attention to it."""
        self._state = state
        self._row.words[words.STATE] = words.pack_state(state, self._spec.generation)
        os.eventfd_write(self._spec.doorbell, 1)
        self._show_title()

    def is_leaving(self, listener: Listener) -> bool:
        """Whether the master will close this listener: those who accept on it retire with it."""
        return leaving_words.names(self._spec.scoreboard.header[words.LEAVING_LISTENERS], listener.number)

    def beat(self) -> None:
        """The loop turns: the heartbeat, and what is too dear for every turn."""
        self._count_stall(max(self._due, self._counted), self._woke)
        self._due = self._terms.reactor.now + HEARTBEAT
        row = self._row.words
        row[words.HEARTBEAT] = time.monotonic_ns()
        row[words.OLDEST_CALL] = int(self._dispatch.oldest * 1e9)
        row[words.THREADS] = self._dispatch.threads
        row[words.HANDOFFS] = self._dispatch.handoffs
        self._row.store(words.LOG_DROPPED, self._spec.logs.dropped)
        self._moved = ()  # at the end of this turn everything is stored, should anything have been overlooked
        self._show_title()

    def _show_title(self) -> None:
        connections, calls = len(self._terms.open), len(self._dispatch.running)
        spec, state = self._spec, self._state.name.lower()
        self._title.show(worker_title(spec.slot, spec.generation, state, connections=connections, calls=calls))

    def sleeps(self) -> None:
        """The loop goes to sleep; another worker may leave a connection to us if we would hear of it."""
        row = self._row.words
        row[_BUSY_SINCE] = 0
        row[_ASLEEP] = int(self._terms.armed > 0)

    def wakes(self) -> None:
        """The loop has something to do."""
        row = self._row.words
        now = time.monotonic_ns()
        row[_ASLEEP] = now if row[_ASLEEP] == 1 else 0
        row[_BUSY_SINCE] = now
        woke = self._terms.reactor.now
        if self._turning:  # who led lost the lead in the middle of its turn
            self._count_stall(self._woke, woke)
        self._turning = True
        self._woke = woke

    def turned(self) -> None:
        """A turn has ended: store what it changed; that is nothing if no byte, Call, connection or listener moved."""
        terms, dispatch = self._terms, self._dispatch
        if terms.reactor.now - self._woke >= STALL:
            self._count_stall(self._woke, terms.reactor.now)
        self._turning = False
        running, queued, connections = len(dispatch.running), dispatch.queued, len(terms.open)
        moved = (terms.received, terms.sent, connections, running, queued, terms.lost, terms.armed)
        if moved == self._moved:
            return
        self._moved = moved
        words.store_http(self._row, self._counts)
        row = self._row.words
        row[words.CONNECTIONS] = connections  # those of raw protocols too
        row[words.CALLS_RUNNING] = running
        row[words.CALLS_QUEUED] = queued
        row[words.LOAD] = words.pack_load(running + queued, connections)
        row[words.ACCEPTING] = int(terms.armed > 0)
        accepted = 0
        for acceptor in self._acceptors:  # one, as a rule: a generator would cost 0.2 µs
            accepted += acceptor.accepted
        row[words.CONNECTIONS_ACCEPTED] = accepted
        row[words.NETWORK_RECEIVE] = terms.received
        row[words.NETWORK_TRANSMIT] = terms.sent

    def _count_stall(self, begun: float, ended: float) -> None:
        if ended - begun >= STALL:
            self._counted = ended
            row = self._row.words
            row[words.LOOP_STALL] += int((ended - begun) * 1e9)
            row[words.LOOP_STALLS] += 1
