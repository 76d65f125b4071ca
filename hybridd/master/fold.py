"""How each event changes the master's state.

    state = fold(state, event, now)          for what was observed and asked
    state = fold(state, outcome, now)        for what came of each action of plan()

Knows:     events, children, the table of modes, the crash policy.
Never:     the operating system, the clock, logging, configuration files.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from dataclasses import replace

from hybridd.errors import ExitCode
from hybridd.master import crash_policy, events, preloading, succession
from hybridd.master.changes import advance, keep, mark, scale, trim, turn, with_crashes
from hybridd.master.children import Abort, Child, Drain, Phase, Quit, Step, Why
from hybridd.master.crash_policy import Crashes
from hybridd.master.desired import Stop
from hybridd.master.events import Event
from hybridd.master.generations import begin_trial, committed, promoted, refused, roll_back, trial_lost, undoes
from hybridd.master.modes import Go, Mode, cell
from hybridd.master.state import State

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
        return events.FleetHeld() if state.heir else events.FleetComplete()
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
            return _scale(state, event.by, now)
        case events.RestartAsked():
            return _restart(state, event.slot)
        case events.ConfigurationRead():
            return begin_trial(state, event)
        case events.ConfigurationRefused():
            return _stay_as_it_is(state, event.reason, now)
        case events.Spawned():
            return _born(state, event, now)
        case events.SpawnFailed():
            return _could_not_spawn(state, event, now)
        case preloading.Born():
            return _born_at_last(state, event)
        case preloading.Preloaded():
            return keep(state, event.generation) if event.original else state
        case preloading.ForkServerLost():
            return keep(state, event.generation, kept=False)
        case events.BecameReady():
            return _became_ready(state, event.pid, now)
        case events.BeganToLeave():
            return _begin_to_leave(state, event.pid, now)
        case events.SeemsHung():
            return _hung(state, event.pid, now)
        case events.Recovered():
            return _recovered(state, event.pid, now)
        case events.Marked():
            return mark(state, event.pid, event.why)
        case events.Died():
            return _died(state, event, now)
        case events.Signalled():
            return _signalled(state, event.step, now)
        case events.Retired():
            return turn(state, event.pid, Phase.READY, Phase.RETIRED, now)
        case events.Revived():
            return turn(state, event.pid, Phase.RETIRED, Phase.READY, now)
        case events.Promoted():
            return promoted(state, event.generation, now)
        case events.Committed():
            return committed(state, event.generation, now)
        case events.GaveUp():
            return _give_up(state, event.code)
        case events.ReopenAsked() | events.FleetComplete() | events.FleetHeld() | events.Left():
            return state
        case _:
            return succession.follow(state, event, now)


# What the operator wants.


def _want(state: State, *, reload_asked: bool) -> State:
    return replace(state, desired=replace(state.desired, reload_asked=reload_asked))


def _stop(state: State, how: Stop, now: float) -> State:
    desired = state.desired
    drain_at = desired.drain_at if desired.stop else now + state.drain_delay
    return replace(
        state, desired=replace(desired, stop=how, drain_at=drain_at, reload_asked=False, upgrade_asked=False)
    )


def _give_up(state: State, code: int) -> State:
    return replace(state, desired=replace(state.desired, stop=Stop.QUICK, exit_code=code))


def _scale(state: State, by: int, now: float) -> State:
    if by > 0 and state.desired.stale:
        return state  # whatever would be loaded now was refused
    return scale(state, state.desired.workers + by, now)


def _restart(state: State, slot: int) -> State:
    asked = [pid for pid, child in state.children.items() if child.slot == slot]
    return mark(state, asked[0], Why.RESTART) if asked else state


def _stay_as_it_is(state: State, reason: str, now: float) -> State:
    state = _want(replace(state, readings=state.readings + 1), reload_asked=False)
    return refused(state, state.desired.generation, reason, now)


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


def _born_at_last(state: State, event: preloading.Born) -> State:
    if (child := state.children.get(event.ticket)) is None:
        return state
    children = {**_without(state, event.ticket), event.pid: replace(child, pid=event.pid)}
    return replace(state, children=children)


def _without(state: State, number: int) -> dict[int, Child]:
    return {pid: other for pid, other in state.children.items() if pid != number}


def _could_not_spawn(state: State, event: events.SpawnFailed, now: float) -> State:
    state = replace(state, children=_without(state, event.ticket))
    crashes = crash_policy.could_not_spawn(state.crashes, state.policy, event.slot, now)
    if state.desired.fallback and event.generation == state.desired.generation:
        return roll_back(state, event.reason, now)
    if event.generation != state.desired.trial:
        return with_crashes(state, crashes)
    if state.desired.generation:
        return trial_lost(state, event.reason, now)
    return _first_lost(with_crashes(state, crashes), hopeless=False, code=ExitCode.SYSTEM, now=now)


def _became_ready(state: State, pid: int, now: float) -> State:
    child = state.children.get(pid)
    if child is None or child.served_since is not None:
        return state
    child = replace(child, served_since=now)
    if child.phase is Phase.DRAINING:  # asked to leave in the moment in which it became ready: it may serve somebody
        patience = child.patience
        return advance(state, child, Phase.DRAINING, child.since, patience.graceful + patience.leave)
    if child.phase is not Phase.BOOTING:
        return state
    if child.generation == state.desired.trial:
        return advance(state, child, Phase.PROBATION, now, child.patience.settle)
    return advance(state, child, Phase.READY, now)


def _begin_to_leave(state: State, pid: int, now: float) -> State:
    child = state.children.get(pid)
    if child is None or not (child.live or child.phase in {Phase.HUNG, Phase.RETIRED}):
        return state
    child = replace(child, why=Why.STOP if state.desired.stop else Why.LEFT)  # a signal to the whole process group
    return advance(state, child, Phase.DRAINING, now, child.patience.graceful + child.patience.leave)


def _hung(state: State, pid: int, now: float) -> State:
    child = state.children.get(pid)
    if child is None or child.phase not in {Phase.READY, Phase.PROBATION}:
        return state
    state = advance(state, child, Phase.HUNG, now, child.patience.boot)
    return roll_back(state, f"{child} does not turn its loop", now) if undoes(state, child) else state


def _recovered(state: State, pid: int, now: float) -> State:
    child = state.children.get(pid)
    if child is None or child.phase is not Phase.HUNG:
        return state
    return trim(advance(state, child, Phase.READY, now), now)


def _died(state: State, event: events.Died, now: float) -> State:
    child = state.children.get(event.pid)
    if child is None:
        return state
    state = replace(state, children=_without(state, event.pid))
    desired = state.desired
    if desired.stop:
        return state
    if undoes(state, child) and child.why.is_fault and not event.from_outside:
        crashes = crash_policy.noted(state.crashes, state.policy, now)
        return roll_back(with_crashes(state, crashes), event.reason, now, event.said)
    if child.generation != desired.trial:
        return with_crashes(state, _crashes_after(state, child, event, now))
    if desired.generation:
        return trial_lost(state, event.reason, now, event.said)
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
        return advance(state, child, Phase.DRAINING, now, seconds)
    if isinstance(step, Quit):
        return advance(state, child, Phase.QUITTING, now, min(patience.quit, child.deadline - now))
    if isinstance(step, Abort):
        return advance(state, child, Phase.ABORTED, now, patience.abort)
    return advance(state, child, Phase.KILLED, now, patience.kill)
