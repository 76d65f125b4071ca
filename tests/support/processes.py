"""Look at processes through /proc, and reap what the tests orphan.

Knows:     pids, their parents, sessions and states.
Never:     what the processes are for; it signals only what a test started.
Runs in:   the test process, which is made the subreaper of everything below it: a worker whose master was
           killed becomes our child, and a test that leaves one behind is caught.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc/PID/stat; ``state`` is its letter (R, S, D, T, Z …), ``cpu`` its user and system seconds."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    cpu: float
    threads: int


def adopt_orphans(*, adopt: bool) -> None:
    """Become (or be no longer) the parent of every process below this one whose parent ends."""
    if _libc().prctl(PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def look(pid: int) -> Process | None:
    """Return what /proc says of ``pid``; None when there is no such process (any more)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold anything
    ticks = os.sysconf("SC_CLK_TCK")
    return Process(
        pid=pid,
        state=fields[0],
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        cpu=(int(fields[11]) + int(fields[12])) / ticks,
        threads=int(fields[17]),
    )


def status(pid: int, name: str) -> str:
    """Return a line of /proc/PID/status, such as Uid, without its name."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))


def ids(pid: int, name: str) -> list[int]:
    """Return the numbers of a line of /proc/PID/status: real, effective, saved and that of the file system for Uid."""
    return [int(number) for number in status(pid, name).split()]


def every() -> list[Process]:
    """Return all processes."""
    found = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - names only
    return [process for process in found if process is not None]


def alive(pid: int) -> bool:
    """Tell whether ``pid`` runs; a zombie does not."""
    process = look(pid)
    return process is not None and process.state != "Z"


def has_let_go(pid: int) -> bool:
    """Tell whether ``pid`` has given back its descriptors: it has ended, though it may not be ready to be reaped yet.

    Who waited for one of them to be closed may run in between.
    """
    try:
        return not os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208 - names only
    except (FileNotFoundError, ProcessLookupError):
        return True


def stopped(pid: int) -> bool:
    """Tell whether SIGSTOP has reached every thread of ``pid``.

    It is taken by one of them, which tells the others: on a busy machine they run on until it has its turn.
    """
    threads = Path(f"/proc/{pid}/task").iterdir()
    return all((thread := look(int(path.name))) is not None and thread.state == "T" for path in threads)


def in_session(session: int) -> list[Process]:
    """Return the living processes of a session."""
    return [process for process in every() if process.session == session and process.state != "Z"]


def children(parent: int | None = None) -> list[Process]:
    """Return the children of a process (default: this one), zombies among them."""
    wanted = os.getpid() if parent is None else parent
    return [process for process in every() if process.parent == wanted]


def reap(session: int) -> bool:
    """Take the exit statuses of adopted processes of ``session``, those that are dead already; whether none is left.

    One that has ended cannot be reaped before its last thread has.
    """
    for process in children():
        if process.session == session and process.state == "Z":
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
    return all(process.session != session for process in children())


def kill_session(session: int) -> None:
    """Kill whatever lives in ``session`` (one that a test made)."""
    for process in in_session(session):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def open_fds(pid: int) -> int:
    """Count the open descriptors of ``pid``, without those that belong to its threads (worker/effort.py).

    How many threads of the pool have run something depends on the machine.
    """
    return sum(not target.endswith("/schedstat") for target in open_files(pid))


def open_files(pid: int) -> Iterator[str]:
    """Yield what each open descriptor of ``pid`` is."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield str(link.readlink())


def resident_bytes(pid: int) -> int:
    """Return the resident memory of ``pid`` in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that a test started."""
    os.kill(pid, number)
