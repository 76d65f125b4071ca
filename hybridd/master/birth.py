"""How a successor comes into the world, and how it is sent out of it: fork(2), descriptors, execve(2).

Knows:     the system calls; where sd_listen_fds(3) looks.
Never:     what a successor is for (upgrade.py).
Runs in:   the master, its only thread; in the forked children until the last of them is another program.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NoReturn

from hybridd.errors import ExitCode
from hybridd.master.command import Command
from hybridd.master.processes import fork
from hybridd.master.signals import SIGNALS
from hybridd.ops.daemonize import highest_open
from hybridd.ops.procfs import children_of
from hybridd.ops.systemd import FIRST_FD

STANDARD_ERROR: Final = 2
LAST_LINES: Final = 20
MOST_WORDS: Final = 64 * 1024  # bytes that are looked at of what a successor wrote to its standard error


def give_birth(command: Command, passed: Sequence[int], names: Sequence[str], words: int) -> tuple[int, int]:
    """Start a process that is the child of whoever takes orphans; return its number and a descriptor of it.

    Args:
        command: what it runs.
        passed: descriptors that it finds from number 3 on.
        names: what they are called there.
        words: the descriptor that is its standard error.

    systemd waits at a stop only for a main process that is its own child: one that is ours it would kill at once, then
    and ever after ("supervising process which is not our child"; measured with 252 and 257).

    Raises:
        OSError: the system refuses.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        between = fork()
        if between == 0:
            ours.close()
            _fork_again(theirs, lambda: _become(command, passed, names, words))
        theirs.close()
        said = ours.recv(16)  # what takes as long as two forks may be waited for
        try:
            # The one between has not left yet, so this number is still its child's.
            return (pid := int(said)), os.pidfd_open(pid)
        except ValueError:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None
        finally:
            ours.close()
            os.waitpid(between, 0)


def _fork_again(parent: socket.socket, become: Callable[[], NoReturn]) -> NoReturn:
    """Fork, say the child's number, and leave when the parent has understood."""
    try:
        pid = os.fork()
        if pid == 0:
            become()
        parent.send(str(pid).encode())
        parent.recv(1)
    finally:
        os._exit(ExitCode.CLEAN)


def _become(command: Command, passed: Sequence[int], names: Sequence[str], words: int) -> NoReturn:
    """Become the successor; in the forked child."""
    try:
        signal.set_wakeup_fd(-1)
        for understood in SIGNALS:
            signal.signal(understood.number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _arrange_descriptors(passed, words)
        os.chdir(command.directory)
        environment = environment_of_successor(os.environ, names, os.getpid())
        os.execvpe(command.words[0], command.words, environment)  # noqa: S606 - our own command line again
    except OSError as error:
        what = f" {error.filename}" if error.filename else ""
        os.write(STANDARD_ERROR, f"cannot start{what or f' {command.words[0]}'}: {error.strerror}\n".encode())
    finally:
        os._exit(ExitCode.SYSTEM)  # of this copy of the master nothing else may run


def _arrange_descriptors(passed: Sequence[int], words: int) -> None:
    """Put what is passed on where sd_listen_fds(3) wants it, and close everything else but the standard streams."""
    behind = FIRST_FD + len(passed)
    *moved, errors = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, behind) for fd in (*passed, words)]
    for target, fd in enumerate(moved, FIRST_FD):
        os.dup2(fd, target)
    os.dup2(errors, STANDARD_ERROR)
    os.closerange(behind, highest_open() + 1)


def environment_of_successor(environment: Mapping[str, str], names: Sequence[str], pid: int) -> dict[str, str]:
    """Return the environment in which process ``pid`` finds what it inherits."""
    further = {"LISTEN_PID": str(pid), "LISTEN_FDS": str(len(names)), "LISTEN_FDNAMES": ":".join(names)}
    if "WATCHDOG_PID" in environment:  # sd_watchdog_enabled(3): else it would not feel meant
        further["WATCHDOG_PID"] = str(pid)
    return {**environment, **further}


def kill(pid: int, process: int) -> None:
    """Kill a successor (``process``: its descriptor) and its workers; stopped first, so that it makes no more."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGSTOP)
        for child in children_of(pid):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        signal.pidfd_send_signal(process, signal.SIGKILL)


def last_lines(words: int) -> list[str]:
    """Return the end of what a successor wrote to its standard error."""
    size = os.fstat(words).st_size
    text = os.pread(words, MOST_WORDS, max(0, size - MOST_WORDS)).decode(errors="replace")
    return text.splitlines()[-LAST_LINES:]
