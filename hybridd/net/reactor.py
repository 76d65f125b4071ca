"""The event loop of a worker and of the master: what is ready, what is due, what other threads posted.

One turn, in this order:

1. events fetched earlier and not yet handled (a new leader goes on where the old one was interrupted);
2. select, asleep until the next deadline, timer, event or ``post``, unless there is something to do;
3. the clock is read once: ``now`` is the time of the turn;
4. jobs posted by other threads; the fetched events; then timers and deadlines that are due: a loop that was held up
   reads what had come in time before it judges anybody;
5. jobs of ``call_first``, then those of ``call_soon``, also those of this turn's events: Calls start here, outside of
   every frame, and nowhere else; what the latter write, if it is little, is held back and sent in one go behind the
   last of them (see ``held``);
6. ``after_turn``: counters to the scoreboard, log lines to their file.  Nothing happens between this and the sleep, so
   that a sleeping loop has told everything.

Between two events or jobs what was posted meanwhile is looked at: with 32 busy clients a turn takes 1.2 ms, and the
answer of a Call that ran elsewhere would wait that long.

Knows:     selectors, the monotonic clock.
Never:     HTTP, applications, signals.
Runs in:   the master's only thread; in a worker, the thread that leads.  Any thread may call ``post`` and ``wake``.
"""

from __future__ import annotations

import os
import selectors
import time
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from hybridd.net.deadlines import Deadlines

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Handler(Protocol):
    """What may be registered: its ``ready`` is called with the events that came, READ | WRITE.

    An error or a hang-up arrives as what was asked for, and the next read or write says what it was.  A handler knows
    itself what it asked for: events that were fetched before it unregistered still arrive, and it ignores them.
    """

    def ready(self, mask: int) -> None:
        """Handle the events in ``mask``."""


_LONGEST_HOLD = 0.001
"""Seconds: a Call that takes its time is not to keep the answers of those before it."""

_QUICK = 0.001
"""Seconds: jobs that take longer than this on average are not worth waiting for, and their successors hold nothing."""


class Holder(Protocol):
    """A connection that has bytes to be sent with those of others."""

    def send_held(self) -> None:
        """Send them."""


Job = tuple[Callable[..., object], tuple[object, ...]]


class Timer:
    """One call in the future; ``cancel`` forgets it."""

    __slots__ = ("at", "fn")

    def __init__(self, at: float, fn: Callable[[], None]) -> None:
        self.at = at
        self.fn: Callable[[], None] | None = fn

    def cancel(self) -> None:
        """Never call it; idempotent."""
        self.fn = None


