"""Open files: how many we may have, and how many connections fit into them.

Knows:     RLIMIT_NOFILE, getrlimit(2).
Never:     lowers a limit.
Runs in:   the master, before it forks; workers inherit.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Final

from hybridd.ops.cgroup import read_text

BASE_FDS: Final = 64  # standard streams, logs, pipes, epoll, the interpreter's own, a few libraries
FDS_PER_CALL: Final = 5  # a spooled body, a spooled answer, the thread's schedstat, two of the application's


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """The soft limit before and after, and the hard limit; ``after`` is what counts."""

    before: int
    after: int
    hard: int


def attainable(soft: int, hard: int, nr_open: int) -> int:
    """Return the highest soft limit that we may set: the hard one, and not above fs.nr_open (then EPERM).

    ``resource.RLIM_INFINITY`` (-1) as an argument means no limit.
    """
    ceiling = nr_open if hard == resource.RLIM_INFINITY else min(hard, nr_open)
    return soft if soft == resource.RLIM_INFINITY else max(soft, ceiling)


def raise_open_files() -> OpenFiles:
    """Raise the soft limit to the hard one; when that is refused, things stay as they are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = read_text("/proc/sys/fs/nr_open").strip()
    wanted = attainable(soft, hard, int(text) if text.isdecimal() else hard)
    if wanted != soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            wanted = soft
    return OpenFiles(soft, wanted, hard)


def connections_that_fit(open_files: int, *, listeners: int, threads: int) -> int:
    """Return how many connections a worker can have when it may open so many files; at least 1."""
    if open_files == resource.RLIM_INFINITY:
        return 2**31 - 1
    return max(1, open_files - BASE_FDS - listeners - FDS_PER_CALL * threads)
