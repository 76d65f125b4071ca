"""Signals that end the command: from the keyboard, TERM, the end of the terminal.

They raise Interruption in the main thread, but not while a process is being started or ended: then it is raised
behind that, so that no process is left that nobody knows.

Knows:     Python's signal handlers, which run in the main thread only.
Runs in:   the command line tool, its main thread.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)


class Interruption(KeyboardInterrupt):
    """Signal ``number`` asks us to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Gate:
    """Whether a signal may raise now; signals belong to the process, so there is one gate."""

    def __init__(self) -> None:
        self.deferring = 0
        self.waiting = 0

    def handle(self, number: int, _: FrameType | None) -> None:
        """Python calls it."""
        if self.deferring:
            self.waiting = number
            return
        raise Interruption(number)


_gate = _Gate()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let signals raise Interruption."""
    before = {number: signal.signal(number, _gate.handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Let a signal wait until the end of this; what is in here must end soon."""
    _gate.deferring += 1
    try:
        yield
    finally:
        _gate.deferring -= 1
    if not _gate.deferring and _gate.waiting:
        number, _gate.waiting = _gate.waiting, 0
        raise Interruption(number)
