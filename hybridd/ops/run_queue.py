"""How long the threads of another process have waited for a CPU: /proc/PID/task/TID/schedstat.

A process that does not react may be stuck, or it may be ready to run all the time and get no CPU.  Its CPU time cannot
tell the two apart: threads that poll for a lock use some, a starved process uses little.  The time that the kernel let
a thread wait in the run queue can (Documentation/scheduler/sched-stats.rst, "/proc/<pid>/schedstat", 2nd field).

Knows:     the format.
Never:     raises for a process that is gone; judges.
Runs in:   the master.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from hybridd.ops.cgroup import read_text
from hybridd.ops.procfs import parse_stat

_NANOSECOND: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread: seconds that it has waited for a CPU so far, and whether it runs or would like to now.

    What it has waited is only added up when it gets a CPU again.
    """

    waited: float
    runnable: bool


def parse_schedstat(text: str) -> float | None:
    """Return the seconds waited; None for what is no such line."""
    fields = text.split()
    if len(fields) != 3 or not fields[1].isdecimal():  # noqa: PLR2004 - run, waited, slices
        return None
    return int(fields[1]) * _NANOSECOND


def read_threads(pid: int) -> dict[int, Thread]:
    """Return the threads of a process by their id; empty when it is gone or the kernel does not say."""
    found: dict[int, Thread] = {}
    folder = f"/proc/{pid}/task"
    try:
        names = os.listdir(folder)  # noqa: PTH208 - numbers, not paths
    except OSError:
        return found
    for name in names:
        stat = parse_stat(read_text(f"{folder}/{name}/stat"))
        waited = parse_schedstat(read_text(f"{folder}/{name}/schedstat"))
        if stat is not None and waited is not None:
            found[int(name)] = Thread(waited, stat.state == "R")
    return found
