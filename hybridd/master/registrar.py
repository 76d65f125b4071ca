"""Register the dead: the certificate first, then the row is folded; after that the slot is free again.

Knows:     where the facts about a worker's end are, and who wants to hear of it.
Never:     what follows from it (fold.py).
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import logging

from hybridd.master import events
from hybridd.master.children import Child
from hybridd.master.deaths import PLANNED, certify, last_lines
from hybridd.master.inheritance import Inheritance
from hybridd.master.processes import Reaped
from hybridd.master.status import History
from hybridd.master.vitals import Vitals
from hybridd.ops import value_folder

_log = logging.getLogger("hybridd.master")


class Registrar:
    """See the head of this file."""

    def __init__(self, heritage: Inheritance, vitals: Vitals, history: History) -> None:
        self._heritage = heritage
        self._vitals = vitals
        self._history = history

    def register(self, child: Child, reaped: Reaped, now: float, *, replaced: bool) -> events.Died:
        """Write down a death; ``replaced`` when another worker takes the place."""
        heritage = self._heritage
        remains = self._vitals.remains(child, reaped, now, heritage.stacks.take(child.slot))
        certificate = certify(child, remains, now)
        for record in self._vitals.killed_requests(child, now):
            heritage.logs.access.append(record)
        heritage.logs.access.flush()
        heritage.scoreboard.fold(child.slot)
        value_folder.mark_dead(value_folder.find(heritage.values), reaped.pid)
        self._history.note_death(certificate, reaped.cpu, replaced=replaced)
        level = logging.INFO if certificate.cause in PLANNED and not remains.stacks else logging.ERROR
        further = {"fields": certificate.fields, "stacks": remains.stacks}
        _log.log(level, "%s", certificate.sentence, extra=further)
        return events.Died(
            reaped.pid,
            exited=reaped.status >= 0,
            reason=certificate.reason,
            from_outside=certificate.from_outside,
            said=last_lines(remains.boot_error),
        )
