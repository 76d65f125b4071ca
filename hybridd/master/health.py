"""Judge whether a ready worker's loop still turns.

A worker stamps its heartbeat once per second from its loop.  An old heartbeat alone proves nothing: a worker that gets
no CPU is starved, not stuck, and killing it makes the machine busier.  So when a heartbeat is half as old as the limit,
the state of its threads is noted, and at the limit and later it is compared with that:

    it computed for half the limit or more and never came back    → hung
    a thread waited for a CPU most of the time, or never got one  → starved, left alone
    everything else: it waits for something that does not come    → hung

Nobody is judged in a round in which the master itself was late: then the machine slept or everybody was stopped.

Knows:     figures.
Never:     where they come from; kills.
Runs in:   the master, once per second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from hybridd.ops.run_queue import Thread

STARVED_SHARE = 0.5
"""Seconds per second that a thread must have waited for a CPU: a beat per second needs only a millisecond of it."""

SPUN_SHARE = 0.9
"""Seconds of CPU, in halves of the limit, that a worker must have had to be called one that computes for ever."""


class Verdict(Enum):
    """How a worker is."""

    BEATS = "beats"
    SILENT = "silent"  # not long enough, or it got no CPU
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Sample:
    """One worker in this round: when its heart last beat (monotonic seconds), its limit in seconds, and its threads.

    ``cpu`` (seconds) and ``threads`` matter only when ``is_suspect`` says so.
    """

    heartbeat: float
    limit: float
    cpu: float = 0.0
    threads: Mapping[int, Thread] | None = None

    def is_suspect(self, now: float) -> bool:
        """Whether the heartbeat is half as old as the limit."""
        return now - self.heartbeat >= self.limit / 2


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What was noted when a heartbeat became old."""

    sample: Sample
    since: float


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
        verdicts[pid] = Verdict.SILENT if sample.is_suspect(now) else Verdict.BEATS
        if not sample.is_suspect(now):
            continue
        known = suspicions.get(pid)
        if late > sample.limit / 2 or known is None or known.sample.heartbeat != sample.heartbeat:
            noted[pid] = Suspicion(sample, now)
            continue
        noted[pid] = known
        if now - sample.heartbeat >= sample.limit and _is_stuck(known, sample, now):
            verdicts[pid] = Verdict.HUNG
    return verdicts, noted


def _is_stuck(known: Suspicion, sample: Sample, now: float) -> bool:
    if sample.cpu - known.sample.cpu >= sample.limit / 2 * SPUN_SHARE:
        return True
    return not is_starved(known.sample.threads or {}, sample.threads or {}, now - known.since)


def is_starved(before: Mapping[int, Thread], after: Mapping[int, Thread], seconds: float) -> bool:
    """Whether a thread would have run but for the lack of a CPU."""
    for number, thread in after.items():
        earlier = before.get(number)
        if earlier is None:
            continue
        waited = thread.waited - earlier.waited
        never_ran = earlier.runnable and thread.runnable and not waited
        if waited >= seconds * STARVED_SHARE or never_ran:
            return True
    return False
