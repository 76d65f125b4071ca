"""The master's whole state as one value.

Knows:     children, the modes, what the crash policy remembers.
Never:     the operating system, the clock, logging, configuration files.
Runs in:   the master, its only thread.
See also:  fold.py, which alone makes new ones; lifecycle.py, which decides from ``desired`` and ``children``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hybridd.master import crash_policy, events
from hybridd.master.children import Child, Patience, Phase
from hybridd.master.crash_policy import Crashes, CrashPolicy
from hybridd.master.desired import Desired
from hybridd.master.modes import Mode


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """How the last reload ended.

    ``reason`` is a sentence when it was refused, ``said`` the end of what a worker said about it (a traceback);
    ``reading`` counts how often the configuration had been read by then.
    """

    generation: int
    refused: bool
    reason: str
    at: float
    reading: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    """How the last upgrade ended; ``pid`` is the successor's, 0 when it came to nothing: see ``reason``."""

    pid: int
    reason: str
    at: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """The settings before a reload that can still be undone; ``workers`` is by how many it changed their number."""

    policy: CrashPolicy
    drain_delay: float
    surge: int
    unavailable: int
    workers: int


@dataclass(frozen=True, slots=True)
class State:
    """Everything that decisions are made from.

    Attributes:
        desired: what should be.
        patience: of each generation that has or may get workers.
        children: the workers by pid.
        crashes: what the crash policy remembers.
        policy: the crash settings.
        drain_delay: seconds that a graceful stop goes on serving.
        pending: what is to change when the generation on trial is trusted.
        undo: what is to be taken back when the reload that replaces the workers fails.
        attempts: how many first workers died of a signal.
        readings: how often the configuration was read again.
        last_reload: None before the first one.
        upgrades: how many upgrades have ended, well or not.
        last_upgrade: None before the first one.
        heir: we are to take another master's place; until then our workers wait.
    """

    desired: Desired
    patience: Mapping[int, Patience]
    mode: Mode = Mode.STARTING
    children: Mapping[int, Child] = field(default_factory=dict)
    crashes: Crashes = field(default_factory=Crashes)
    policy: CrashPolicy = field(default_factory=CrashPolicy)
    drain_delay: float = 0.0
    pending: events.ConfigurationRead | None = None
    undo: Undo | None = None
    attempts: int = 0
    readings: int = 0
    last_reload: ReloadResult | None = None
    upgrades: int = 0
    last_upgrade: UpgradeResult | None = None
    heir: bool = False

    @property
    def finished(self) -> bool:
        """Whether the loop may end."""
        return self.mode is Mode.STOPPED

    def count(self, phase: Phase) -> int:
        """How many workers are in this phase."""
        return sum(child.phase is phase for child in self.children.values())

    def degraded(self, now: float) -> bool:
        """Whether too many workers crashed lately."""
        return crash_policy.is_degraded(self.crashes, self.policy, now)


def most_workers(slots: int) -> int:
    """Return how many workers fit: during a reload an old and a new one stand side by side."""
    return slots // 2


def first_state(
    workers: int,
    patience: Patience,
    policy: CrashPolicy,
    *,
    drain_delay: float,
    slots: int,
    surge: int = 1,
    unavailable: int = 1,
    heir: bool = False,
) -> State:
    """Return the state in which nothing has happened: generation 1 is on trial, and there is no other.

    ``heir``: another master serves meanwhile, so there is time to watch the canary.
    """
    return State(
        Desired(min(max(1, workers), most_workers(slots)), trial=1, slots=slots, surge=surge, unavailable=unavailable),
        {1: patience if heir else replace(patience, settle=0.0)},  # nobody serves that could be protected from it
        policy=policy,
        drain_delay=drain_delay,
        heir=heir,
    )
