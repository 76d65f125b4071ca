"""How an upgrade changes the master's state: that of the one who goes, and that of the one who comes.

Knows:     the state.
Never:     the operating system, the clock, logging, configuration files.
Runs in:   the master, its only thread.
See also:  upgrading.py, which decides when.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import assert_never

from hybridd.master import events
from hybridd.master.desired import Stop
from hybridd.master.events import UpgradeEvent
from hybridd.master.state import State, UpgradeResult
from hybridd.master.successor import Stage, Successor

TAKE = 10.0
"""Seconds from the word to the answer; it takes milliseconds."""

LAST_REQUESTS = 0.5
"""Seconds that the master which goes still answers who had reached its admin endpoint or its control socket: between a
client's connect(2) and its request there may be a moment in which it has no CPU."""

KILL = 5.0
"""Until a successor is killed again; a process in uninterruptible sleep dies when it wakes."""


def follow(state: State, event: UpgradeEvent, now: float) -> State:  # noqa: PLR0911 - one line per event
    """Return the state after an event of an upgrade."""
    match event:
        case events.UpgradeAsked():
            return replace(state, desired=replace(state.desired, upgrade_asked=True))
        case events.UpgradeRefused():
            return failed(state, event.reason, now)
        case events.SuccessorStarted():
            return started(state, event.pid, now)
        case events.SuccessorReady():
            return advanced(state, event.pid, Stage.READY)
        case events.HandingOver():
            return advanced(state, event.pid, Stage.TAKING, now + TAKE)
        case events.SuccessorTook():
            return taken(state, event, now)
        case events.SuccessorEnded():
            return ended(state, event, now)
        case events.SuccessorDied():
            return lost(state, event, now)
        case events.TookOver():
            return replace(state, heir=False)
        case _:
            assert_never(event)


def started(state: State, pid: int, now: float) -> State:
    """Know the successor; its own workers must boot twice: a canary, then the others."""
    patience = state.patience[state.desired.generation]
    successor = Successor(pid, Stage.BOOTING, now + 2 * patience.boot + patience.settle)
    return replace(state, desired=replace(state.desired, upgrade_asked=False, successor=successor))


def advanced(state: State, pid: int, stage: Stage, deadline: float = inf) -> State:
    """Let the successor enter a stage, which must end by ``deadline``."""
    known = state.desired.successor
    if known is None or known.pid != pid or known.stage is Stage.ENDED:
        return state
    successor = replace(known, stage=stage, deadline=deadline)
    return replace(state, desired=replace(state.desired, successor=successor))


def ended(state: State, event: events.SuccessorEnded, now: float) -> State:
    """Note that the successor was killed; for the second time, only until when to wait."""
    known = state.desired.successor
    if known is None or known.pid != event.pid:
        return state
    successor = replace(known, stage=Stage.ENDED, deadline=now + KILL, why=known.why or event.why)
    return replace(state, desired=replace(state.desired, successor=successor))


def lost(state: State, event: events.SuccessorDied, now: float) -> State:
    """Go on as before the upgrade."""
    known = state.desired.successor
    if known is None or known.pid != event.pid:
        return state
    reason = f"{known.why}; it was killed" if known.why else event.reason
    return failed(state, reason, now, event.said)


def failed(state: State, reason: str, now: float, said: str = "") -> State:
    """Note that an upgrade came to nothing."""
    desired = replace(state.desired, upgrade_asked=False, successor=None)
    result = UpgradeResult(0, reason, now, said)
    return replace(state, desired=desired, upgrades=state.upgrades + 1, last_upgrade=result)


def taken(state: State, event: events.SuccessorTook, now: float) -> State:
    """Drain and leave: the successor serves."""
    desired = replace(
        state.desired,
        upgrade_asked=False,
        reload_asked=False,
        successor=None,
        succeeded=True,
        stop=Stop.GRACEFUL,
        drain_at=now,
        leave_at=now + LAST_REQUESTS,
    )
    result = UpgradeResult(event.pid, "", now)
    return replace(state, desired=desired, upgrades=state.upgrades + 1, last_upgrade=result)
