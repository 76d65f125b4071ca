"""Which routes have blocked lately: decides where a Call begins, on the thread that leads or in the pool.

A hand-off costs a thread switch and some luck, so it should happen once per route and not once per request.  A route is
the method and the first segments of the path; a segment with a digit in it is taken for an identifier.  A route that
blocked goes to the pool until it has been fast there for a while; one that computes is remembered as that, because too
many of its kind would make everybody wait for the interpreter lock.

Knows:     how long steps took, as it is told.
Never:     the clock, threads, Calls.
Runs in:   the thread that leads.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from hybridd.worker.effort import Effort

SLOW = 0.005
"""Seconds: a step that takes longer belongs into the pool; what the monitor waits before it acts."""

FAST = 0.002
"""Seconds: a step in the pool that takes no longer could have run on the leader; the gap to SLOW avoids flapping."""

FORGIVEN = 32
"""So many fast steps in a row, and the route is tried on the leader again."""

_CAPACITY = 1024
_SEGMENTS = 3
_SHORT = 128
"""Characters of a path that is worth remembering; long ones would be a client's way to our memory."""


class Verdict(Enum):
    """What is known of a route."""

    FAST = "fast"  # nothing bad: run it on the leader
    BLOCKS = "blocks"  # waits for something: run it in the pool
    COMPUTES = "computes"  # run it in the pool, a few at a time


_FAST = Verdict.FAST


def weigh(effort: Effort, rivals: int) -> Verdict | None:
    """Say whether a slow step computed or waited; None when both are possible.

    A thread that is not on a CPU may wait for something outside (a database), for a CPU or for the interpreter lock;
    more threads help against the first only.  Time alone cannot tell: of four handlers that compute each is on a CPU
    for a quarter of it; called blocked, all four are let in, and nothing ever shows otherwise.

    While it slept, it may have waited for the interpreter lock at most as long as other threads ran, and, because the
    lock goes round, for each of its ``rivals`` (the Calls beside it and the leader) at most as long as it ran itself.
    Both become longer where who holds the lock has to wait for a CPU, which is taken to happen to all alike.  What that
    cannot explain it waited for something else.
    """
    working = effort.on_cpu + effort.runnable
    asleep = effort.seconds - working
    if effort.on_cpu >= asleep:
        return Verdict.COMPUTES
    starved = working / effort.on_cpu if effort.on_cpu else 1.0
    explained = min(effort.others_on_cpu, rivals * effort.on_cpu) * starved
    return Verdict.BLOCKS if asleep - explained > effort.on_cpu else None


@dataclass(slots=True)
class _Record:
    verdict: Verdict
    sure: bool = True
    fast_steps: int = 0


class Routes:
    """A bounded memory, least recently used first out.

    Attributes:
        slow: what is remembered, by route; nothing: every route is fast, as far as we know.
    """

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self.slow: OrderedDict[str, _Record] = OrderedDict()
        self._capacity = capacity

    def judge(self, method: str, path: str) -> Verdict:
        """What is known of the route of this request.  While nothing has ever blocked, that is one look at a dict."""
        if not self.slow:
            return _FAST
        key = route_of(method, path)
        record = self.slow.get(key)
        if record is None:
            return _FAST
        self.slow.move_to_end(key)
        return record.verdict

    def suspect(self, method: str, path: str, seconds: float) -> None:
        """Learn from a step that began on the leader and was taken over: nobody measured what it did."""
        key = route_of(method, path)
        if seconds >= SLOW and key not in self.slow:
            self._remember(key, _Record(Verdict.BLOCKS, sure=False))

    def observe(self, method: str, path: str, effort: Effort, rivals: int) -> None:
        """Learn from a step that ran in the pool; ``rivals`` as for ``weigh``.

        What could have been both changes nothing that is known for sure.  Of a route of which nothing is, it is taken
        for computing: with few of it at a time, the next steps are clear.
        """
        key = route_of(method, path)
        record = self.slow.get(key)
        if effort.seconds >= SLOW:
            verdict = weigh(effort, rivals)
            if verdict is None:
                verdict = record.verdict if record is not None and record.sure else Verdict.COMPUTES
            self._remember(key, _Record(verdict))
        elif record is not None and effort.seconds <= FAST:
            record.fast_steps += 1
            if record.fast_steps >= FORGIVEN:
                del self.slow[key]
        elif record is not None:
            record.fast_steps = 0

    def _remember(self, key: str, record: _Record) -> None:
        self.slow[key] = record
        self.slow.move_to_end(key)
        if len(self.slow) > self._capacity:
            self.slow.popitem(last=False)


def route_of(method: str, path: str) -> str:
    """``GET /orders/17/items/3`` → ``GET /orders/*/items``."""
    return _remembered(method, path) if len(path) <= _SHORT else _fold(method, path)


def _fold(method: str, path: str) -> str:
    segments = path.split("/", _SEGMENTS + 1)[1 : _SEGMENTS + 1]
    folded = ("*" if any(map(str.isdigit, segment)) else segment for segment in segments)
    return f"{method} /{'/'.join(folded)}"


_remembered = lru_cache(maxsize=_CAPACITY)(_fold)
"""Folding costs 0.8 µs, for every request once a route is slow."""
