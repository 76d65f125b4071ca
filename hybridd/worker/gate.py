"""The accept gate: which of several workers takes a connection that all of them see.

Epoll wakes every worker that waits on a shared listener, and the busiest is often the first to look.  Measured with 400
keep-alive connections on 4 workers, the fullest had 2.2 to 3.1 times the mean; EPOLLEXCLUSIVE made it worse (one had
all).  So a worker leaves a connection to another one, but only to one that is certain to look for it: asleep in select
with its listener armed, or just woken from there by this very connection, and with less to do.  It never waits for
that: it looks again when its loop comes round.  (A gate that waited 2 ms cut new connections per second to a ninth.)

Knows:     the rows of the other workers.
Never:     sockets.
Runs in:   the thread that leads.
"""

from __future__ import annotations

from collections.abc import Callable

from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words

_PATIENCE = 0.005
"""Seconds: who has left a connection to others for so long takes it; they are stopped, or the machine is very busy."""

_ANOTHER = 0.001
"""Seconds: who defers looks again with every turn of a loop that does not sleep; after a longer pause it slept, and
what waits now is another connection."""

_JUST_WOKEN = 2_000_000
"""Nanoseconds in which a worker that was woken, by this connection like us, has not come to its listener yet."""

_SILENT = 2_500_000_000
"""Nanoseconds without a heartbeat (one per second) after which a row is no worker that wakes up."""


class Gate:
    """One worker's look at the others; ``capacity`` tells whether it has a handler free besides so many."""

    def __init__(
        self, scoreboard: Scoreboard, slot: int, *, load: Callable[[], int], capacity: Callable[[int], bool]
    ) -> None:
        self.capacity = capacity
        self.deferring = False
        self._scoreboard = scoreboard
        self._slot = slot
        self._load = load
        self._since = 0.0
        self._looked = 0.0

    def has_room(self, fresh: int) -> bool:
        """Whether a handler is free even if ``fresh`` connections, just taken, each need one.

        They do not count as load yet, and a worker with two handlers would take five who came at once, if it is the
        first to look on a machine that is busy.  Alone it takes them all: nobody else would.
        """
        return not fresh or self._scoreboard.rows_used == 1 or self.capacity(fresh)

    def defers(self, now: float) -> bool:
        """Whether somebody else will take what waits, and should; ``now`` is monotonic seconds."""
        if not self._somebody_better(now):
            self.deferring = False
        elif not self.deferring or now - self._looked > _ANOTHER:
            self.deferring = True
            self._since = now
        elif now - self._since > _PATIENCE:
            self.deferring = False
        self._looked = now
        return self.deferring

    def _somebody_better(self, now: float) -> bool:
        scoreboard = self._scoreboard
        used = scoreboard.rows_used
        if used == 1:
            return False
        load, moment = self._load(), int(now * 1e9)
        for slot in range(used):
            if slot != self._slot:
                row = scoreboard.row(slot).words
                asleep = row[words.ASLEEP]
                if (
                    asleep
                    and row[words.LOAD] < load
                    and row[words.ACCEPTING]
                    and (asleep == 1 or moment - asleep < _JUST_WOKEN)
                    and row[words.HEARTBEAT] > moment - _SILENT
                ):
                    return True
        return False
