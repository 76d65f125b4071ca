"""How workers are replaced: by a reload, which can be undone until it has settled, and one by one when they are marked.

A reload as plan() sees it:

    trial=2, a canary on probation ─Promote→ generation=2, fallback=1: new ones start, old ones retire
        ─all of 2, and settled→ Commit: fallback=0, the retired are drained
        ─one of 2 fails→ (fold.py) generation=1, fallback=0: the retired are revived, then those of 2 are too many

Knows:     what is wanted (Desired), what exists (Child), the time it is given.
Never:     the operating system, the clock, logging, configuration.
Runs in:   the master, its only thread.
Returns:   actions for effects.py, as parts of lifecycle.plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import inf

from hybridd.master.children import Action, Child, Commit, Drain, Phase, Retire, Revive, Why
from hybridd.master.desired import Desired


def settled_at(desired: Desired, children: Iterable[Child]) -> float:
    """Return when a reload that can be undone may be called good; infinity while it is on its way."""
    live = [child for child in children if child.live]
    new = [child for child in live if child.phase is Phase.READY and child.generation == desired.generation]
    if not desired.fallback or len(new) < max(len(live), desired.workers):
        return inf
    return max(child.since + child.patience.settle for child in new)


def commit(desired: Desired, children: Iterable[Child], now: float) -> list[Action]:
    """Give the old generation up when the new one serves alone and has for a while."""
    return [Commit(desired.generation)] if settled_at(desired, children) <= now else []


def revive(desired: Desired, children: Iterable[Child]) -> list[Action]:
    """Call back who retired for a generation that was given up."""
    if desired.fallback:
        return []
    return [
        Revive(child.pid)
        for child in children
        if child.phase is Phase.RETIRED and child.generation == desired.generation
    ]


def release(desired: Desired, children: Iterable[Child]) -> list[Action]:
    """Let the retired go when nothing will call them back."""
    return [
        Drain(child.pid, Why.RELOAD)
        for child in children
        if child.phase is Phase.RETIRED and child.generation not in {desired.generation, desired.fallback}
    ]


def replaceable(desired: Desired, children: Collection[Child], now: float) -> frozenset[int]:
    """Return the marked workers that may be replaced now, so many at a time.

    Never during a reload; and who is only to be recycled stays while others crash, or when nobody knows what would be
    loaded in its place.
    """
    if desired.trial or desired.fallback:
        return frozenset()
    calm = not desired.stale and desired.calm_at <= now and all(at <= now for at in desired.not_before.values())
    marked = sorted(
        (
            child
            for child in children
            if child.phase is Phase.READY and child.marked and (calm or child.marked is not Why.RECYCLE)
        ),
        key=lambda child: (child.marked is Why.RECYCLE, child.slot),
    )
    return frozenset(child.pid for child in marked[: desired.unavailable])


def dismiss(desired: Desired, child: Child, *, marked: bool) -> Action:
    """Return how a ready worker that is too many goes: for good, or so that it can be called back."""
    if marked:
        return Drain(child.pid, child.marked)
    if child.generation == desired.generation:
        return Drain(child.pid, Why.SCALE)
    if child.generation == desired.fallback:
        return Retire(child.pid)
    return Drain(child.pid, Why.RELOAD if child.generation < desired.generation else Why.REFUSED)
