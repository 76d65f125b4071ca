"""How a generation comes and goes: on trial, promoted, committed, or given up and undone.

Knows:     the state.
Never:     the operating system, the clock, logging, configuration files.
Runs in:   the master, its only thread.
See also:  replacing.py, which decides when.
"""

from __future__ import annotations

from dataclasses import replace

from hybridd.master import crash_policy, events
from hybridd.master.changes import advance, scale, with_crashes
from hybridd.master.children import Child, Phase
from hybridd.master.state import ReloadResult, State, Undo


def begin_trial(state: State, event: events.ConfigurationRead) -> State:
    """Put the generation of a configuration that was read on trial."""
    desired = replace(state.desired, trial=event.generation, reload_asked=False)
    patience = {**state.patience, event.generation: event.patience}
    return replace(state, desired=desired, patience=patience, pending=event, readings=state.readings + 1)


def promoted(state: State, generation: int, now: float) -> State:
    """Let the generation on trial replace the others; it can still be undone."""
    if generation != state.desired.trial:
        return state
    before = state.desired.generation
    patience = {known: value for known, value in state.patience.items() if known in {generation, before}}
    desired = replace(state.desired, generation=generation, trial=0, fallback=before)
    state = with_crashes(replace(state, desired=desired, patience=patience), crash_policy.forgive(state.crashes))
    if state.pending is not None:
        state = _apply_settings(state, state.pending, now)
    for child in state.children.values():
        if child.phase is Phase.PROBATION and child.generation == generation:
            state = advance(state, child, Phase.READY, now)
    return state


def _apply_settings(state: State, settings: events.ConfigurationRead, now: float) -> State:
    desired = state.desired
    was = desired.workers
    desired = replace(desired, surge=settings.surge, unavailable=settings.unavailable)
    undo = Undo(state.policy, state.drain_delay, state.desired.surge, state.desired.unavailable, workers=0)
    state = replace(state, desired=desired, policy=settings.policy, drain_delay=settings.drain_delay, pending=None)
    if settings.workers is not None:
        state = scale(state, settings.workers, now)
    return replace(state, undo=replace(undo, workers=state.desired.workers - was))


def committed(state: State, generation: int, now: float) -> State:
    """Give up going back."""
    if generation != state.desired.generation or not state.desired.fallback:
        return state
    desired = replace(state.desired, fallback=0, doubted=False)
    result = ReloadResult(generation, False, "", now, state.readings)
    patience = {generation: state.patience[generation]}
    return replace(state, desired=desired, patience=patience, undo=None, last_reload=result)


def undoes(state: State, child: Child) -> bool:
    """Whether the failure of this worker undoes the reload that brought it."""
    return bool(state.desired.fallback) and child.generation == state.desired.generation


def roll_back(state: State, reason: str, now: float, said: str = "") -> State:
    """Undo a reload that replaces the workers: those that retired are called back."""
    lost, desired = state.desired.generation, state.desired
    state = replace(state, desired=replace(desired, generation=desired.fallback, fallback=0, doubted=True))
    state = with_crashes(state, crash_policy.forgive(state.crashes))
    if (undo := state.undo) is not None:
        desired = replace(state.desired, surge=undo.surge, unavailable=undo.unavailable)
        state = replace(state, desired=desired, policy=undo.policy, drain_delay=undo.drain_delay, undo=None)
        state = scale(state, state.desired.workers - undo.workers, now)
    patience = {generation: value for generation, value in state.patience.items() if generation != lost}
    return refused(replace(state, patience=patience), lost, reason, now, said)


def refused(state: State, generation: int, reason: str, now: float, said: str = "") -> State:
    """Note how a reload ended that changed nothing."""
    return replace(state, last_reload=ReloadResult(generation, True, reason, now, state.readings, said))


def trial_lost(state: State, reason: str, now: float, said: str = "") -> State:
    """Give the generation on trial up: the trusted one goes on as if nothing had been asked."""
    lost = state.desired.trial
    desired = replace(state.desired, trial=0, doubted=True)
    patience = {generation: value for generation, value in state.patience.items() if generation != lost}
    state = replace(state, desired=desired, patience=patience, pending=None)
    return refused(state, lost, reason, now, said)
