"""What can happen where ``preload`` is on, as values (see events.py).

Knows:     nothing but these words.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Born:
    """A worker that was asked for exists (fork_servers.py): what was called ``ticket`` has a pid now."""

    ticket: int
    pid: int


@dataclass(frozen=True, slots=True)
class Preloaded:
    """A fork server has loaded the application of its generation; ``original``: as the first one of it."""

    generation: int
    pid: int
    seconds: float
    original: bool


@dataclass(frozen=True, slots=True)
class ForkServerLost:
    """A fork server has died, of a signal if ``status`` is negative; ``again``: another one was started at once."""

    generation: int
    pid: int
    status: int
    again: bool = False
