"""The master that is to take our place in an upgrade, and what we may do about it: values only.

    ─USR2→ BOOTING ─its workers are ready→ READY ─told to take over→ TAKING ─it has→ this master drains and leaves
              └──too late, or hybridd stops──────────→ ENDED ←──────────┘            └its death: we go on as before

Knows:     nothing but these words.
Never:     the operating system, the clock.
Runs in:   the master, its only thread; tests make successors by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf


class Stage(Enum):
    """How far a successor is."""

    BOOTING = "booting"  # forked; it reads its configuration and loads its application behind a canary
    READY = "ready"  # its workers are ready and wait for the word to accept
    TAKING = "taking over"  # it was given the word
    ENDED = "ended"  # it was killed with its workers


@dataclass(frozen=True, slots=True)
class Successor:
    """The process; ``deadline`` is when it is late, ``why`` the reason for which it was ended."""

    pid: int
    stage: Stage
    deadline: float = inf
    why: str = ""


@dataclass(frozen=True, slots=True)
class StartSuccessor:
    """Start the command again, as it is on disk now, with our listeners."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Accept nothing more on the admin and control sockets, and give the successor the word."""

    pid: int


@dataclass(frozen=True, slots=True)
class EndSuccessor:
    """Kill the successor and its workers; they have served nobody."""

    pid: int
    why: str


UpgradeStep = StartSuccessor | HandOver | EndSuccessor
