"""What every child of the master is born with, and what it must not keep.

Knows:     the descriptors and values that cross a fork.
Never:     forks (effects.py).
Runs in:   the master, its only thread; ``take`` in a new child.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from hybridd.config.settings import Config
from hybridd.master.certificates import CertificatesOfGenerations
from hybridd.master.listeners import Listeners
from hybridd.master.stacks import StackFiles
from hybridd.net.reactor import Reactor
from hybridd.ops import logs as logging_setup
from hybridd.ops.logs import Logs
from hybridd.ops.scoreboard import Scoreboard
from hybridd.ops.value_folder import Place
from hybridd.worker.addresses import Tables
from hybridd.worker.spec import WorkerSpec

_log = logging.getLogger("hybridd.master")

FOR_MASTER_ONLY: Final = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
"""What systemd says to the master; an application that found it would speak for us (sd_notify(3))."""


@dataclass(slots=True)
class Inheritance:
    """See the head of this file.

    Attributes:
        lifeline: (read end, write end); the write end is the master's alone.
        stacks: the files in which workers say where their threads stand.
        values: the place of the application's own metrics.
        close_in_child: gives back, in a child, what is the master's: its admin endpoint, its signals' sockets.
    """

    reactor: Reactor
    scoreboard: Scoreboard
    logs: Logs
    config: Config
    listeners: Listeners
    certificates: CertificatesOfGenerations
    doorbell: int
    lifeline: tuple[int, int]
    stacks: StackFiles
    values: Place
    close_in_child: list[Callable[[], None]] = field(default_factory=list)
    addresses: Tables = field(init=False)

    def __post_init__(self) -> None:
        self.addresses = Tables(self.scoreboard.capacity)

    def spec(self, slot: int, generation: int, config: Config, probation: float = 0.0) -> WorkerSpec:
        """Return what a worker of this generation is born with."""
        return WorkerSpec(
            slot=slot,
            generation=generation,
            config=config,
            listeners=self.listeners.of(generation),
            scoreboard=self.scoreboard,
            logs=self.logs,
            lifeline=self.lifeline[0],
            doorbell=self.doorbell,
            stack_files=self.stacks.fds,
            addresses=self.addresses,
            tls=self.certificates.of(generation).contexts,
            probation=probation,
            values=self.values if config.application_metrics and config.admin is not None else None,
        )

    def take(self, spec: WorkerSpec) -> WorkerSpec:
        """Drop, in the child, what is the master's; logs that only this generation has are opened here."""
        signal.set_wakeup_fd(-1)
        for variable in FOR_MASTER_ONLY:
            os.environ.pop(variable, None)
        self.reactor.abandon()
        os.close(self.lifeline[1])
        for close in self.close_in_child:
            close()
        for listener in self.listeners.open:
            if listener not in spec.listeners:
                listener.sock.close()  # another generation's
        return spec if same_logs(spec.config, self.config) else _with_own_logs(spec)

    def close(self) -> None:
        """Give everything back at the end of the master; sockets that were handed to us stay open for their owner."""
        for fd in (self.doorbell, *self.lifeline):
            os.close(fd)
        self.stacks.close()
        self.listeners.close()
        self.logs.close()


def same_logs(one: Config, other: Config) -> bool:
    """Whether both configurations write the same logs in the same way."""
    return (one.log, one.access_log) == (other.log, other.access_log)


def _with_own_logs(spec: WorkerSpec) -> WorkerSpec:
    try:
        own = logging_setup.configure(spec.config.log, spec.config.access_log, os.environ, daemon=spec.config.daemon)
    except OSError as error:
        _log.warning("worker=%d goes on with the logs before the reload: %s", spec.slot, error)
        return spec
    return replace(spec, logs=own)