class Reactor:
    """A `selectors` loop that can be led by different threads, one at a time.

    Attributes:
        clock: monotonic seconds.
        now: its time when this turn's events had been fetched.
        deadlines: those of the many; ``call_later`` is for the few.
        soon: the jobs of ``call_soon``; who adds one for every request appends it, for a call costs as much again.
        held: connections whose small writes are held back until the jobs of this turn are done or take their time; who
            holds bytes back puts itself there.  None: nothing is held back.
        after_turn: called at the end of each turn.
        on_sleep, on_wake: called before a select that may wait, and after every select.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, selector: selectors.BaseSelector | None = None
    ) -> None:
        self.clock = clock
        self.now = clock()
        self.deadlines = Deadlines()
        self.held: list[Holder] | None = None
        self.after_turn: list[Callable[[], None]] = []
        self.on_sleep: Callable[[], None] | None = None
        self.on_wake: Callable[[], None] | None = None
        self._selector = selector or selectors.DefaultSelector()
        self._events: deque[tuple[selectors.SelectorKey, int]] = deque()
        self._first: deque[Job] = deque()
        self.soon: deque[Job] = deque()
        self._posted: deque[Job] = deque()
        self._quick = True  # whether the jobs of the last turn that had several were
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = count()
        self._sleeping = False
        self._stopped = False
        self._wakeup = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._selector.register(self._wakeup, READ, _WakeUp(self._wakeup))

    # What is watched.

    def register(self, fd: int, mask: int, handler: Handler) -> None:
        """Watch ``fd``; ``mask`` is never 0: to pause is to unregister (a peer's reset would spin the loop)."""
        self._selector.register(fd, mask, handler)

    def modify(self, fd: int, mask: int, handler: Handler) -> None:
        """Watch a registered ``fd`` for other events."""
        self._selector.modify(fd, mask, handler)

    def unregister(self, fd: int) -> None:
        """Watch ``fd`` no longer."""
        self._selector.unregister(fd)

    # What is to be done.

    def call_soon(self, fn: Callable[..., object], *args: object) -> None:
        """Run ``fn(*args)`` outside of all other work, at the end of this turn; only in the thread that leads.

        Called by such a job itself: at the end of the next turn, which does not sleep.
        """
        self.soon.append((fn, args))

    def call_first(self, fn: Callable[..., object], *args: object) -> None:
        """As ``call_soon``, before the jobs of that: for one that only sends something on its way."""
        self._first.append((fn, args))

    def post(self, fn: Callable[..., object], *args: object) -> None:
        """Run ``fn(*args)`` in the thread that leads; from any thread."""
        self._posted.append((fn, args))
        self.wake()

    def wake(self) -> None:
        """End the sleep of the thread that leads, if it sleeps; from any thread."""
        # The leader says that it will sleep, then looks at _posted again; a poster appends, then looks whether the
        # leader sleeps.  One of them sees the other, so a busy loop costs no system call and no post is overlooked.
        if self._sleeping:
            self._sleeping = False
            os.eventfd_write(self._wakeup, 1)

    def call_later(self, seconds: float, fn: Callable[[], None]) -> Timer:
        """Run ``fn()`` once, ``seconds`` after this turn's time; for the few, see ``deadlines`` for the many."""
        timer = Timer(self.now + seconds, fn)
        heappush(self._timers, (timer.at, next(self._sequence), timer))
        return timer

    def stop(self) -> None:
        """Let ``run`` return at the end of this turn."""
        self._stopped = True

    # The loop.

    def refresh(self) -> None:
        """Read the clock again within a turn: something has taken its time."""
        self.now = self.clock()

    def run(self) -> None:
        """Turn until ``stop``."""
        while not self._stopped:
            self.turn()

    def turn(self) -> None:
        """One pass, see the head of this file."""
        if self.held is not None:  # the last leader has lost its lead before it came to this
            self._send(self.held)
        self._handle_events()
        self._fetch()
        self._run(self._posted)
        self._handle_events()
        if self._timers:
            self._run_timers()
        self.deadlines.expire(self.now)
        self._run(self._first)
        self._run_soon()
        for hook in self.after_turn:
            hook()

    def _run_soon(self) -> None:
        """Run the jobs, then send what they have written.

        To send is to wake whoever reads.  A client on this machine that gets one answer at a time sleeps between two of
        them, and to wake it costs us as much as all else that the kernel does for a request: a fifth of a hello.
        """
        soon, posted = self.soon, self._posted
        jobs, began = len(soon), self.now
        held: list[Holder] | None = [] if self._quick and jobs > 1 else None
        self.held = held
        due = began + _LONGEST_HOLD
        for _ in range(jobs):
            if posted:
                self.held = None  # who has waited elsewhere shall not wait here too
                self._run(posted)
                self.held = held
            fn, args = soon.popleft()
            fn(*args)
            if self.now > due and held:
                self._send(held)
                self.held = held
                due = self.now + _LONGEST_HOLD
        if held is not None:
            self._send(held)
        if jobs > 1:
            self._quick = self.now - began <= _QUICK * jobs

    def _send(self, held: list[Holder]) -> None:
        """Let everybody send what was held back, and hold nothing from now on."""
        self.held = None
        for holder in held:
            holder.send_held()
        held.clear()

    def _handle_events(self) -> None:
        events, posted = self._events, self._posted
        while events:
            if posted:
                self._run(posted)
            key, mask = events.popleft()
            key.data.ready(mask)

    def _run(self, jobs: deque[Job]) -> None:
        """Run those that are there now; what they add comes later."""
        for _ in range(len(jobs)):
            fn, args = jobs.popleft()
            fn(*args)

    def _fetch(self) -> None:
        if self.soon or self._first or self._posted or self._stopped:
            self._events.extend(self._selector.select(0))
        else:
            self._sleep()
        self.now = self.clock()
        if self.on_wake:
            self.on_wake()

    def _sleep(self) -> None:
        timeout = self._time_to_sleep()
        if self.on_sleep:
            self.on_sleep()
        self._sleeping = True
        if self._posted:
            timeout = 0
        try:
            self._events.extend(self._selector.select(timeout))
        finally:
            self._sleeping = False

    def _time_to_sleep(self) -> float | None:
        due = self.deadlines.next()
        while self._timers and self._timers[0][2].fn is None:
            heappop(self._timers)
        if self._timers and (due is None or self._timers[0][0] < due):
            due = self._timers[0][0]
        return None if due is None else max(0.0, due - self.clock())

    def _run_timers(self) -> None:
        due = []  # first all of them, so that one that sets itself again with no delay lets the turn end
        while self._timers and self._timers[0][0] <= self.now:
            due.append(heappop(self._timers)[2])
        for timer in due:
            if timer.fn is not None:
                timer.fn()

    # The end.

    def close(self) -> None:
        """Give the descriptors back; what is registered is the caller's to close."""
        self._selector.close()
        os.close(self._wakeup)

    def abandon(self) -> None:
        """In a forked child: leave the parent's loop.

        The epoll instance is shared with the parent, so nothing is unregistered: EPOLL_CTL_DEL here would blind the
        parent (epoll(7), Q6).
        """
        self.after_turn.clear()
        self._first.clear()
        self.soon.clear()
        self._posted.clear()
        self._events.clear()
        if self.held is not None:
            self.held.clear()
        self.close()


class _WakeUp:
    """Empties the event descriptor that ``wake`` writes to."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def ready(self, mask: int) -> None:
        del mask
        os.eventfd_read(self._fd)
