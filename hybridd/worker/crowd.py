"""Who goes when the places get scarce: of the connections that wait for nothing of ours, the one due to end first.

Near its limit a worker closes a connection for each that it takes.  Which one, the wheel of deadlines knows: those that
wait for their next request (or the first) stand in it in the order in which they would end anyway, so that nothing is
kept for this and an idle connection costs nothing more.  One walk through the wheel serves many newcomers; it looks at
each connection once.

Knows:     the wheel; that a connection may be asked to give way.
Never:     what is spoken, and hence which connection is idle.
Runs in:   the thread that leads.
"""

from __future__ import annotations

from collections.abc import Iterator

from hybridd.net.deadlines import Timed
from hybridd.net.terms import Terms

_RESERVE = 32
"""One place in so many is kept free as long as somebody can go; a worker with fewer places keeps none."""

_LOOKS = 256
"""Connections looked at, at most, in one go: 0.1 ms."""

_REST = 0.25
"""Seconds from the end of a walk to the next one: who could not go a moment ago still cannot."""


class Crowd:
    """The connections of a worker, in view of its ``limit``; ``mark`` is how many there may be before one must go."""

    def __init__(self, terms: Terms, limit: int) -> None:
        self.mark = limit - limit // _RESERVE
        self._scarce = self.mark < limit
        self._terms = terms
        self._walk: Iterator[Timed] | None = None
        self._rested = 0.0

    def make_room(self) -> None:
        """Let as many go as there are too many, if so many can."""
        if self._scarce:
            self.dismiss(len(self._terms.open) - self.mark)

    def dismiss(self, wanted: int) -> int:
        """Let up to ``wanted`` connections go; how many went."""
        reactor = self._terms.reactor
        if self._walk is None:
            if wanted <= 0 or reactor.now < self._rested:
                return 0
            self._walk = reactor.deadlines.soonest()
        gone = looks = 0
        while gone < wanted and looks < _LOOKS:
            timed = next(self._walk, None)
            if timed is None:
                self._walk = None
                self._rested = reactor.now + _REST
                break
            looks += 1
            give_way = getattr(timed, "give_way", None)
            gone += give_way is not None and give_way(timed.deadline - reactor.now)
        return gone

    def calm(self) -> None:
        """Nobody had to go lately: a walk that was begun keeps nothing alive any more."""
        if len(self._terms.open) <= self.mark:
            self._walk = None
