"""The only fork, kill and waitpid of hybridd.

Knows:     how to make, signal and reap worker processes.
Never:     which, or when: that is lifecycle.py's.
Runs in:   the master, its only thread; in a new child until BecomeWorker is raised.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from hybridd.config.settings import Config
from hybridd.master import events
from hybridd.master.children import Abort, Drain, Kill, Quit, Spawn, Step
from hybridd.master.listeners import Listeners
from hybridd.net.reactor import Reactor
from hybridd.ops import logs as logging_setup
from hybridd.ops.logs import Logs
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import orders, words
from hybridd.worker.life import BecomeWorker
from hybridd.worker.spec import WorkerSpec

_log = logging.getLogger("hybridd.master")

SIGNAL_OF: Final = {
    Drain: signal.SIGTERM,
    Quit: signal.SIGQUIT,
    Abort: signal.SIGABRT,
    Kill: signal.SIGKILL,
}

FOR_MASTER_ONLY: Final = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
"""What systemd says to the master; an application that found it would speak for us (sd_notify(3))."""


@dataclass(slots=True)
class Inheritance:
    """What every worker is born with, and what it must not keep.

    Attributes:
        lifeline: (read end, write end); the write end is the master's alone.
        stacks: the file in which a worker says where its threads stand (stacks.py).
        close_in_child: gives back, in a child, what is the master's: its admin endpoint, its signals' sockets.
    """

    reactor: Reactor
    scoreboard: Scoreboard
    logs: Logs
    config: Config
    listeners: Listeners
    doorbell: int
    lifeline: tuple[int, int]
    stacks: int
    close_in_child: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        """Give everything back at the end of the master; sockets that were handed to us stay open for their owner."""
        for fd in (self.doorbell, self.stacks, *self.lifeline):
            os.close(fd)
        self.listeners.close()
        self.logs.close()


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
        spec = WorkerSpec(
            slot=action.slot,
            generation=action.generation,
            config=config,
            listeners=heritage.listeners.of(action.generation),
            scoreboard=heritage.scoreboard,
            logs=heritage.logs,
            lifeline=heritage.lifeline[0],
            doorbell=heritage.doorbell,
            stacks=heritage.stacks,
            probation=probation,
        )
        _assert_one_thread()
        # A signal that arrives now waits: in the parent until it can be noticed, in the child for its own handlers
        # (life.py unblocks).  What is pending in the parent is not inherited (fork(2)).
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            heritage.scoreboard.fold(action.slot)
            return events.SpawnFailed(action.slot, action.generation, error.strerror or str(error))
        if pid == 0:
            raise BecomeWorker(self._inherit(spec))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return events.Spawned(action.slot, pid, action.generation)

    def _inherit(self, spec: WorkerSpec) -> WorkerSpec:
        """Drop, in the child, what is the master's; logs that only this generation has are opened here."""
        heritage = self.inheritance
        signal.set_wakeup_fd(-1)
        for variable in FOR_MASTER_ONLY:
            os.environ.pop(variable, None)
        heritage.reactor.abandon()
        os.close(heritage.lifeline[1])
        for close in heritage.close_in_child:
            close()
        for listener in heritage.listeners.open:
            if listener not in spec.listeners:
                listener.sock.close()  # another generation's
        return spec if same_logs(spec.config, heritage.config) else _with_own_logs(spec)

    def signal(self, step: Step) -> events.Signalled:
        """Send the signal of a step."""
        os.kill(step.pid, SIGNAL_OF[type(step)])
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


def same_logs(one: Config, other: Config) -> bool:
    """Whether both configurations write the same logs in the same way."""
    return (one.log, one.access_log) == (other.log, other.access_log)


def _with_own_logs(spec: WorkerSpec) -> WorkerSpec:
    try:
        own = logging_setup.configure(spec.config.log, spec.config.access_log, os.environ, daemon=spec.config.daemon)
    except OSError as error:
        _log.warning("worker=%d goes on with the logs before the reload: %s", spec.slot, error)
        return spec
    return WorkerSpec(**{name: getattr(spec, name) for name in spec.__slots__} | {"logs": own})
