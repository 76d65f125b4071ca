"""How much memory each worker really costs: its proportional set size, where shared pages count in part.

To know it the kernel walks all page tables of a process: 0.5 ms for 100 MiB (measured); meanwhile the process cannot
map memory.  So workers are weighed one after the other, never more than one in a round, and seldom enough that all of
it is at most a hundredth of the master's time; never because somebody looks at the metrics.

Knows:     pids, when each was weighed last.
Never:     what a weight means.
Runs in:   the master, its only thread, within its round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from math import inf
from typing import Final

from hybridd.ops.procfs import read_shared

INTERVAL: Final = 10.0
"""Seconds between two looks at the same worker, at least."""

SHARE: Final = 0.01
"""Of the master's time, at most."""


class Scales:
    """Remembers what each process weighed last; 0 what nobody may know.

    ``read`` weighs a process, ``stopwatch`` says how long that took.
    """

    def __init__(
        self, read: Callable[[int], int] = read_shared, stopwatch: Callable[[], float] = time.perf_counter
    ) -> None:
        self.weights: dict[int, int] = {}
        self._read = read
        self._stopwatch = stopwatch
        self._weighed: dict[int, float] = {}
        self._not_before = -inf

    def round(self, pids: Collection[int], now: float) -> None:
        """Weigh the one of these processes whose figure is the oldest, if it is time; forget all others."""
        self._weighed = {pid: at for pid, at in self._weighed.items() if pid in pids}
        self.weights = {pid: weight for pid, weight in self.weights.items() if pid in pids}
        if now < self._not_before:
            return
        due = [pid for pid in pids if self._weighed.get(pid, -inf) + INTERVAL <= now]
        if not due:
            return
        pid = min(due, key=lambda one: self._weighed.get(one, -inf))
        began = self._stopwatch()
        self.weights[pid] = self._read(pid)
        self._weighed[pid] = now
        self._not_before = now + (self._stopwatch() - began) / SHARE
