"""What the log says about each event: one place for the sentences, so that things are named the same way everywhere.

Knows:     the state before and after.
Never:     logs itself, decides.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from hybridd.master import events, preloading
from hybridd.master.children import Abort, Child, Drain, Kill, Phase, Quit, Step, Why
from hybridd.master.crash_policy import Streak
from hybridd.master.desired import Stop
from hybridd.master.events import Event
from hybridd.master.modes import Ignore, Mode, cell
from hybridd.master.state import State
from hybridd.ops.signal_names import signal_name


class Line(NamedTuple):
    """One log line: a level of the logging module and the sentence."""

    level: int
    text: str


WISHES: dict[type[Event], str] = {
    events.StopAsked: "stop",
    events.QuitAsked: "quick stop",
    events.ReloadAsked: "reload",
    events.ScaleAsked: "scale",
    events.RestartAsked: "restart",
    events.ReopenAsked: "reopen logs",
    events.UpgradeAsked: "upgrade",
}

OBSERVED: dict[type[Event], tuple[int, str]] = {
    events.BeganToLeave: (logging.WARNING, "leaves: somebody else sent it a signal"),
    events.SeemsHung: (logging.ERROR, "does not turn its loop any more; it is replaced"),
    events.Recovered: (logging.WARNING, "turns its loop again"),
}


def tell(before: State, event: Event, after: State, now: float) -> list[Line]:
    """Return what there is to say about ``event``."""
    where = cell(before.mode, event)
    if isinstance(where, Ignore):
        wish = WISHES.get(type(event))
        return [Line(logging.WARNING, f"{wish}: {where.because}")] if wish else []
    lines = _wish(before, event, after) if type(event) in WISHES else _news(before, event, after, now)
    return [*lines, *_consequences(before, event, after, now)]


def _consequences(before: State, event: Event, after: State, now: float) -> list[Line]:
    """Return what has become true by the event, whatever it was."""
    lines = []
    reason = getattr(event, "reason", "")
    if after.desired.exit_code and not before.desired.exit_code:
        lines.append(Line(logging.CRITICAL, f"giving up, no worker ever became ready: {reason}"))
    result = after.last_reload
    if result is not None and result is not before.last_reload:
        if result.refused:
            goes_on = after.desired.generation
            undone = "reload undone" if before.desired.fallback else "reload refused"
            lines.append(Line(logging.ERROR, f"{undone}, generation {goes_on} goes on: {result.reason}"))
        else:
            serving = workers(after.count(Phase.READY))
            lines.append(Line(logging.INFO, f"reload: done, {serving} of generation {result.generation}"))
    upgrade = after.last_upgrade
    if upgrade is not None and upgrade is not before.last_upgrade:
        if upgrade.pid:
            text = (
                f"upgrade: done, pid {upgrade.pid} serves; this master drains {workers(len(after.children))} and leaves"
            )
            lines.append(Line(logging.INFO, text))
        else:
            lines.append(Line(logging.ERROR, f"upgrade: failed, this master goes on: {upgrade.reason}"))
    if before.mode is Mode.STARTING and after.mode is Mode.WAITING:
        held = workers(after.count(Phase.READY))
        lines.append(Line(logging.INFO, f"upgrade: {held} ready, waiting for the word of the master before this one"))
    if before.mode in {Mode.STARTING, Mode.WAITING} and after.mode is Mode.RUNNING:
        serving = f"{workers(after.count(Phase.READY))}, generation {after.desired.generation}"
        lines.append(Line(logging.INFO, f"ready: {serving}"))
    if not after.desired.stop:
        lines += [_resting(slot, streak, now) for slot, streak in _new_streaks(before, after, now)]
    if after.degraded(now) and not before.degraded(now):
        policy = after.policy
        text = f"degraded: {policy.restarts} workers crashed within {policy.window:g} s (crash.restarts, crash.window)"
        lines.append(Line(logging.ERROR, text))
    return lines


def _new_streaks(before: State, after: State, now: float) -> list[tuple[int, Streak]]:
    """Return the slots that have begun to rest."""
    old, new = before.crashes.streaks, after.crashes.streaks
    return [(slot, streak) for slot, streak in new.items() if streak.not_before > now and old.get(slot) != streak]


def _resting(slot: int, streak: Streak, now: float) -> Line:
    text = f"worker={slot} is started again in {streak.not_before - now:.3g} s: the last starts came to nothing"
    return Line(logging.WARNING, text)


def _wish(before: State, event: Event, after: State) -> list[Line]:
    """Return what becomes of the operator's wish."""
    match event:
        case events.ReloadAsked():
            if before.desired.reload_asked:
                return []  # it will read the newest configuration anyway
            waits = before.desired.trial or before.desired.fallback
            text = "reload: waits for the one on its way" if waits else "reload: reading the configuration"
        case events.ScaleAsked():
            wanted = after.desired.workers
            stays = wanted == before.desired.workers
            why = f": {cannot_be_made_again(before)}" if before.desired.stale and event.by > 0 else ""
            text = (
                f"scale: stays at {workers(wanted)}{why}"
                if stays
                else f"scale: {before.desired.workers} to {workers(wanted)}"
            )
        case events.RestartAsked(slot=slot):
            text = f"restart: worker={slot} is to be replaced"
        case events.ReopenAsked():
            text = "logs: opened again"
        case events.UpgradeAsked():
            waits = before.desired.trial or before.desired.fallback or before.desired.reload_asked
            text = "upgrade: waits for the reload that is on its way" if waits else "upgrade: asked for"
        case _:
            text = _stopping(before, after)
    return [Line(logging.INFO, text)]


