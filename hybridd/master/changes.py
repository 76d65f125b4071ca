"""Small changes of the master's state that several events bring about.

Knows:     the state, what the crash policy remembers.
Never:     the operating system, the clock, logging, configuration files.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

from hybridd.master import crash_policy
from hybridd.master.children import Child, Phase, Why
from hybridd.master.crash_policy import Crashes
from hybridd.master.state import State, most_workers


def scale(state: State, workers: int, now: float) -> State:
    """Want another number of workers, as far as there can be so many."""
    workers = min(max(1, workers), most_workers(state.desired.slots))
    return trim(replace(state, desired=replace(state.desired, workers=workers)), now)


def with_crashes(state: State, crashes: Crashes) -> State:
    """Remember crashes, and until when slots rest because of them."""
    not_before = {slot: streak.not_before for slot, streak in crashes.streaks.items()}
    calm_at = crash_policy.calm_at(crashes, state.policy)
    return replace(state, crashes=crashes, desired=replace(state.desired, not_before=not_before, calm_at=calm_at))


def trim(state: State, now: float) -> State:
    """Forget rests for which there is no vacancy any more."""
    desired = state.desired
    current = sum(child.live and child.generation == desired.generation for child in state.children.values())
    occupied = {child.slot for child in state.children.values()}
    crashes = crash_policy.trim(state.crashes, occupied, max(0, desired.workers - current), now)
    return with_crashes(state, crashes)


def advance(state: State, child: Child, phase: Phase, now: float, seconds: float = inf) -> State:
    """Let a worker enter a phase, which must end within ``seconds``."""
    child = replace(child, phase=phase, since=now, deadline=now + seconds)
    return replace(state, children={**state.children, child.pid: child})


def turn(state: State, pid: int, begin: Phase, end: Phase, now: float) -> State:
    """Let a worker that is in phase ``begin`` enter phase ``end``."""
    child = state.children.get(pid)
    return state if child is None or child.phase is not begin else advance(state, child, end, now)


def mark(state: State, pid: int, why: Why) -> State:
    """Note that a worker is to be replaced; for a reason that cannot wait, also when it was for one that can."""
    child = state.children.get(pid)
    if child is None or child.phase is not Phase.READY or child.marked not in {Why.NONE, Why.RECYCLE}:
        return state
    return replace(state, children={**state.children, pid: replace(child, marked=why)})


def keep(state: State, generation: int, *, kept: bool = True) -> State:
    """Note whether a generation can be made again whatever would be loaded."""
    others = state.desired.kept - {generation}
    return replace(state, desired=replace(state.desired, kept=others | {generation} if kept else others))
