"""Whether an operator's wish has come true: for each verb a function of the state, None while it is on its way.

Knows:     the state, and what was asked when.
Never:     the operating system, the clock, connections.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from hybridd.master.children import Phase
from hybridd.master.events import Event
from hybridd.master.modes import Ignore, Mode, cell
from hybridd.master.narrative import cannot_be_made_again, workers
from hybridd.master.state import State, most_workers
from hybridd.master.wishes import Reply

STOPS = "hybridd is stopping"


def refused(state: State, event: Event) -> Reply | None:
    """Return the reply to a wish that the mode does not allow."""
    where = cell(state.mode, event)
    return Reply(False, where.because) if isinstance(where, Ignore) else None


def reload(state: State, reading: int) -> Reply | None:
    """Whether the reload that reads the configuration for the ``reading``-th time, or a later one, has ended."""
    result = state.last_reload
    if result is None or result.reading < reading:
        stops = state.mode in {Mode.STOPPING, Mode.STOPPED}
        return Reply(False, f"{STOPS}: the reload is given up") if stops else None
    details = {"generation": state.desired.generation, "reason": result.reason or None, "said": result.said or None}
    if result.refused:
        lines = [f"refused, generation {state.desired.generation} goes on: {result.reason}", result.said]
        if state.desired.stale:
            lines.append(f"degraded: {cannot_be_made_again(state)}")
        return Reply(False, "\n".join(filter(None, lines)), details)
    serving = f"generation {result.generation} serves with {workers(state.count(Phase.READY))}"
    return Reply(True, f"reloaded: {serving}", details)


def reload_late(state: State) -> Reply:
    """What to say when a reload takes longer than its asker will wait."""
    if state.desired.trial:
        what = f"generation {state.desired.trial} is still on trial"
    else:
        what = f"generation {state.desired.generation} is still replacing the old workers"
    return Reply(False, f"not yet: {what}; hybridd status shows how it ends")


def scale_refused(state: State, wanted: int) -> Reply | None:
    """Whether there cannot be that many workers."""
    most = most_workers(state.desired.slots)
    if not 1 <= wanted <= most:
        return Reply(False, f"refused: expected 1 to {most} workers, got {wanted}")
    if wanted > state.desired.workers and state.desired.stale:
        return Reply(False, f"refused: {cannot_be_made_again(state)}")
    return None


def scale(state: State, wanted: int, now: float) -> Reply | None:
    """Whether ``wanted`` workers serve."""
    if state.mode in {Mode.STOPPING, Mode.STOPPED}:
        return Reply(False, STOPS)
    if state.desired.workers != wanted:
        return Reply(False, f"overtaken: somebody else wants {workers(state.desired.workers)}")
    ready = state.count(Phase.READY)
    trial = state.desired.trial  # its canary is no hindrance: it may take long, or never come through
    live = sum(child.live and child.generation != trial for child in state.children.values())
    if ready == live == wanted and not state.desired.fallback:
        return Reply(True, f"{workers(wanted)} ready", {"workers": wanted})
    resting = state.crashes.resting(now)
    if ready < wanted and resting:
        slot = min(resting)
        pause = resting[slot] - now
        text = f"{ready} of {workers(wanted)} ready: they die as they start, the next attempt is in {pause:.1f} s"
        return Reply(False, text, {"workers": ready})
    return None


def scale_late(state: State) -> Reply:
    """What to say when scaling takes longer than its asker will wait."""
    ready = state.count(Phase.READY)
    return Reply(False, f"not yet: {ready} of {workers(state.desired.workers)} ready", {"workers": ready})


def restart(state: State, pid: int) -> Reply | None:
    """Whether another worker has taken the place of this one."""
    child = state.children.get(pid)
    if state.mode in {Mode.STOPPING, Mode.STOPPED}:
        return Reply(False, STOPS)
    if child is not None and (child.live or child.phase is Phase.HUNG):
        return None
    if state.count(Phase.READY) < state.desired.workers:
        return None
    return Reply(True, f"replaced: {workers(state.count(Phase.READY))} ready")


def restart_late(state: State, pid: int) -> Reply:
    """What to say when replacing a worker takes longer than its asker will wait."""
    child = state.children.get(pid)
    what = "it has gone, but its successor is not ready" if child is None else f"it is {child.phase.value}"
    return Reply(False, f"not yet: {what}")


def upgrade(state: State, number: int) -> Reply | None:
    """Whether the ``number``-th upgrade, or a later one, has ended."""
    result = state.last_upgrade
    if result is None or state.upgrades < number:
        stops = state.mode in {Mode.STOPPING, Mode.STOPPED}
        return Reply(False, f"{STOPS}: the upgrade is given up") if stops else None
    details = {"pid": result.pid or None, "reason": result.reason or None, "said": result.said or None}
    if not result.pid:
        message = f"failed, this master goes on: {result.reason}"
        return Reply(False, f"{message}\n{result.said}" if result.said else message, details)
    return Reply(True, f"upgraded: the new master has pid {result.pid}", details)


def upgrade_late(state: State) -> Reply:
    """What to say when an upgrade takes longer than its asker will wait."""
    successor = state.desired.successor
    if successor is None:
        return Reply(False, "not yet: it waits for the reload that is on its way; hybridd status shows how it ends")
    what = f"the new master (pid {successor.pid}) is {successor.stage.value}"
    return Reply(False, f"not yet: {what}; hybridd status shows how it ends")


def stop(state: State) -> Reply | None:
    """Whether everything has ended."""
    return Reply(True, "stopped: every worker has left") if state.finished else None


def stop_late(state: State) -> Reply:
    """What to say when a drain takes longer than its asker will wait."""
    left = len(state.children)
    return Reply(False, f"not yet: {workers(left)} still at work; the drain goes on", {"workers": left})
