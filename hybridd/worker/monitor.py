"""The thread that sees a Call block the leader, and has another thread take the reactor over.

It looks every HANDOFF_AFTER; a Call that it sees twice has run for that long.  While nothing runs on the leader it
parks, so that an idle worker is woken by nothing; whoever starts a Call on the leader wakes it.

Knows:     the lead; whom to call when it was stolen.
Never:     the reactor, Calls: between the steal and the new leader's first step nobody may touch them.
Runs in:   a thread of its own; ``wake`` in the one that leads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hybridd.worker.lead import Lead
from hybridd.worker.routes import SLOW

HANDOFF_AFTER = SLOW

_LOOKS_BEFORE_PARKING = 20
"""A tenth of a second without a Call on the leader; parking for every pause would cost more than looking."""


class Monitor:
    """Watches one lead; ``take_over(call)`` is called in its thread for every Call that lost the lead to it."""

    def __init__(self, lead: Lead, take_over: Callable[[object], None]) -> None:
        self._lead = lead
        self._take_over = take_over
        self._bell = threading.Semaphore(0)
        lead.watch = self.wake

    def start(self) -> None:
        """Begin to watch; RuntimeError when no thread can be started."""
        threading.Thread(target=self._watch, name="monitor", daemon=True).start()

    def wake(self) -> None:
        """A Call has begun that nobody looks at: look again."""
        self._lead.unwatched = False
        self._bell.release()

    def _watch(self) -> None:
        lead = self._lead
        seen: object | None = None
        idle_looks = 0
        while True:
            time.sleep(HANDOFF_AFTER)
            call = lead.call
            if lead.wanted is not None and lead.wanted is not call:
                lead.wanted = None
            if call is None:
                seen = None
                idle_looks += 1
                if idle_looks >= _LOOKS_BEFORE_PARKING:
                    self._park()
                    idle_looks = 0
                continue
            idle_looks = 0
            if call is not seen:
                seen = call
            elif lead.steal(call):
                seen = None
                self._take_over(call)
            else:  # in the server's code at this moment: one that goes in and out all the time may be so at every look
                lead.wanted = call
            del call

    def _park(self) -> None:
        lead = self._lead
        lead.unwatched = True
        if lead.call is None:  # who leads looks in the other order, so one sees the other
            self._bell.acquire()
        else:
            lead.unwatched = False
