"""Judge whether a ready worker's loop still turns.

A worker stamps its heartbeat once per second from its loop.  An old heartbeat alone proves nothing: a worker that gets
no CPU is starved, not stuck, and killing it makes the machine busier.  So when a heartbeat is half as old as the limit,
the worker's CPU time is noted, and at the limit it is compared:

    it did not move: the worker waits for something that does not come            → hung
    it moved by half the limit or more: the worker computes and never comes back  → hung
    something between: it gets too little CPU                                     → starved, left alone

Nobody is judged in a round in which the master itself was late: then the machine slept or everybody was stopped.

Knows:     figures.
Never:     where they come from; kills.
Runs in:   the master, once per second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

IDLE_SHARE = 0.01
"""CPU seconds per second below which a worker does nothing (a clock tick is 0.01 s: a signal's handling shows)."""


class Verdict(Enum):
    """How a worker is."""

    BEATS = "beats"
    SILENT = "silent"  # not long enough, or it got no CPU
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Sample:
    """One worker in this round: when its heart last beat (monotonic seconds), its CPU seconds, its limit in seconds."""

    heartbeat: float
    cpu: float
    limit: float


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What was noted when a heartbeat became old."""

    heartbeat: float
    since: float
    cpu: float


def judge(
    samples: Mapping[int, Sample], suspicions: Mapping[int, Suspicion], now: float, *, late: float
) -> tuple[dict[int, Verdict], dict[int, Suspicion]]:
    """Return a verdict for each worker, and what to remember for the next round.

    Args:
        samples: by pid.
        suspicions: what the last round returned.
        now: monotonic seconds.
        late: by how many seconds this round of the master came too late.
    """
    verdicts: dict[int, Verdict] = {}
    noted: dict[int, Suspicion] = {}
    for pid, sample in samples.items():
        age = now - sample.heartbeat
        half = sample.limit / 2
        if age < half:
            verdicts[pid] = Verdict.BEATS
            continue
        verdicts[pid] = Verdict.SILENT
        known = suspicions.get(pid)
        if late > half or known is None or known.heartbeat != sample.heartbeat:
            noted[pid] = Suspicion(sample.heartbeat, now, sample.cpu)
            continue
        noted[pid] = known
        if age >= sample.limit and _is_stuck(known, sample, now):
            verdicts[pid] = Verdict.HUNG
    return verdicts, noted


def _is_stuck(known: Suspicion, sample: Sample, now: float) -> bool:
    watched, used = now - known.since, sample.cpu - known.cpu
    half = sample.limit / 2
    if watched < min(half, 1.0):  # one look is no comparison; the limit may be so short that half of it is a round
        return False
    return used <= max(watched * IDLE_SHARE, IDLE_SHARE) or used >= half * 0.9
