"""The priority of a run, passed on to the servers' sessions.

Every server has a session of its own.  Where the scheduler groups processes by session (sched_autogroup, the default
of many kernels), ``nice`` counts inside of one only (sched(7)): ``nice -n -10 make bench`` would not help it.

Runs in:   the harness.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def pass_on(pid: int) -> None:
    """Give the session of ``pid`` the nice value of this process, where there is such a thing and we may."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    if nice:
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(str(nice))
