"""What a step of the application took its thread: time on a CPU, in the run queue, and what others used meanwhile.

Knows:     the clocks of threads and processes, /proc/thread-self/schedstat.
Never:     routes, Calls; judges (routes.py).
Runs in:   threads of the pool.
"""

from __future__ import annotations

import os
import threading
import time
from typing import NamedTuple

from hybridd.ops.run_queue import parse_schedstat

_LINE = 128
"""Bytes: three numbers of at most 20 digits."""


class Effort(NamedTuple):
    """Seconds of one step.

    Attributes:
        seconds: by the clock on the wall.
        on_cpu: its thread ran.
        runnable: its thread could have run, but had no CPU.
        others_on_cpu: the other threads of its process ran, all together.
    """

    seconds: float
    on_cpu: float = 0.0
    runnable: float = 0.0
    others_on_cpu: float = 0.0


NONE = Effort(0.0)


class Mark(NamedTuple):
    """The clocks at one moment, in seconds."""

    wall: float
    thread: float
    process: float
    run_queue: float


def mark() -> Mark:
    """Read the clocks of the thread that asks: 2 µs."""
    return Mark(time.monotonic(), time.thread_time(), time.process_time(), _run_queue.waited())


def between(began: Mark, ended: Mark) -> Effort:
    """Return what one thread did between two marks of its own."""
    on_cpu = ended.thread - began.thread
    return Effort(
        ended.wall - began.wall,
        on_cpu,
        ended.run_queue - began.run_queue,
        max(0.0, ended.process - began.process - on_cpu),
    )


class RunQueue(threading.local):
    """This thread's time in the run queue.

    The file stays open for as long as the thread lives: to open it costs ten times what reading does.  It is opened
    when the thread first asks: who only imports this has none, the master, whose free descriptor may be a standard
    stream's.
    """

    def __init__(self, path: str = "/proc/thread-self/schedstat") -> None:
        self._path = path
        self._file: int | None = None

    def waited(self) -> float:
        """Return the seconds that it has waited for a CPU so far."""
        if self._file is None:
            self._file = _opened(self._path)
        if self._file < 0:
            return 0.0
        return parse_schedstat(os.pread(self._file, _LINE, 0).decode("ascii")) or 0.0


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # no /proc, a kernel without CONFIG_SCHED_INFO, no descriptor left: a CPU was always free, then
        return -1


_run_queue = RunQueue()
