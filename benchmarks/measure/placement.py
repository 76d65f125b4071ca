"""Which CPU the servers get and which the load generator.

Knows:     sysfs' list of hardware threads that share a core.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Placement:
    """CPU numbers.

    Attributes:
        load: where the load generator runs, alone.
        single: where servers with one worker run, all of them, one at a time under load.
        several: where servers with several workers run.
        everywhere: all of them.
    """

    load: int
    single: int
    several: tuple[int, ...]
    everywhere: tuple[int, ...]


class TooFewCpus(Exception):  # noqa: N818 - reads as the sentence it begins
    """Load and servers on one CPU measure each other."""


def place(available: Sequence[int], siblings: Mapping[int, frozenset[int]]) -> Placement:
    """Give the load generator a core of its own: hardware threads of one core slow each other down.

    Raises:
        TooFewCpus: there is one CPU only.
    """
    ordered = sorted(available)
    load = ordered[0]
    elsewhere = tuple(cpu for cpu in ordered[1:] if cpu not in siblings.get(load, frozenset()))
    several = elsewhere or tuple(ordered[1:])  # one core with two threads: better than nothing
    if not several:
        raise TooFewCpus("two CPUs are needed: one for the servers, one for the load")
    return Placement(load, several[-1], several, tuple(ordered))


def read_siblings(cpus: Sequence[int]) -> dict[int, frozenset[int]]:
    """Return for each CPU those that share its core, itself among them."""
    found = {}
    for cpu in cpus:
        try:
            text = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text()
        except OSError:
            text = str(cpu)
        found[cpu] = frozenset(parse_cpu_list(text))
    return found


def parse_cpu_list(text: str) -> list[int]:
    """Parse the kernel's ``0,2-3`` form."""
    numbers: list[int] = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def here() -> Placement:
    """Return the placement on the CPUs that this process may use; raises as ``place``."""
    available = sorted(os.sched_getaffinity(0))
    return place(available, read_siblings(available))
