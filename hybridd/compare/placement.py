"""Which CPU the load client gets, and which the servers: on the same one they would measure each other.

Knows:     CPU affinity.
Runs in:   the command line tool.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placement:
    """CPU numbers; ``client`` is None when there is only one CPU, which all share."""

    servers: tuple[int, ...]
    client: int | None


def place(cpus: Collection[int]) -> Placement:
    """Give the client the last CPU and the servers all others."""
    *others, last = sorted(cpus)
    return Placement(tuple(others), last) if others else Placement((last,), None)


@contextmanager
def placed() -> Iterator[Placement]:
    """Stay on the servers' CPUs, so that what we start does too."""
    before = os.sched_getaffinity(0)
    placement = place(before)
    os.sched_setaffinity(0, placement.servers)
    try:
        yield placement
    finally:
        os.sched_setaffinity(0, before)
