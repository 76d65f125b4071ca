"""A signal for the moment at which the parent process dies: prctl(2), PR_SET_PDEATHSIG.

Knows:     one system call.
Runs in:   a child whose parent forks from its main thread (the signal means the death of the *thread* that forked).
"""

from __future__ import annotations

import os
import signal
from functools import cache
from typing import Any

_PR_SET_PDEATHSIG = 1


@cache
def libc() -> Any:
    """Load what the call needs; a parent does so once, that its children need not."""
    import ctypes  # noqa: PLC0415 - no other process needs it

    return ctypes.CDLL(None)


def send_at_parents_death(number: signal.Signals, parent: int) -> None:
    """Let the kernel send us ``number`` when our parent ends; at once when it is no longer the process ``parent``.

    Where a sandbox forbids it nothing happens: then whoever ends us must know us by himself.
    """
    libc().prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it died before
        os.kill(os.getpid(), number)
