"""A process and its descendants, as /proc shows them (proc(5)).

Knows:     the format of /proc/PID/stat.
Never:     raises for a process that has gone meanwhile.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A process; (pid, started) names it for good, a pid alone may be given to another one."""

    pid: int
    parent: int
    started: int
    state: str


def parse_stat(text: str) -> Process | None:
    """Parse /proc/PID/stat; None for what is no such line.

    The name in parentheses may itself hold spaces and parentheses: count from the last one.
    """
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    try:
        return Process(int(head.split(" ", 1)[0]), int(fields[1]), int(fields[19]), fields[0])
    except (IndexError, ValueError):
        return None


def read_process(pid: int) -> Process | None:
    """Return one process, None when there is none (any more)."""
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text(errors="replace"))
    except OSError:
        return None


def is_alive(process: Process) -> bool:
    """Whether this very process still runs; one that only waits to be reaped does not."""
    now = read_process(process.pid)
    return now is not None and now.started == process.started and now.state != "Z"


def all_processes() -> list[Process]:
    """Return every process of the machine."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names, not paths
    return [process for pid in pids if (process := read_process(pid)) is not None]


def descendants(root: int, processes: list[Process]) -> list[Process]:
    """Return ``root`` itself and all its descendants, parents first."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    found = [process for process in processes if process.pid == root]
    for process in found:
        found.extend(children.get(process.pid, ()))
    return found


def tree(root: int) -> list[Process]:
    """Return a process and its descendants that run now."""
    return [process for process in descendants(root, all_processes()) if process.state != "Z"]
