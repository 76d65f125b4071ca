"""How each event changes the master's state.

    state = fold(state, event, now)          for what was observed and asked
    state = fold(state, outcome, now)        for what came of each action of plan()

Knows:     events, children, the table of modes, the crash policy.
Never:     the operating system, the clock, logging, configuration files.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import assert_never

from hybridd.errors import ExitCode
from hybridd.master import crash_policy, events
from hybridd.master.children import Abort, Child, Drain, Phase, Quit, Step, Why
from hybridd.master.crash_policy import Crashes
from hybridd.master.events import Event
from hybridd.master.lifecycle import Stop
from hybridd.master.modes import Go, Mode, cell
from hybridd.master.state import ReloadResult, State, most_workers

BOOT_ATTEMPTS = 3
"""How often the first worker may die of a signal before it was ever ready; when it exits by itself, once is enough."""


def fold(state: State, event: Event, now: float) -> State:
    """Return the state after ``event``; unchanged when the table of modes says so."""
    where = cell(state.mode, event)
    if not isinstance(where, Go):
        return state
    if where.to is not state.mode:
        state = replace(state, mode=where.to)
    state = _apply(state, event, now)
    follows = _consequence(state, now)
    return state if follows is None else fold(state, follows, now)


def _consequence(state: State, now: float) -> Event | None:
    """Return what has become true by the last event, in the mode in which it matters."""
    desired = state.desired
    if state.mode is not Mode.STARTING or not desired.generation:
        return None
    ready = state.count(Phase.READY)
    if ready >= desired.workers or (ready and state.degraded(now)):
        return events.FleetComplete()
    return None


def _apply(state: State, event: Event, now: float) -> State:  # noqa: C901, PLR0911, PLR0912 - one line per event
    match event:
        case events.StopAsked():
            return _stop(state, Stop.QUICK if state.desired.stop else Stop.GRACEFUL, now)
        case events.QuitAsked():
            return _stop(state, Stop.QUICK, now)
        case events.ReloadAsked():
            return _want(state, reload_asked=True)
        case events.ScaleAsked():
            return _scale(state, state.desired.workers + event.by, now)
        case events.ConfigurationRead():
            return _begin_trial(state, event)
        case events.ConfigurationRefused():
            state = _want(replace(state, readings=state.readings + 1), reload_asked=False)
            return _refused(state, state.desired.generation, event.reason, now)
        case events.Spawned():
            return _born(state, event, now)
        case events.SpawnFailed():
            return _could_not_spawn(state, event, now)
        case events.BecameReady():
            return _became_ready(state, event.pid, now)
        case events.BeganToLeave():
            return _begin_to_leave(state, event.pid, now)
        case events.SeemsHung():
            child = state.children.get(event.pid)
            if child is None or child.phase not in {Phase.READY, Phase.PROBATION}:
                return state
            return _advance(state, child, Phase.HUNG, now, child.patience.boot)
        case events.Recovered():
            child = state.children.get(event.pid)
            if child is None or child.phase is not Phase.HUNG:
                return state
            return _trim(_advance(state, child, Phase.READY, now), now)
        case events.Died():
            return _died(state, event, now)
        case events.Signalled():
            return _signalled(state, event.step, now)
        case events.Promoted():
            return _promoted(state, event.generation, now)
        case events.GaveUp():
            return replace(state, desired=replace(state.desired, stop=Stop.QUICK, exit_code=event.code))
        case events.ReopenAsked() | events.UpgradeAsked() | events.FleetComplete() | events.Left():
            return state
        case _:
            assert_never(event)


# What the operator wants.


def _want(state: State, *, reload_asked: bool) -> State:
    return replace(state, desired=replace(state.desired, reload_asked=reload_asked))


def _stop(state: State, how: Stop, now: float) -> State:
    desired = state.desired
    drain_at = desired.drain_at if desired.stop else now + state.drain_delay
    return replace(state, desired=replace(desired, stop=how, drain_at=drain_at, reload_asked=False))


def _scale(state: State, workers: int, now: float) -> State:
    workers = min(max(1, workers), most_workers(state.desired.slots))
    return _trim(replace(state, desired=replace(state.desired, workers=workers)), now)


# Reload: a generation on trial, trusted or given up.


def _begin_trial(state: State, event: events.ConfigurationRead) -> State:
    desired = replace(state.desired, trial=event.generation, reload_asked=False)
    patience = {**state.patience, event.generation: event.patience}
    return replace(state, desired=desired, patience=patience, pending=event, readings=state.readings + 1)


def _promoted(state: State, generation: int, now: float) -> State:
    if generation != state.desired.trial:
        return state
    desired = replace(state.desired, generation=generation, trial=0)
    state = replace(state, desired=desired, patience={generation: state.patience[generation]})
    state = _with_crashes(state, crash_policy.forgive(state.crashes))
    if state.pending is not None:
        state = _apply_settings(state, state.pending, now)
    for child in state.children.values():
        if child.phase is Phase.PROBATION and child.generation == generation:
            state = _advance(state, child, Phase.READY, now)
    return state


def _apply_settings(state: State, settings: events.ConfigurationRead, now: float) -> State:
    result = ReloadResult(settings.generation, False, "", now, state.readings)
    state = replace(state, policy=settings.policy, drain_delay=settings.drain_delay, pending=None)
    state = replace(state, last_reload=result)
    return state if settings.workers is None else _scale(state, settings.workers, now)


def _refused(state: State, generation: int, reason: str, now: float, said: str = "") -> State:
    return replace(state, last_reload=ReloadResult(generation, True, reason, now, state.readings, said))


def _trial_lost(state: State, reason: str, now: float, said: str = "") -> State:
    """Give the generation on trial up: the trusted one goes on as if nothing had been asked."""
    lost = state.desired.trial
    desired = replace(state.desired, trial=0)
    patience = {generation: value for generation, value in state.patience.items() if generation != lost}
    state = replace(state, desired=desired, patience=patience, pending=None)
    return _refused(state, lost, reason, now, said)


def _first_lost(state: State, *, hopeless: bool, code: ExitCode, now: float) -> State:
    """Try the very first worker again, or give up when it would only do the same."""
    state = replace(state, attempts=state.attempts + 1)
    if hopeless or state.attempts >= BOOT_ATTEMPTS:
        return fold(state, events.GaveUp(code), now)
    return state


# What workers do.


def _born(state: State, event: events.Spawned, now: float) -> State:
    patience = state.patience[event.generation]
    child = Child(
        slot=event.slot,
        pid=event.pid,
        generation=event.generation,
        phase=Phase.BOOTING,
        born=now,
        since=now,
        deadline=now + patience.boot,
        patience=patience,
    )
    return replace(state, children={**state.children, event.pid: child})


def _could_not_spawn(state: State, event: events.SpawnFailed, now: float) -> State:
    crashes = crash_policy.could_not_spawn(state.crashes, state.policy, event.slot, now)
    if event.generation != state.desired.trial:
        return _with_crashes(state, crashes)
    if state.desired.generation:
        return _trial_lost(state, event.reason, now)
    return _first_lost(_with_crashes(state, crashes), hopeless=False, code=ExitCode.SYSTEM, now=now)


def _became_ready(state: State, pid: int, now: float) -> State:
    child = state.children.get(pid)
    if child is None or child.served_since is not None:
        return state
    child = replace(child, served_since=now)
    if child.phase is Phase.DRAINING:  # asked to leave in the moment in which it became ready: it may serve somebody
        patience = child.patience
        return _advance(state, child, Phase.DRAINING, child.since, patience.graceful + patience.leave)
    if child.phase is not Phase.BOOTING:
        return state
    if child.generation == state.desired.trial:
        return _advance(state, child, Phase.PROBATION, now, child.patience.settle)
    return _advance(state, child, Phase.READY, now)


def _begin_to_leave(state: State, pid: int, now: float) -> State:
    child = state.children.get(pid)
    if child is None or not (child.live or child.phase is Phase.HUNG):
        return state
    child = replace(child, why=Why.STOP if state.desired.stop else Why.LEFT)  # a signal to the whole process group
    return _advance(state, child, Phase.DRAINING, now, child.patience.graceful + child.patience.leave)


def _died(state: State, event: events.Died, now: float) -> State:
    child = state.children.get(event.pid)
    if child is None:
        return state
    state = replace(state, children={pid: other for pid, other in state.children.items() if pid != event.pid})
    desired = state.desired
    if desired.stop:
        return state
    if child.generation != desired.trial:
        return _with_crashes(state, _crashes_after(state, child, event, now))
    if desired.generation:
        return _trial_lost(state, event.reason, now, event.said)
    hopeless = event.exited or child.why is Why.BOOT
    return _first_lost(state, hopeless=hopeless, code=ExitCode.CANNOT_BOOT, now=now)


def _crashes_after(state: State, child: Child, death: events.Died, now: float) -> Crashes:
    if not child.why.is_fault:
        return crash_policy.forget_slot(state.crashes, child.slot)
    if child.generation != state.desired.generation or death.from_outside:
        return crash_policy.noted(state.crashes, state.policy, now)  # nothing to learn about how workers start
    served = 0.0 if child.served_since is None else now - child.served_since
    return crash_policy.crashed(state.crashes, state.policy, child.slot, served, now)


# The steps that end a worker.


def _signalled(state: State, step: Step, now: float) -> State:
    child = state.children.get(step.pid)
    if child is None:
        return state
    if child.why is Why.NONE:
        child = replace(child, why=step.why)
    patience = child.patience
    if isinstance(step, Drain):
        # Who does not serve yet has nothing to finish.
        seconds = patience.graceful + patience.leave if child.served_since is not None else patience.quit
        return _advance(state, child, Phase.DRAINING, now, seconds)
    if isinstance(step, Quit):
        return _advance(state, child, Phase.QUITTING, now, min(patience.quit, child.deadline - now))
    if isinstance(step, Abort):
        return _advance(state, child, Phase.ABORTED, now, patience.abort)
    return _advance(state, child, Phase.KILLED, now, patience.kill)


def _advance(state: State, child: Child, phase: Phase, now: float, seconds: float = inf) -> State:
    child = replace(child, phase=phase, since=now, deadline=now + seconds)
    return replace(state, children={**state.children, child.pid: child})


# Crashes.


def _with_crashes(state: State, crashes: Crashes) -> State:
    not_before = {slot: streak.not_before for slot, streak in crashes.streaks.items()}
    return replace(state, crashes=crashes, desired=replace(state.desired, not_before=not_before))


def _trim(state: State, now: float) -> State:
    desired = state.desired
    current = sum(child.live and child.generation == desired.generation for child in state.children.values())
    occupied = {child.slot for child in state.children.values()}
    crashes = crash_policy.trim(state.crashes, occupied, max(0, desired.workers - current), now)
    return _with_crashes(state, crashes)
