"""What it means when the kernel refuses another process: fork(2) names no limit, and EAGAIN says "try again".

Knows:     errors of fork(2), and who limits the number of processes and threads.
Never:     forks.
Runs in:   the process that was started, the master, a fork server; pure.
"""

from __future__ import annotations

import errno
from typing import Final

WHERE: Final = "see the limits on processes (ulimit -u, TasksMax, pids.max)"
"""Where to look: the user's limit, the systemd unit's, the container's."""


def refusal(error: OSError) -> str:
    """Return why there is no process, and where to look when it is for a limit."""
    reason = error.strerror or str(error)
    return f"{reason}; {WHERE}" if error.errno == errno.EAGAIN else reason
