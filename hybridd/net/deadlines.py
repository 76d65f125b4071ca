"""Deadlines of many connections, each O(1) to set, to move and to forget.

A timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987) with one entry per connection.  An
entry that is moved later stays where it is and is looked at again when its old tick comes, so that a busy keep-alive
connection costs one store per request, and an idle one its place in a set.  A plain FIFO per timeout class cannot do
that: an entry that is re-queued lazily lands behind entries with later deadlines and fires up to a whole timeout late.

Knows:     the time it is given.
Never:     the clock, sockets.
Runs in:   the thread that leads the reactor.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Protocol

TICK = 0.05
"""Seconds; a deadline fires at most this much late."""

_TICKS_PER_SECOND = 1 / TICK


class Timed(Protocol):
    """Something that may have a deadline; the two attributes belong to the wheel once it was armed."""

    deadline: float
    """Monotonic seconds; 0.0 means none."""
    tick: int
    """Where the wheel holds it; 0 means nowhere."""

    def expired(self, now: float) -> None:
        """The deadline has passed; it has been set back to 0.0 before."""


class Deadlines:
    """The wheel: ticks in which something may expire, and what waits in each."""

    def __init__(self) -> None:
        self._waiting: dict[int, set[Timed]] = {}
        self._newest = 0  # the tick placed last
        self._ticks: list[int] = []  # a heap; at most (longest timeout / TICK) entries

    def arm(self, timed: Timed, at: float) -> None:
        """Let ``timed`` expire at the monotonic time ``at``, instead of any earlier wish."""
        timed.deadline = at
        held = timed.tick
        tick = int(at * _TICKS_PER_SECOND) + 1
        if held and held <= tick:
            return  # looked at again when `held` comes
        if held:
            self._waiting[held].discard(timed)
        self._place(timed, tick)

    def forget(self, timed: Timed) -> None:
        """``timed`` is gone: keep no reference to it."""
        timed.deadline = 0.0
        if timed.tick:
            self._waiting[timed.tick].discard(timed)
            timed.tick = 0

    def next(self) -> float | None:
        """The monotonic time of the next tick worth waking for; None when nothing waits."""
        while self._ticks:
            tick = self._ticks[0]
            if self._waiting[tick]:
                return tick / _TICKS_PER_SECOND
            heappop(self._ticks)
            del self._waiting[tick]
        return None

    def expire(self, now: float) -> None:
        """Call ``expired`` of everything whose deadline is not later than ``now``."""
        reached = int(now * _TICKS_PER_SECOND)
        while self._ticks and self._ticks[0] <= reached:
            tick = heappop(self._ticks)
            # Emptied one by one, so that `forget` and `arm` by an expired neighbour find a true picture.
            waiting = self._waiting[tick]
            while waiting:
                self._look_at(waiting.pop(), now)
            del self._waiting[tick]

    def soonest(self) -> Iterator[Timed]:
        """Yield all that have a deadline, the earliest first (to a tick); what changes meanwhile may be missed."""
        ticks = sorted(self._waiting)  # a sorted list is a heap
        known = set(ticks)
        while ticks:
            tick = heappop(ticks)
            for timed in list(self._waiting.get(tick, ())):
                if timed.tick != tick or not timed.deadline:
                    continue  # it has gone, or it waits no longer
                true = int(timed.deadline * _TICKS_PER_SECOND) + 1
                if true <= tick:
                    yield timed
                    continue
                self._waiting[tick].discard(timed)  # it was moved later, lazily: its turn comes when that does
                self._place(timed, true)
                if true not in known:
                    known.add(true)
                    heappush(ticks, true)

    def _look_at(self, timed: Timed, now: float) -> None:
        timed.tick = 0
        deadline = timed.deadline
        if not deadline:
            return
        if deadline <= now:
            timed.deadline = 0.0
            timed.expired(now)
        else:
            self._place(timed, int(deadline * _TICKS_PER_SECOND) + 1)

    def _place(self, timed: Timed, tick: int) -> None:
        if tick != self._newest:
            self._newest = tick
        tick = self._newest  # one number for all who wait for it: it has 32 bytes, a third of a connection's socket
        waiting = self._waiting.get(tick)
        if waiting is None:
            waiting = self._waiting[tick] = set()
            heappush(self._ticks, tick)
        waiting.add(timed)
        timed.tick = tick
