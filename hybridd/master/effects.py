"""The hands of the master: they carry out what lifecycle.py wants done with worker processes.

Knows:     how to make, signal and reap worker processes.
Never:     which, or when: that is lifecycle.py's; what a worker is born with: inheritance.py's.
Runs in:   the master, its only thread; in a new child until BecomeWorker is raised.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Collection

from hybridd.config.settings import Config
from hybridd.master import events
from hybridd.master.children import TICKETS, Abort, Drain, Spawn, Step, Why
from hybridd.master.fork_servers import ForkServers
from hybridd.master.inheritance import Inheritance
from hybridd.master.processes import SIGNAL_OF, Reaped, ended, fork, wait
from hybridd.ops import task_limit
from hybridd.worker import orders, words
from hybridd.worker.life import BecomeWorker


class Effects:
    """Hands.

    Attributes:
        fork_servers: the hands of those generations that load their application before they fork.
    """

    def __init__(self, inheritance: Inheritance) -> None:
        self.inheritance = inheritance
        self.fork_servers = ForkServers(inheritance)

    def spawn(self, action: Spawn, config: Config, probation: float) -> events.Spawned | events.SpawnFailed:
        """Fork a worker, or have it forked.  In a child this does not return.

        Raises:
            BecomeWorker, BecomeForkServer: in the child.
        """
        heritage = self.inheritance
        heritage.scoreboard.claim(action.slot)
        header = heritage.scoreboard.header
        header[words.NEWEST_GENERATION] = max(header[words.NEWEST_GENERATION], action.generation)
        try:
            pid = self.fork_servers.order(action, config, probation) if config.preload else fork()
        except OSError as error:
            heritage.scoreboard.fold(action.slot)
            return events.SpawnFailed(action.slot, action.generation, task_limit.refusal(error))
        if pid == 0:
            raise BecomeWorker(heritage.take(heritage.spec(action.slot, action.generation, config, probation)))
        return events.Spawned(action.slot, pid, action.generation)

    def signal(self, step: Step) -> events.Signalled:
        """Send the signal of a step; who leaves while others stay leaves those who wait to them."""
        if step.pid >= TICKETS:
            self.fork_servers.take_back(step)
            return events.Signalled(step)
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
        """Collect the workers that have ended; orphans that are ours to reap too, silently (nobody else would)."""
        servers = self.fork_servers
        found = [reaped for pid in (*known, *servers.pids) if (reaped := wait(pid)) is not None]
        if os.getpid() == 1 or servers.adopts:
            while pid := ended():
                found += [reaped] if (reaped := wait(pid)) is not None else []
        return servers.sort(found, known)
