"""What a worker is born with: made by the master before the fork, read by the child after it.

Knows:     the values and descriptors that cross the fork.
Runs in:   master and worker.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridd.config.settings import Config
from hybridd.net.listener import Listener
from hybridd.ops.logs import Logs
from hybridd.ops.scoreboard import Scoreboard
from hybridd.ops.value_folder import Place


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a worker is born with.

    Attributes:
        lifeline: read end of a pipe; its end of file means that the master is gone.
        stack_files: of all workers; a slot has one of them.
        doorbell: event descriptor; written to when the master should look at our row.
        probation: seconds that a new generation's first worker lives before it accepts; 0 for all others; infinity
            for those of a successor, who wait until it has taken over (orders.REVIVE).
        values: where the application's own metrics are to be kept; None: nowhere.
    """

    slot: int
    generation: int
    config: Config
    listeners: tuple[Listener, ...]
    scoreboard: Scoreboard
    logs: Logs
    lifeline: int
    doorbell: int
    stack_files: tuple[int, ...]
    probation: float = 0.0
    values: Place | None = None

    @property
    def stacks(self) -> int:
        """The file to write the stacks of all threads to, when the master asks (orders.py) and in the worst case."""
        return self.stack_files[self.slot % len(self.stack_files)]
