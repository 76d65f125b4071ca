"""A real Reactor in simulated time: the selector reports what the test says, and sleep moves the clock instead.

Knows:     the reactor's own interface, and the few methods of a selector that it uses.
Never:     descriptors' true state, real time, threads.
Runs in:   the test process, unit tests.
"""

from __future__ import annotations

import selectors
from collections import deque

from hybridd.net.reactor import Handler, Reactor

START = 1000.0  # monotonic seconds at which every simulation begins


class Clock:
    """Seconds that pass only when somebody says so."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class ScriptedSelector:
    """Reports the events that were announced; with none, sleeps by moving the clock.

    Attributes:
        watched: descriptor → key, as a selector has them.
        timeouts: what each ``select`` was called with.
    """

    def __init__(self, clock: Clock) -> None:
        self.watched: dict[int, selectors.SelectorKey] = {}
        self.timeouts: list[float | None] = []
        self._clock = clock
        self._announced: deque[list[tuple[int, int]]] = deque()

    def announce(self, *events: tuple[int, int]) -> None:
        """Let one ``select`` to come report these (descriptor, mask)."""
        self._announced.append(list(events))

    def select(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Report or sleep; AssertionError instead of a sleep without end."""
        self.timeouts.append(timeout)
        if self._announced:
            return [(self.watched[fd], mask) for fd, mask in self._announced.popleft() if fd in self.watched]
        assert timeout is not None, "the loop would sleep for ever"
        self._clock.advance(timeout)
        return []

    def register(self, fd: int, mask: int, handler: Handler) -> None:
        """Watch; KeyError when it is watched already, as selectors say it."""
        assert mask, "an event mask of 0"
        if fd in self.watched:
            raise KeyError(f"{fd} is registered already")
        self.watched[fd] = selectors.SelectorKey(fd, fd, mask, handler)

    def modify(self, fd: int, mask: int, handler: Handler) -> None:
        """Watch for other events; KeyError when it is not watched."""
        assert mask, "an event mask of 0"
        if fd not in self.watched:
            raise KeyError(f"{fd} is not registered")
        self.watched[fd] = selectors.SelectorKey(fd, fd, mask, handler)

    def unregister(self, fd: int) -> None:
        """Watch no longer; KeyError when it is not watched."""
        del self.watched[fd]

    def close(self) -> None:
        """Forget everything."""
        self.watched.clear()


class SimulatedLoop:
    """The reactor, its clock and its selector.  ``close`` gives the reactor's one descriptor back."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reactor = Reactor(self.clock)
        self.selector = ScriptedSelector(self.clock)
        self.reactor._selector.close()
        self.reactor._selector = self.selector  # type: ignore[assignment]  # the few methods that it uses

    def turn(self) -> None:
        """One turn in which nothing is waited for: what was announced, posted, called soon or is due now."""
        self.reactor.post(_nothing)
        self.reactor.turn()

    def run_for(self, seconds: float) -> None:
        """Turn until the clock has moved by ``seconds``; what is due by then has happened."""
        end = self.clock.now + seconds
        self.reactor.now = self.clock.now
        self.reactor.call_later(seconds, _nothing)
        while self.clock.now < end and not self.reactor._stopped:
            self.reactor.turn()
        self.clock.now = max(self.clock.now, end)  # a stopped loop does not sleep
        self.turn()

    def watches(self, fd: int) -> int:
        """Return the mask a descriptor is watched for; 0 when it is not."""
        key = self.selector.watched.get(fd)
        return key.events if key else 0

    def close(self) -> None:
        """End it."""
        self.reactor.close()


def _nothing() -> None:
    return
