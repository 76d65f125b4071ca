"""What a worker is born with: made by the master before the fork, read by the child after it.

Knows:     the values and descriptors that cross the fork.
Runs in:   master and worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hybridd.config.settings import Config
from hybridd.config.tls import Rules
from hybridd.net.listener import Listener
from hybridd.ops.logs import Logs
from hybridd.ops.scoreboard import Scoreboard
from hybridd.ops.value_folder import Place
from hybridd.worker.addresses import Tables

if TYPE_CHECKING:  # OpenSSL takes 4 MB
    import ssl


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a worker is born with.

    Attributes:
        lifeline: read end of a pipe; its end of file means that the master is gone.
        stack_files: of all workers; a slot has one of them.
        doorbell: event descriptor; written to when the master should look at our row.
        addresses: the connections of each address, over all workers.
        probation: seconds that a new generation's first worker lives before it accepts; 0 for all others; infinity
            for those of a successor, who wait until it has taken over (orders.REVIVE).
        tls: for each kind of TLS listener what its connections begin with.
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
    addresses: Tables
    probation: float = 0.0
    tls: Mapping[Rules, ssl.SSLContext] = field(default_factory=dict)
    values: Place | None = None

    @property
    def stacks(self) -> int:
        """The file to write the stacks of all threads to, when the master asks (orders.py) and in the worst case."""
        return self.stack_files[self.slot % len(self.stack_files)]
