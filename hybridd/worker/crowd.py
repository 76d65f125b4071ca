"""Who goes when places or descriptors get scarce: of those that wait for nothing of ours, the one due to end first.

Near its limit a worker closes a connection for each that it takes; without a descriptor too.  Which one, the wheel of
deadlines knows: those that wait for their next request (or the first) stand in it in the order in which they would end
anyway, so that nothing is kept for this and an idle connection costs nothing more.  One walk through the wheel serves
many newcomers; it looks at each connection once.

Knows:     the wheel; that a connection may be asked to give way.
Never:     what is spoken, and hence which connection is idle.
Runs in:   the thread that leads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from hybridd.http.outcome import CloseReason
from hybridd.net.terms import Terms

_RESERVE = 32
"""One place in so many is kept free as long as somebody can go; a worker with fewer places keeps none."""

_UNDISTURBED = 1.0
"""Seconds that a connection may surely be silent: several round trips round the world."""

_UNDISTURBED_YET = 0.1
"""The same of one that has never asked for anything, where nobody can go and newcomers would be turned away: a first
request comes right behind the packet that completes the connection (RFC 9293, 3.5)."""

_LOOKS = 256
"""Connections looked at, at most, in one go: 0.1 ms."""

_REST = 5e-5
"""Seconds from the end of a walk to the next one, for each look in vain: who could not go a moment ago still cannot.
A look takes 0.4 microseconds, and 3 at a connection that lives in a thread: a small part of the time at most."""

_LONGEST_REST = 0.25


class Ending(Protocol):
    """A connection that will end by itself."""

    @property
    def deadline(self) -> float:
        """When: monotonic seconds."""


Soonest = Callable[[], Iterator[Ending]]
"""Yields connections in the order in which they would end anyway."""


class Crowd:
    """The connections of a worker, in view of its ``limit``; ``mark`` is how many there may be before one must go."""

    def __init__(self, terms: Terms, limit: int, soonest: Soonest) -> None:
        self.mark = limit - limit // _RESERVE
        self._scarce = self.mark < limit
        self._terms = terms
        self._soonest = soonest
        self._walk: Iterator[Ending] | None = None
        self._undisturbed = _UNDISTURBED  # whom this walk leaves alone
        self._vain = 0  # its looks at those who stayed
        self._rested = 0.0

    @property
    def asking(self) -> bool:
        """Whether there are some left who were not asked yet."""
        return self._walk is not None

    def make_room(self) -> None:
        """Let as many go as there are too many, if so many can."""
        wanted = len(self._terms.open) - self._terms.leaving - self.mark
        if self._scarce and wanted > 0 and self._begin():
            self._dismiss(wanted, CloseReason.EVICTED)

    def free_descriptor(self) -> bool:
        """Let one connection go for the descriptor that it has; whether one went."""
        if not self._begin():
            return False
        gone = self._dismiss(1, CloseReason.EVICTED_NO_DESCRIPTORS)
        if not gone and self._walk is None and self._undisturbed == _UNDISTURBED:
            self._start(_UNDISTURBED_YET)
            gone = self._dismiss(1, CloseReason.EVICTED_NO_DESCRIPTORS)
        return gone > 0

    def calm(self) -> None:
        """Nobody had to go lately: a walk that was begun keeps nothing alive any more."""
        if len(self._terms.open) <= self.mark:
            self._walk = None

    def _begin(self) -> bool:
        """Whether there is a walk to go on with; a new one when the last has ended and its rest is over."""
        if self._walk is None and self._terms.reactor.now >= self._rested:
            self._vain = 0
            self._start(_UNDISTURBED)
        return self._walk is not None

    def _start(self, undisturbed: float) -> None:
        self._undisturbed = undisturbed
        self._walk = self._soonest()

    def _dismiss(self, wanted: int, reason: CloseReason) -> int:
        """Let up to ``wanted`` connections go; how many went."""
        assert self._walk is not None
        now = self._terms.reactor.now
        gone = looks = 0
        while gone < wanted and looks < _LOOKS:
            timed = next(self._walk, None)
            if timed is None:
                self._walk = None
                self._rested = now + min((self._vain + looks - gone) * _REST, _LONGEST_REST)
                break
            looks += 1
            give_way = getattr(timed, "give_way", None)
            gone += give_way is not None and give_way(timed.deadline - now, self._undisturbed, reason)
        self._vain += looks - gone
        return gone
