"""What the kernel says about another process: /proc/PID, proc(5).

Knows:     the format of ``stat``.
Never:     raises for a process that is gone or not ours to look at.
Runs in:   the master (metrics, death certificates, judging a worker that is starved of CPU).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stat:
    """One process: CPU time of all its threads, not of its children; ``started`` is seconds since the machine booted.

    (pid, started) names a process for good; a pid alone may be given to another one.
    """

    state: str
    cpu_seconds: float
    threads: int
    started: float
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process as the metrics show it; ``open_fds`` is None when we may not look."""

    stat: Stat
    open_fds: int | None


def parse_stat(text: str, *, ticks: int = _TICKS, page: int = _PAGE) -> Stat | None:
    """Parse /proc/PID/stat; None for what is no such line.

    The second field is the name in parentheses and may itself hold spaces and parentheses: count from the last one.
    """
    fields = text.rpartition(")")[2].split()
    try:
        return Stat(
            state=fields[0],
            cpu_seconds=(int(fields[11]) + int(fields[12])) / ticks,
            threads=int(fields[17]),
            started=int(fields[19]) / ticks,
            resident_bytes=int(fields[21]) * page,
        )
    except (IndexError, ValueError):
        return None


def read_stat(pid: int) -> Stat | None:
    """Return the facts about a process, None when there is none (any more).  A zombie has them."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - 3 times as fast
            return parse_stat(file.read())
    except OSError:
        return None


def parse_parent(text: str) -> int:
    """Return the parent's pid in /proc/PID/stat, 0 for what is no such line."""
    fields = text.rpartition(")")[2].split()
    return int(fields[1]) if len(fields) > 1 and fields[1].isdecimal() else 0


def children_of(pid: int) -> list[int]:
    """Return the children of a process, dead ones too.  Looks at every process: not for often."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208 - numbers
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
                parent = parse_parent(file.read())
        except OSError:
            continue
        if parent == pid:
            found.append(int(name))
    return found


def name_of(pid: int) -> str:
    """Return the name of a process, of at most 15 bytes (comm); empty when it is gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
            return file.read().rstrip("\n")
    except OSError:
        return ""


def parse_shared(text: str) -> int:
    """Return the bytes of ``Pss:`` in /proc/PID/smaps_rollup, 0 when there is no such line."""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def read_shared(pid: int) -> int:
    """Return the proportional set size of a process: shared pages count in part.  0 when we may not know.

    Walks all page tables, see master/scales.py.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:  # noqa: PTH123 - as above
            return parse_shared(file.read())
    except OSError:
        return 0


def count_open_fds(pid: int) -> int | None:
    """Return how many descriptors a process has open, None when it is gone or another user's.

    Since Linux 6.2 the size of the directory is that number; before, 10,000 connections cost 5 ms of listing.
    """
    path = f"/proc/{pid}/fd"
    try:
        return os.stat(path).st_size or len(os.listdir(path))  # noqa: PTH116, PTH208 - a number, not paths
    except OSError:
        return None


def read_process(pid: int) -> Process | None:
    """Return what the metrics show of a process, None when it is gone."""
    stat = read_stat(pid)
    return None if stat is None else Process(stat, count_open_fds(pid))
