"""The two deadlines of a connection in one entry of the wheel: the protocol's, and that of bytes waiting to be sent.

A base class and not a part, because an object more per connection would cost an idle one a tenth of its memory.

Knows:     the wheel and the time of this turn.
Never:     what happens when a deadline passes.
Runs in:   the thread that leads the reactor.
"""

from __future__ import annotations

from enum import Enum

from hybridd.net.terms import Terms

_GONE = -1
"""``tick`` of a connection that is lost and has no deadlines any more."""


class Expired(Enum):
    """Which deadline has passed."""

    NEITHER = "neither"
    PROTOCOL = "protocol"
    WRITE = "write"


class DeadlinePair:
    """Monotonic seconds, 0.0 for none; the earlier of the two is armed."""

    __slots__ = ("_protocol_deadline", "_terms", "_write_deadline", "deadline", "tick")

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._protocol_deadline = 0.0
        self._write_deadline = 0.0
        self.deadline = 0.0
        self.tick = 0

    def time(self) -> float:
        """Monotonic seconds of this turn of the reactor."""
        return self._terms.reactor.now

    def set_deadline(self, seconds: float | None) -> None:
        """Call the protocol's ``deadline_expired`` once, ``seconds`` from now; None: never.  Replaces the last wish."""
        if self.tick == _GONE:  # its protocol may not have been told yet
            return
        self._protocol_deadline = at = 0.0 if seconds is None else self._terms.reactor.now + seconds
        if at >= self.deadline > 0.0 and self.tick and not self._write_deadline:
            self.deadline = at  # later than armed: all that `_arm` would do
        else:
            self._arm()

    def _made_progress(self) -> None:
        """Bytes wait, or enough of them went: the peer has ``write_timeout`` from now for the next ones."""
        if self._terms.write_timeout:
            self._write_deadline = self._terms.reactor.now + self._terms.write_timeout
            self._arm()

    def expired(self, now: float) -> None:
        """The wheel says that a deadline has passed: the transport does what is to be done."""
        raise NotImplementedError

    def _arm(self) -> None:
        at = self._protocol_deadline
        if self._write_deadline and (not at or self._write_deadline < at):
            at = self._write_deadline
        if at:
            self._terms.reactor.deadlines.arm(self, at)
        else:
            self.deadline = 0.0  # its entry in the wheel is dropped when its tick comes

    def _which_expired(self, now: float) -> Expired:
        """Tell which of the two it was that has passed, and arm the other one."""
        which = Expired.NEITHER
        if self._write_deadline and self._write_deadline <= now:
            self._write_deadline = 0.0
            which = Expired.WRITE
        elif self._protocol_deadline and self._protocol_deadline <= now:
            self._protocol_deadline = 0.0
            which = Expired.PROTOCOL
        self._arm()
        return which

    def _forget_deadlines(self) -> None:
        """The connection is gone."""
        self._protocol_deadline = self._write_deadline = 0.0
        self._terms.reactor.deadlines.forget(self)
        self.tick = _GONE
