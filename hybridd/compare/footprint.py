"""What a server takes of the machine, read from outside: processes, threads, memory, CPU time of its session.

Knows:     /proc/PID/stat and /proc/PID/smaps_rollup (proc(5)), the CPU clocks of processes (clock_getcpuclockid(3)).
Never:     raises for a process that has gone meanwhile.
Runs in:   the command line tool.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Process:
    """One process.

    Attributes:
        reaped: CPU seconds of its children that have ended and been waited for.
        started: in ticks since the machine started; a pid alone may be another process's later.
    """

    pid: int
    session: int
    state: str
    threads: int
    reaped: float
    started: int


@dataclass(frozen=True, slots=True)
class Footprint:
    """Of a whole session.

    Attributes:
        memory: bytes of PSS: a page that n processes share counts 1/n for each.
    """

    processes: int
    threads: int
    memory: int


def parse_stat(text: str) -> Process | None:
    """Parse /proc/PID/stat; None for what is no such line.

    The name in parentheses may itself hold spaces and parentheses: count from the last one.
    """
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    try:
        reaped = (int(fields[13]) + int(fields[14])) * _TICK
        return Process(int(head.split(" ", 1)[0]), int(fields[3]), fields[0], int(fields[17]), reaped, int(fields[19]))
    except (IndexError, ValueError):
        return None


def parse_pss(text: str) -> int:
    """Return the proportional set size in bytes of a smaps_rollup; 0 when it says nothing."""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * _KIB
    return 0


def members(session: int) -> list[Process]:
    """Return the living processes of a session.

    Raises:
        ValueError: 0 is nobody's session: it is what the kernel and whatever the first process started have in common.
    """
    if session <= 0:
        raise ValueError(f"no session has the number {session}")
    return [process for process in _all_of(session) if process.state not in "ZX"]


def _all_of(session: int) -> list[Process]:
    """Return the processes of a session, those too that have ended and are not waited for yet."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
        if name.isdigit() and (text := _read(f"/proc/{name}/stat")):
            process = parse_stat(text)
            if process is not None and process.session == session:
                found.append(process)
    return found


def measure(session: int) -> Footprint:
    """Look at a session."""
    found = members(session)
    return Footprint(
        processes=len(found),
        threads=sum(process.threads for process in found),
        memory=sum(parse_pss(_read(f"/proc/{process.pid}/smaps_rollup")) for process in found),
    )


def cpu_time(session: int) -> float:
    """Return the CPU seconds of a session so far, those of processes and threads that have ended included."""
    return sum(_cpu(process.pid) + process.reaped for process in _all_of(session))


def _cpu(pid: int) -> float:
    """Return the CPU time of a process with all its threads, ended ones too: in nanoseconds, where stat has ticks.

    The number of the clock is what clock_getcpuclockid(3) makes: the complement of the pid, and 2 for the scheduler's.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
