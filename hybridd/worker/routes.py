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

SLOW = 0.005
"""Seconds: a step that takes longer belongs into the pool; what the monitor waits before it acts."""

FAST = 0.002
"""Seconds: a step in the pool that takes no longer could have run on the leader; the gap to SLOW avoids flapping."""

FORGIVEN = 32
"""So many fast steps in a row, and the route is tried on the leader again."""

COMPUTES = 0.5
"""Share of a slow step's time that its thread was on a CPU, from which on the route counts as computing."""

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


@dataclass(slots=True)
class _Record:
    verdict: Verdict
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

    def observe(self, method: str, path: str, seconds: float, cpu_seconds: float) -> None:
        """Learn from a step that was taken over or ran in the pool: its time, and how much of it on a CPU."""
        key = route_of(method, path)
        record = self.slow.get(key)
        if seconds >= SLOW:
            verdict = Verdict.COMPUTES if cpu_seconds >= COMPUTES * seconds else Verdict.BLOCKS
            self._remember(key, _Record(verdict))
        elif record is not None and seconds <= FAST:
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
