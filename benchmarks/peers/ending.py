"""Ending processes by pid, so that none is left and none is mistaken for another.

Runs in:   the harness.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterable

from benchmarks.measure.process_tree import Process, is_alive

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent ends (prctl(2)), so that none is lost."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_gone(family: Iterable[Process], seconds: float) -> bool:
    """Wait until all have ended; return whether they have."""
    family = list(family)
    deadline = time.monotonic() + seconds
    while any(map(is_alive, family)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def kill(family: Iterable[Process]) -> None:
    """End those of them that still live, at once."""
    for process in family:
        if is_alive(process):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


def reap(family: Iterable[Process]) -> None:
    """Take the exit status of those that are our children, adopted ones among them."""
    for process in family:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, 0)
