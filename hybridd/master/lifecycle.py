"""Decide what to do about worker processes.

Nothing here is a procedure with steps: each call compares what is wanted with what there is and returns what can be
done now.  So a crash is one child fewer, scaling another number, a reload another generation, and any of them may
happen during any other.

Knows:     what is wanted (Desired), what exists (Child), the time it is given.
Never:     the operating system, the clock, logging, configuration.
Runs in:   the master, its only thread.
Returns:   actions for effects.py, in the order in which they must be done.
See also:  fold.py (what came of them); tests/support/world.py (its properties); test_lifecycle_mutants.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, islice
from math import inf

from hybridd.master.children import (
    Abort,
    Action,
    Child,
    Drain,
    Exit,
    Kill,
    Phase,
    Promote,
    Quit,
    ReadConfiguration,
    Retire,
    Spawn,
    Why,
)
from hybridd.master.desired import Desired, Stop
from hybridd.master.replacing import commit, dismiss, release, replaceable, revive, settled_at
from hybridd.master.upgrading import upgrade

CANARY = 1
"""Workers beyond the wanted number while a generation is on trial."""


def plan(desired: Desired, children: Collection[Child], now: float) -> list[Action]:
    """Return what to do now; nothing when all is as it should be or takes its time."""
    if desired.stop is not Stop.NO:
        return stop(desired, children, now)
    due = [child for child in children if child.phase in NEXT_STEP and child.deadline <= now]
    others = [child for child in children if child not in due]
    actions = overdue(due)
    if turn := promote(desired, others, now) or commit(desired, others, now) or revive(desired, others):
        return actions + turn  # it changes what all the other rules compare with
    outgoing = replaceable(desired, others, now)
    actions += release(desired, others)
    actions += discard(desired, others)
    actions += replace_hung(desired, others)
    actions += retire(desired, others, outgoing)
    leaving = {action.pid for action in actions if isinstance(action, Drain | Abort | Retire)}
    live = [child for child in others if child.live and child.pid not in leaving]
    taken = {child.slot for child in children}
    actions += try_generation(desired, children, live, taken, now)
    taken |= {action.slot for action in actions if isinstance(action, Spawn)}
    actions += fill(desired, live, outgoing - leaving, taken, now)
    if desired.reload_asked and not desired.trial and not desired.fallback:
        actions.append(ReadConfiguration())
    return [*actions, *upgrade(desired, now)]


def next_deadline(desired: Desired, children: Collection[Child], now: float) -> float:
    """Return when ``plan`` has something to say though nothing happened; infinity when never."""
    times = [child.deadline for child in children]
    if desired.successor is not None:
        times.append(desired.successor.deadline)
    if desired.stop is Stop.NO:
        times += [*desired.not_before.values(), settled_at(desired, children)]
        if any(child.marked for child in children):
            times.append(desired.calm_at)
    else:
        times += [desired.drain_at, desired.leave_at]
    return min((at for at in times if at > now), default=inf)


NEXT_STEP: Mapping[Phase, Callable[[Child], Action]] = {
    Phase.BOOTING: lambda child: Abort(child.pid, Why.BOOT),
    Phase.HUNG: lambda child: Abort(child.pid, Why.HUNG),
    Phase.DRAINING: lambda child: Abort(child.pid, child.why),
    Phase.QUITTING: lambda child: Kill(child.pid, child.why),
    Phase.ABORTED: lambda child: Kill(child.pid, child.why),
    Phase.KILLED: lambda child: Kill(child.pid, child.why),
}
"""What is done with a worker whose deadline has passed; who serves or is on probation does not have to leave."""


def overdue(due: Iterable[Child]) -> list[Action]:
    """Take the next, harsher step with every child whose deadline has passed."""
    return [NEXT_STEP[child.phase](child) for child in due]


def stop(desired: Desired, children: Collection[Child], now: float) -> list[Action]:
    """Let every worker leave; leave when none is left."""
    if not children and desired.successor is None:
        return [Exit(desired.exit_code)] if desired.stop is Stop.QUICK or desired.leave_at <= now else []
    actions: list[Action] = [*upgrade(desired, now)]
    for child in children:
        if desired.stop is Stop.QUICK and (child.live or child.phase in {Phase.HUNG, Phase.RETIRED, Phase.DRAINING}):
            # Who boots has nothing to finish, and may not yet understand a polite word.
            booting = child.phase is Phase.BOOTING
            actions.append(Kill(child.pid, Why.STOP) if booting else Quit(child.pid, Why.STOP))
        elif child.generation == desired.trial and child.phase is Phase.BOOTING:
            actions.append(Kill(child.pid, Why.STOP))  # a canary has begun nothing that could be finished
        elif child.live or child.phase in {Phase.HUNG, Phase.RETIRED}:
            serving = child.phase is Phase.READY
            if not serving or now >= desired.drain_at:
                actions.append(Drain(child.pid, Why.UPGRADE if desired.succeeded else Why.STOP))
        elif child.deadline <= now:
            actions.append(NEXT_STEP[child.phase](child))
    return actions


def promote(desired: Desired, children: Iterable[Child], now: float) -> list[Action]:
    """Trust the generation on trial when its canary has survived its probation."""
    return [
        Promote(child.generation)
        for child in children
        if child.phase is Phase.PROBATION and child.generation == desired.trial and child.deadline <= now
    ]


def discard(desired: Desired, children: Iterable[Child]) -> list[Action]:
    """End what does not serve yet and whose generation nobody wants any more; it costs nobody anything."""
    wanted = {desired.generation, desired.trial}
    unready = {Phase.BOOTING, Phase.PROBATION}
    return [
        Drain(child.pid, Why.RELOAD if child.generation < desired.generation else Why.REFUSED)
        for child in children
        if child.phase in unready and child.generation not in wanted
    ]


def replace_hung(desired: Desired, children: Collection[Child]) -> list[Action]:
    """End hung workers when enough others are ready; until then they may come round (their deadline bounds it).

    A hung canary has served nobody: it goes at once.
    """
    enough = sum(child.phase is Phase.READY for child in children) >= desired.workers
    return [
        Abort(child.pid, Why.HUNG)
        for child in children
        if child.phase is Phase.HUNG and (enough or child.generation == desired.trial)
    ]


def retire(desired: Desired, children: Collection[Child], outgoing: Collection[int] = ()) -> list[Action]:
    """Let workers go that are too many: outdated ones first, and never so that fewer are ready than wanted."""

    def current(child: Child) -> bool:
        return child.generation == desired.generation and child.pid not in outgoing

    ready = sorted(
        (child for child in children if child.phase is Phase.READY),
        key=lambda child: (current(child), child.generation, -child.slot),
    )
    surplus = ready[: max(0, len(ready) - desired.workers)]
    actions = [dismiss(desired, child, marked=child.pid in outgoing) for child in surplus]
    # Of those that only boot, the ones for which no place is left.
    staying = sum(current(child) for child in ready[len(surplus) :])
    booting = sorted(
        (child for child in children if child.phase is Phase.BOOTING and child.generation == desired.generation),
        key=lambda child: -child.slot,
    )
    too_many = max(0, staying + len(booting) - desired.workers)
    actions += [Drain(child.pid, Why.SCALE) for child in booting[:too_many]]
    return actions


def try_generation(
    desired: Desired, children: Iterable[Child], live: Collection[Child], taken: Collection[int], now: float
) -> list[Action]:
    """Start the canary of the generation on trial, one at a time and never beyond the one more."""
    if not desired.trial or any(child.generation == desired.trial for child in children):
        return []
    if len(live) >= desired.workers + CANARY:
        return []
    if not desired.generation and resting(desired, taken, now):
        return []  # the very first fork failed: a pause, the system may recover
    # A fresh slot, so that a slot's streak of short lives is not continued by another generation's worker.
    return [Spawn(slot, desired.trial, canary=True) for slot in islice(fresh(desired, taken), 1)]


def fill(
    desired: Desired, live: Collection[Child], outgoing: Collection[int], taken: Collection[int], now: float
) -> list[Action]:
    """Start the workers of the wanted generation that are missing, those for who is marked before that one leaves.

    Never more than ``surge`` beyond the wanted number; a canary takes that place first.

    A slot that rests keeps the place of the worker that it waits to start, so that nothing else crashes in its stead.
    """
    if not desired.generation:
        return []
    serving = [child for child in live if child.generation != desired.trial]
    current = sum(child.generation == desired.generation and child.pid not in outgoing for child in serving)
    waiting = len(resting(desired, taken, now))
    surge = 0 if desired.trial else max(desired.surge, len(outgoing))
    limit = desired.workers + surge
    missing = min(desired.workers - current - waiting, limit - len(serving) - waiting)
    # Slots that have rested first: their streak goes on.
    rested = sorted(slot for slot, at in desired.not_before.items() if at <= now and slot not in taken)
    slots = islice(chain(rested, fresh(desired, taken)), max(0, missing))
    return [Spawn(slot, desired.generation) for slot in slots]


def resting(desired: Desired, taken: Collection[int], now: float) -> list[int]:
    """Return the free slots that must not be used yet."""
    return [slot for slot, at in desired.not_before.items() if at > now and slot not in taken]


def fresh(desired: Desired, taken: Collection[int]) -> Iterator[int]:
    """Yield the free slots without a history, the lowest first."""
    return (slot for slot in range(desired.slots) if slot not in taken and slot not in desired.not_before)
