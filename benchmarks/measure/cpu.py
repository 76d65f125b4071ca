"""CPU time: of processes in nanoseconds (schedstat), of whole CPUs in ticks (/proc/stat).

Knows:     /proc/PID/task/TID/schedstat: "time on a CPU, time waiting for one, turns"; the first two in nanoseconds.
           /proc/PID/stat counts in ticks of 10 ms: too coarse, and it splits user from system by sampling.
Never:     sees the time of a thread that ended between two readings (none of the servers ends threads under load).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")

Threads = Mapping[tuple[int, int], int]
"""Nanoseconds on a CPU by (pid, thread)."""


def parse_schedstat(text: str) -> int:
    """Return the nanoseconds on a CPU.

    Raises:
        ValueError: no such line.
    """
    fields = text.split()
    if len(fields) != 3:  # noqa: PLR2004 - see the top
        raise ValueError(f"not a schedstat line: {text!r}")
    return int(fields[0])


def read_threads(pids: Iterable[int]) -> dict[tuple[int, int], int]:
    """Return the CPU time of every thread of these processes; those that have gone are left out."""
    found = {}
    for pid in pids:
        try:
            names = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - names, not paths
        except OSError:
            continue
        for name in names:
            try:
                found[pid, int(name)] = parse_schedstat(Path(f"/proc/{pid}/task/{name}/schedstat").read_text())
            except (OSError, ValueError):
                continue
    return found


def spent(before: Threads, after: Threads) -> int:
    """Return the nanoseconds between two readings; a thread that is new counts whole."""
    return sum(now - before.get(thread, 0) for thread, now in after.items())


@dataclass(frozen=True, slots=True)
class Busy:
    """How long a CPU did something, and how long the hypervisor gave it to others, in nanoseconds."""

    busy: int
    stolen: int

    def __sub__(self, earlier: Busy) -> Busy:
        return Busy(self.busy - earlier.busy, self.stolen - earlier.stolen)


def parse_cpu_line(text: str) -> Busy:
    """Parse a ``cpuN`` line: user nice system idle iowait irq softirq steal (guest is inside user)."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in text.split()[1:9])
    return Busy((user + nice + system + irq + softirq) * _TICK_NS, steal * _TICK_NS)


def read_busy(cpus: Iterable[int]) -> Busy:
    """Return the sum over some CPUs."""
    wanted = {f"cpu{number}" for number in cpus}
    lines = Path("/proc/stat").read_text().splitlines()
    parts = [parse_cpu_line(line) for line in lines if line.split(" ", 1)[0] in wanted]
    return Busy(sum(part.busy for part in parts), sum(part.stolen for part in parts))