def _news(before: State, event: Event, after: State, now: float) -> list[Line]:  # noqa: C901, PLR0911, PLR0912 - one per event
    """Return what is to be said of a worker, or of a generation."""
    match event:
        case events.SuccessorStarted(pid=pid):
            return [Line(logging.INFO, f"upgrade: a new master (pid {pid}) is started")]
        case events.SuccessorReady(pid=pid):
            return [Line(logging.INFO, f"upgrade: the workers of the new master (pid {pid}) are ready")]
        case events.SuccessorEnded(pid=pid, why=why):
            return [Line(logging.WARNING, f"upgrade: the new master (pid {pid}) is killed: {why}")]
        case events.ConfigurationRead(generation=generation):
            return [Line(logging.INFO, f"reload: generation {generation} goes on trial behind one worker")]
        case events.Promoted(generation=generation) if after.desired.fallback:
            text = f"reload: generation {generation} replaces the other workers, which may come back"
            return [Line(logging.INFO, text)]
        case events.Retired(pid=pid):
            return _about(before.children.get(pid), logging.INFO, "retires: it accepts nothing more, and may come back")
        case events.Revived(pid=pid):
            return _about(before.children.get(pid), logging.INFO, "is called back")
        case events.Marked(pid=pid, why=why) if before.children.get(pid) != after.children.get(pid):
            level = logging.ERROR if why is Why.STUCK else logging.INFO
            return _about(before.children.get(pid), level, f"is to be replaced ({why}): {event.reason}")
        case events.SpawnFailed(slot=slot, reason=reason):
            return [Line(logging.ERROR, f"worker={slot} gen={event.generation} cannot be started: {reason}")]
        case preloading.Preloaded() | preloading.ForkServerLost():
            return [_fork_server(event)]
        case events.BecameReady(pid=pid) if pid in after.children:
            child = after.children[pid]
            return [Line(logging.INFO, f"{child} ready in {now - child.born:.2f} s")]
        case events.BeganToLeave(pid=pid) | events.SeemsHung(pid=pid) | events.Recovered(pid=pid):
            level, text = OBSERVED[type(event)]
            # During a stop it is no news that a signal went to the whole process group.
            return _about(after.children.get(pid), logging.DEBUG if after.desired.stop else level, text)
        case events.Signalled(step=step):
            return _about(before.children.get(step.pid), *_step(step))
    return []


def _fork_server(event: preloading.Preloaded | preloading.ForkServerLost) -> Line:
    name = f"fork server gen={event.generation} pid={event.pid}"
    if isinstance(event, preloading.Preloaded):
        return Line(logging.INFO, f"{name} has loaded the application in {event.seconds:.2f} s")
    how = f"was killed by {signal_name(-event.status)}" if event.status < 0 else f"exited with status {event.status}"
    then = "another one is started" if event.again else "the next worker that is wanted brings another one"
    return Line(logging.ERROR, f"{name} {how}; its workers serve on, {then}")


def cannot_be_made_again(state: State) -> str:
    """Return why nothing should be started that is not missed."""
    generation = state.desired.generation
    why = f"generation {generation} cannot be re-created, because what is on disk now was refused"
    return f"{why}: recycling and scaling up pause until a reload succeeds"


def workers(number: int) -> str:
    """Return ``1 worker``, ``2 workers``."""
    return "1 worker" if number == 1 else f"{number} workers"


def _about(child: Child | None, level: int, text: str) -> list[Line]:
    return [] if child is None else [Line(level, f"{child} {text}")]


def _stopping(before: State, after: State) -> str:
    number = len(after.children)
    if after.desired.stop is Stop.QUICK:
        again = "hurries" if before.desired.stop else "is asked for"
        return f"stopping: a quick stop {again}, {workers(number)} cut off"
    delay = f", after {after.drain_delay:g} s in which they go on serving" if after.drain_delay else ""
    return f"stopping: {workers(number)} to drain{delay}"


def _step(step: Step) -> tuple[int, str]:
    """Return how loud and with what words; what the master does unasked is louder."""
    match step:
        case Drain(why=why):
            return logging.DEBUG if why is Why.STOP else logging.INFO, f"drains ({why})"
        case Quit(why=why):
            return logging.DEBUG, f"quits ({why})"
        case Abort(why=why):
            return logging.ERROR, f"is aborted, the stacks of its threads follow ({why})"
        case Kill(why=why):
            return logging.DEBUG if why is Why.STOP else logging.ERROR, f"is killed ({why})"
