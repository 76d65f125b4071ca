"""What should be: the wish that plan() compares the workers with.

Knows:     numbers of generations and slots.
Never:     the operating system, the clock, logging, configuration.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from hybridd.master.successor import Successor


class Stop(IntEnum):
    """Whether hybridd is to stop, and in how much of a hurry."""

    NO = 0
    GRACEFUL = 1
    QUICK = 2


@dataclass(frozen=True, slots=True)
class Desired:
    """What should be.

    Attributes:
        workers: how many should serve.
        generation: the one whose workers are wanted; 0 before the first one is trusted.
        trial: the generation on trial behind one canary; 0 when there is none.
        fallback: while a reload can still be undone the generation to go back to, whose workers retire; else 0.
        doubted: the code of ``generation`` is perhaps no longer what would be loaded: its last successor was refused.
        kept: the generations whose first fork server lives, so that their code is there whatever would be loaded.
        reload_asked: the configuration is to be read again as soon as no generation is on trial.
        surge: workers beyond the wanted number while a reload replaces them.
        unavailable: marked workers that are replaced at a time.
        calm_at: until then too many workers have crashed lately for recycling healthy ones.
        upgrade_asked: another master is to take our place as soon as no reload is on its way.
        successor: that master while it is on its way; None when there is none.
        succeeded: we stop because it has taken our place.
        stop, drain_at: whether to stop; a graceful stop goes on serving until ``drain_at``.
        leave_at: until then a graceful stop waits also when no worker is left.
        exit_code: with what to leave when no worker is left.
        not_before: slots whose workers died young lately, and when the next one may be started there.
        slots: how many there are (the rows of the scoreboard).
    """

    workers: int
    generation: int = 0
    trial: int = 0
    fallback: int = 0
    doubted: bool = False
    kept: frozenset[int] = frozenset()
    surge: int = 1
    unavailable: int = 1
    calm_at: float = 0.0
    reload_asked: bool = False
    upgrade_asked: bool = False
    successor: Successor | None = None
    succeeded: bool = False
    stop: Stop = Stop.NO
    drain_at: float = 0.0
    leave_at: float = 0.0
    exit_code: int = 0
    not_before: Mapping[int, float] = field(default_factory=dict)
    slots: int = 1024

    @property
    def generations(self) -> tuple[int, int, int]:
        """The generation, the trial and the fallback: no other one gets workers any more."""
        return self.generation, self.trial, self.fallback

    @property
    def stale(self) -> bool:
        """Whether the generation cannot be made again as it is."""
        return self.doubted and self.generation not in self.kept
