"""How soon a crashed worker's place is filled again, and when the master calls itself degraded.

Two separate rules.  *Back-off* protects the machine from a worker that dies again and again at its start: per slot,
only lives count that were never ready or shorter than SHORT_LIFE, the first two are replaced at once, then the pause
doubles up to a limit.  *Degraded* tells the operator: too many crashes of any kind within a window (Erlang/OTP's
intensity and period); it changes what is reported, never how soon a place is filled.

Knows:     slots and times.
Never:     processes, the clock.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

SHORT_LIFE = 5.0
"""Seconds; a worker that served longer did not crash because of how it starts."""

AT_ONCE = 2
"""How many short lives in a row are replaced without a pause."""

FIRST_PAUSE = 1.0
"""Seconds; doubled with each further short life."""


@dataclass(frozen=True, slots=True)
class CrashPolicy:
    """The settings: ``restarts`` in ``window`` seconds are too many; no pause is longer than ``longest_pause``."""

    restarts: int = 10
    window: float = 60.0
    longest_pause: float = 30.0


@dataclass(frozen=True, slots=True)
class Streak:
    """Short lives in a row in one slot, and until when it rests."""

    lives: int
    not_before: float


@dataclass(frozen=True, slots=True)
class Crashes:
    """What is remembered: a streak for each slot whose last life was short, and the times of the newest crashes."""

    streaks: Mapping[int, Streak] = field(default_factory=dict)
    recent: tuple[float, ...] = ()

    def resting(self, now: float) -> dict[int, float]:
        """Return the slots that must not be used yet, and until when."""
        return {slot: streak.not_before for slot, streak in self.streaks.items() if streak.not_before > now}


def pause(lives: int, policy: CrashPolicy) -> float:
    """Return the seconds a slot rests after ``lives`` short lives in a row."""
    if lives <= AT_ONCE:
        return 0.0
    doublings = min(lives - AT_ONCE - 1, 30)  # beyond that every limit is reached; 2.0**1024 would overflow
    return min(FIRST_PAUSE * 2.0**doublings, policy.longest_pause)


def crashed(crashes: Crashes, policy: CrashPolicy, slot: int, served: float, now: float) -> Crashes:
    """Remember the crash of a worker that was ready for ``served`` seconds (0 when it never was)."""
    crashes = noted(crashes, policy, now)
    return forget_slot(crashes, slot) if served >= SHORT_LIFE else _rest(crashes, policy, slot, now)


def noted(crashes: Crashes, policy: CrashPolicy, now: float) -> Crashes:
    """Remember a crash that says nothing about how workers start."""
    recent = [at for at in crashes.recent if at > now - policy.window]
    return replace(crashes, recent=(*recent, now)[-policy.restarts :])


def could_not_spawn(crashes: Crashes, policy: CrashPolicy, slot: int, now: float) -> Crashes:
    """Let a slot rest because the system refused to fork: never at once again, and no crash of anybody."""
    lives = max(crashes.streaks[slot].lives if slot in crashes.streaks else 0, AT_ONCE)
    streaks = {**crashes.streaks, slot: Streak(lives, now)}
    return _rest(replace(crashes, streaks=streaks), policy, slot, now)


def forget_slot(crashes: Crashes, slot: int) -> Crashes:
    """End the slot's streak: its last life was not a short one."""
    if slot not in crashes.streaks:
        return crashes
    return replace(crashes, streaks={other: streak for other, streak in crashes.streaks.items() if other != slot})


def forgive(crashes: Crashes) -> Crashes:
    """End all streaks: another generation serves now.  The window is kept, it is about what the operator saw."""
    return replace(crashes, streaks={})


def trim(crashes: Crashes, occupied: Collection[int], vacancies: int, now: float) -> Crashes:
    """Forget rests for which there is no vacancy any more, else they would delay the next worker that is missed."""
    resting = sorted((at, slot) for slot, at in crashes.resting(now).items() if slot not in occupied)
    surplus = {slot for _, slot in resting[: max(0, len(resting) - vacancies)]}
    if not surplus:
        return crashes
    return replace(crashes, streaks={slot: streak for slot, streak in crashes.streaks.items() if slot not in surplus})


def is_degraded(crashes: Crashes, policy: CrashPolicy, now: float) -> bool:
    """Whether there were ``restarts`` crashes within the window."""
    return 0 < policy.restarts <= sum(at > now - policy.window for at in crashes.recent)


def calm_at(crashes: Crashes, policy: CrashPolicy) -> float:
    """Return when there are fewer crashes within the window again than make a degraded state; 0.0 when there are."""
    if policy.restarts < 1 or len(crashes.recent) < policy.restarts:
        return 0.0
    return crashes.recent[-policy.restarts] + policy.window


def _rest(crashes: Crashes, policy: CrashPolicy, slot: int, now: float) -> Crashes:
    lives = crashes.streaks[slot].lives + 1 if slot in crashes.streaks else 1
    return replace(crashes, streaks={**crashes.streaks, slot: Streak(lives, now + pause(lives, policy))})
