"""Make a child, wait for one: the system calls of process supervision, and which signal is which step.

Knows:     fork(2), wait4(2), signal numbers.
Never:     what a child is for.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Final

from hybridd.master.children import Abort, Drain, Kill, Quit

SIGNAL_OF: Final = {
    Drain: signal.SIGTERM,
    Quit: signal.SIGQUIT,
    Abort: signal.SIGABRT,
    Kill: signal.SIGKILL,
}


@dataclass(frozen=True, slots=True)
class Reaped:
    """A process that ended: its wait status (negative: the signal), CPU seconds and most resident bytes of its life."""

    pid: int
    status: int
    cpu: float
    peak: int


def fork() -> int:
    """Fork; in the child all signals are blocked until it has arranged for them.

    Raises:
        OSError: the system refuses.
    """
    _assert_one_thread()
    # A signal that arrives now waits: in the parent until it can be noticed, in the child for its own handlers
    # (life.py unblocks).  What is pending in the parent is not inherited (fork(2)).
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid != 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def ended() -> int:
    """Return a child that has ended and is not reaped yet, whoever it is; 0 for none."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0
    return 0 if found is None else found.si_pid


def wait(pid: int) -> Reaped | None:
    """Reap a child if it has ended; None when it has not, or is none of ours."""
    try:
        reaped, status, usage = os.wait4(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    if reaped == 0:
        return None
    peak = usage.ru_maxrss * 1024  # KiB, getrusage(2)
    return Reaped(reaped, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, peak)


def _assert_one_thread() -> None:
    """Raise if there is another thread: the child would not have it, and a lock that it holds would stay locked."""
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - a number
    if threads != 1:
        raise RuntimeError(f"the master has {threads} threads; it must not fork")
