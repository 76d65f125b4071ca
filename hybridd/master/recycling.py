"""Which workers are to be replaced though they are well: they have served, grown or lived enough.

Only a judgement; who is marked here goes when another one can take its place (replacing.py).

Knows:     figures, and the settings of the worker's generation.
Never:     where the figures come from; the clock.
Runs in:   the master, once per second.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridd.config.conversion import format_duration, format_size
from hybridd.config.settings import Config, Recycle
from hybridd.master.children import Child, Why
from hybridd.master.events import Marked

AGE_JITTER = 0.1
"""Share of recycle.max_age by which some go earlier."""

_SPREAD = 2654435761  # Knuth's multiplicative hash: neighbouring pids are spread evenly


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of one worker.

    Attributes:
        served: requests answered (or connections, of a raw protocol).
        resident: bytes.
        proportional: bytes, shared ones in part; 0 while it is not known.
    """

    served: int
    resident: int
    proportional: int


def judge(config: Config, child: Child, figures: Figures, now: float) -> Marked | None:
    """Return the mark for a worker that is due.

    Args:
        config: that of its generation.
        child: the worker.
        figures: what is known of it.
        now: monotonic seconds.
    """
    reason = enough(config.recycle, child, figures, now)
    return Marked(child.pid, Why.RECYCLE, reason) if reason else None


def enough(limits: Recycle, child: Child, figures: Figures, now: float) -> str:
    """Return why a worker has had enough, empty when it has not."""
    lot = child.pid * _SPREAD % 2**32 / 2**32  # the same each time that it is asked for
    most = limits.max_requests + int(limits.max_requests_jitter * lot)
    if limits.max_requests and figures.served >= most:
        return f"it has served {figures.served} requests (recycle.max_requests)"
    if limits.max_age and now - child.born >= limits.max_age * (1 - AGE_JITTER * lot):
        return f"it has lived {format_duration(float(round(now - child.born)))} (recycle.max_age)"
    size = figures.proportional if limits.memory == "pss" else figures.resident
    if limits.max_rss and size >= limits.max_rss:
        return f"it has {format_size(size // 1024 * 1024)} of memory (recycle.max_rss, {limits.memory})"
    return ""
