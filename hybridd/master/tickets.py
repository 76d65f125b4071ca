"""What the master knows of its fork servers, and of the workers that it has asked them for.

Knows:     values.
Never:     how to start, order or end one (fork_servers.py).
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import signal
import socket
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from hybridd.config.settings import Config
from hybridd.master.desired import Desired, Stop
from hybridd.master.processes import Reaped
from hybridd.worker.births import Order, Reopen

SHORT_LIFE: Final = 5.0
"""Seconds; a fork server that lived longer is replaced before a worker is needed from it."""


class Stage(Enum):
    """Where a fork server is in its life, in the order in which it only advances."""

    LOADING = "loading"
    READY = "ready"
    ENDED = "ended"  # we have ended it, or it has said that it cannot load
    GONE = "gone"  # reaped, and nobody can speak for it any more


@dataclass(slots=True)
class Ticket:
    """A worker that is asked for; ``sentence`` is the signal that ended it before it was born."""

    order: Order
    pid: int = 0
    sentence: signal.Signals | None = None


@dataclass(slots=True, eq=False)
class ForkServer:
    """One of them; ``original``: what it has loaded is what its generation was trusted for.

    ``queue`` is what it will be told, ``due`` the ticket that it works on.
    """

    generation: int
    pid: int
    channel: socket.socket
    config: Config
    born: float
    original: bool
    stage: Stage = Stage.LOADING
    queue: deque[Order | Reopen] = field(default_factory=deque)
    due: int = 0
    failure: str = ""
    closed: bool = False
    reaped: Reaped | None = None

    @property
    def tickets(self) -> list[int]:
        """Those that it has not made yet."""
        waiting = [message.ticket for message in self.queue if isinstance(message, Order)]
        return [self.due, *waiting] if self.due else waiting

    def forget(self, ticket: int) -> None:
        """Do not make a worker that waits."""
        self.queue = deque(one for one in self.queue if not (isinstance(one, Order) and one.ticket == ticket))


def renewable(desired: Desired, generation: int, lived: float) -> bool:
    """Whether a fork server that has died is replaced at once.

    Not one that may die again and again, nor while it is doubtful whether what it would load is what its workers have.
    """
    if desired.stop is not Stop.NO or desired.trial or desired.fallback or desired.doubted:
        return False
    return generation == desired.generation and lived >= SHORT_LIFE
