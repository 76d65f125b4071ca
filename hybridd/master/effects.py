"""The only fork, kill and waitpid of workers.

Knows:     how to make, signal and reap worker processes.
Never:     which, or when: that is lifecycle.py's; what a worker is born with: inheritance.py's.
Runs in:   the master, its only thread; in a new child until BecomeWorker is raised.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from hybridd.config.settings import Config
from hybridd.master import events
from hybridd.master.children import Abort, Drain, Kill, Quit, Spawn, Step, Why
from hybridd.master.inheritance import Inheritance
from hybridd.worker import orders, words
from hybridd.worker.life import BecomeWorker

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


class Effects:
    """Hands."""

    def __init__(self, inheritance: Inheritance) -> None:
        self.inheritance = inheritance

    def spawn(self, action: Spawn, config: Config, probation: float) -> events.Spawned | events.SpawnFailed:
        """Fork a worker.  In the child this does not return.

        Raises:
            BecomeWorker: in the child.
        """
        heritage = self.inheritance
        heritage.scoreboard.claim(action.slot)
        header = heritage.scoreboard.header
        header[words.NEWEST_GENERATION] = max(header[words.NEWEST_GENERATION], action.generation)
        spec = heritage.spec(action.slot, action.generation, config, probation)
        try:
            pid = fork()
        except OSError as error:
            heritage.scoreboard.fold(action.slot)
            return events.SpawnFailed(action.slot, action.generation, error.strerror or str(error))
        if pid == 0:
            raise BecomeWorker(heritage.take(spec))
        return events.Spawned(action.slot, pid, action.generation)

    def signal(self, step: Step) -> events.Signalled:
        """Send the signal of a step; who leaves while others stay leaves those who wait to them."""
        stays = isinstance(step, Drain) and step.why is not Why.STOP
        os.kill(step.pid, orders.LEAVE if stays else SIGNAL_OF[type(step)])
        if isinstance(step, Abort):
            os.kill(step.pid, signal.SIGCONT)  # a stopped process takes no signal but this one
        return events.Signalled(step)

    def retire(self, pid: int) -> events.Retired:
        """Let a worker accept nothing more."""
        os.kill(pid, orders.RETIRE)
        return events.Retired(pid)

    def revive(self, pid: int) -> events.Revived:
        """Let a retired worker accept again."""
        os.kill(pid, orders.REVIVE)
        return events.Revived(pid)

    def reopen_logs(self, pid: int) -> None:
        """Let a worker open its logs again."""
        os.kill(pid, signal.SIGUSR1)

    def reap(self, known: Collection[int]) -> list[Reaped]:
        """Collect the workers that have ended; as PID 1 other orphans too, silently (nobody else would)."""
        found = [reaped for pid in known if (reaped := _wait(pid)) is not None]
        if os.getpid() == 1:
            gone = {reaped.pid for reaped in found}
            while (stranger := _wait(-1)) is not None:
                if stranger.pid in known and stranger.pid not in gone:
                    found.append(stranger)
        return found


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


def _wait(pid: int) -> Reaped | None:
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
