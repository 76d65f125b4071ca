"""The simulated world is worth something: plans that are wrong in known ways do not survive it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest

from hybridd.master import lifecycle
from hybridd.master.children import (
    Abort,
    Commit,
    Drain,
    Exit,
    Kill,
    Phase,
    Promote,
    Quit,
    ReadConfiguration,
    Retire,
    Revive,
    Spawn,
    Why,
)
from hybridd.master.desired import Stop
from hybridd.master.lifecycle import plan
from tests.support.witness import BrokenPromiseError
from tests.support.world import Plan, World

MOST_WORLDS = 1000


def without(unwanted: Callable[..., bool]) -> Plan:
    """Return the right plan minus the actions that are ``unwanted``."""
    return lambda desired, children, now: [action for action in plan(desired, children, now) if not unwanted(action)]


def with_desired(**changes) -> Plan:
    """Return the right plan for a Desired in which something is always ``changes``."""
    return lambda desired, children, now: plan(replace(desired, **changes), children, now)


def deadlines_never_fire(desired, children, now):
    return plan(desired, [replace(child, deadline=inf) for child in children], now)


def aborts_and_never_kills(desired, children, now):
    return [action for action in plan(desired, children, now) if not isinstance(action, Kill)]


def surge_has_no_limit(desired, children, now):
    """Replaces all outdated workers at once."""
    counted = [child for child in children if child.generation == desired.generation or not child.live]
    return plan(desired, counted, now) if not desired.stop else plan(desired, children, now)


def sends_the_old_away_before_the_new_are_ready(desired, children, now):
    actions = plan(desired, children, now)
    if desired.stop or not desired.generation:
        return actions
    old = [child for child in children if child.phase is Phase.READY and child.generation < desired.generation]
    return [*(Drain(child.pid, Why.RELOAD) for child in old), *(a for a in actions if not isinstance(a, Drain))]


def ignores_back_off(desired, children, now):
    return plan(replace(desired, not_before={}), children, now)


def backs_off_in_another_slot(desired, children, now):
    """Lets the slot rest, and starts the worker in the next one."""
    hidden = {slot: -1.0 for slot, at in desired.not_before.items() if at > now}
    actions = plan(replace(desired, not_before={**desired.not_before, **hidden}), children, now)
    free = (slot for slot in range(desired.slots) if slot not in hidden and all(slot != c.slot for c in children))
    return [replace(a, slot=next(free)) if isinstance(a, Spawn) and a.slot in hidden else a for a in actions]


def spawns_while_stopping(desired, children, now):
    if desired.stop and children:
        return plan(desired, children, now) + lifecycle.fill(desired, [], (), {child.slot for child in children}, now)
    return plan(desired, children, now)


def leaves_before_all_are_gone(desired, children, now):
    if desired.stop and all(not child.live for child in children):
        return [Exit(desired.exit_code)]
    return plan(desired, children, now)


def reuses_slots_of_the_leaving(desired, children, now):
    return plan(desired, children, now) if desired.stop else plan(desired, [c for c in children if c.live], now)


def trusts_at_once(desired, children, now):
    actions = plan(desired, children, now)
    if desired.trial and any(c.generation == desired.trial for c in children) and not desired.stop:
        return [Promote(desired.trial)]
    return actions


def trusts_without_probation(desired, children, now):
    ready = [replace(child, deadline=now) if child.phase is Phase.PROBATION else child for child in children]
    return plan(desired, ready, now)


def makes_the_old_generation_again(desired, children, now):
    actions = plan(desired, children, now)
    return [
        replace(a, generation=a.generation - 1) if isinstance(a, Spawn) and a.generation > 1 else a for a in actions
    ]


def ends_the_hung_at_once(desired, children, now):
    hung = [child for child in children if child.phase is Phase.HUNG]
    if desired.stop:
        return plan(desired, children, now)
    return [Abort(child.pid, Why.HUNG) for child in hung] or plan(desired, children, now)


def never_ends_the_hung(desired, children, now):
    others = [replace(child, deadline=inf) if child.phase is Phase.HUNG else child for child in children]
    return [a for a in plan(desired, others, now) if not (isinstance(a, Abort) and a.why is Why.HUNG)]


def replaces_the_dead_when_somebody_else_dies(desired, children, now):
    """Fills at most one vacancy, and only while another worker lives."""
    actions = plan(desired, children, now)
    spawns = [a for a in actions if isinstance(a, Spawn) and not a.canary]
    return [a for a in actions if a not in spawns] + (spawns[:1] if len(children) < desired.workers - 1 else [])


def releases_the_retired_too_early(desired, children, now):
    retired = [child for child in children if child.phase is Phase.RETIRED]
    if desired.stop:
        return plan(desired, children, now)
    return [Drain(child.pid, Why.RELOAD) for child in retired] or plan(desired, children, now)


def never_retires_but_drains(desired, children, now):
    """The old way: who is replaced cannot be called back."""
    return [Drain(a.pid, Why.RELOAD) if isinstance(a, Retire) else a for a in plan(desired, children, now)]


def commits_when_the_canary_has_settled(desired, children, now):
    if desired.fallback and not desired.stop:
        return [Commit(desired.generation)]
    return plan(desired, children, now)


def commits_without_settling(desired, children, now):
    eager = [replace(child, patience=replace(child.patience, settle=0.0)) for child in children]
    return plan(desired, eager, now)


def retires_all_at_once(desired, children, now):
    old = [child for child in children if child.phase is Phase.READY and child.generation == desired.fallback]
    if desired.stop or not desired.fallback:
        return plan(desired, children, now)
    return [Retire(child.pid) for child in old] or plan(desired, children, now)


def recycles_in_a_crash_loop(desired, children, now):
    return plan(replace(desired, calm_at=0.0, not_before=desired.not_before), children, now)


def recycles_at_once(desired, children, now):
    marked = [child for child in children if child.marked and child.phase is Phase.READY]
    if desired.stop:
        return plan(desired, children, now)
    return [Drain(child.pid, child.marked) for child in marked] or plan(desired, children, now)


def recycles_all_together(desired, children, now):
    return plan(replace(desired, unavailable=100), children, now)


def a_second_term_changes_nothing(desired, children, now):
    return plan(replace(desired, stop=min(desired.stop, Stop.GRACEFUL)), children, now)


def sends_the_current_away_first(desired, children, now):
    """Chooses the newest of too many, so that a reload undoes itself."""
    actions = plan(desired, children, now)
    ready = sorted((c for c in children if c.phase is Phase.READY), key=lambda child: -child.generation)
    drains = [a for a in actions if isinstance(a, Drain) and a.why in {Why.RELOAD, Why.SCALE}]
    if desired.stop or not drains or len(ready) <= desired.workers:
        return actions
    return [a for a in actions if a not in drains] + [
        Drain(child.pid, Why.SCALE) for child in ready[: len(ready) - desired.workers]
    ]


MUTANTS: dict[str, Plan] = {
    function.__name__: function
    for function in (
        deadlines_never_fire,
        aborts_and_never_kills,
        surge_has_no_limit,
        sends_the_old_away_before_the_new_are_ready,
        ignores_back_off,
        backs_off_in_another_slot,
        spawns_while_stopping,
        leaves_before_all_are_gone,
        reuses_slots_of_the_leaving,
        trusts_at_once,
        trusts_without_probation,
        makes_the_old_generation_again,
        ends_the_hung_at_once,
        never_ends_the_hung,
        replaces_the_dead_when_somebody_else_dies,
        a_second_term_changes_nothing,
        releases_the_retired_too_early,
        never_retires_but_drains,
        commits_when_the_canary_has_settled,
        commits_without_settling,
        retires_all_at_once,
        recycles_in_a_crash_loop,
        recycles_at_once,
        recycles_all_together,
        sends_the_current_away_first,
    )
} | {
    "never lets an outdated worker go": without(lambda a: isinstance(a, Drain) and a.why is Why.RELOAD),
    "never shrinks": without(lambda a: isinstance(a, Drain) and a.why is Why.SCALE),
    "never revives": without(lambda a: isinstance(a, Revive)),
    "never commits": without(lambda a: isinstance(a, Commit)),
    "never releases the retired": without(lambda a: isinstance(a, Drain) and a.why is Why.RELOAD),
    "never replaces the marked": without(lambda a: isinstance(a, Drain) and a.why in {Why.RECYCLE, Why.STUCK}),
    "never trusts": without(lambda a: isinstance(a, Promote)),
    "never reads the configuration": with_desired(reload_asked=False),
    "reads the configuration during a trial": lambda desired, children, now: (
        [ReadConfiguration()] if desired.reload_asked else plan(desired, children, now)
    ),
    "never starts a canary": without(lambda a: isinstance(a, Spawn) and a.canary),
    "never hurries anybody": without(lambda a: isinstance(a, Quit)),
    "never aborts": without(lambda a: isinstance(a, Abort)),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_a_wrong_plan_is_caught(mutant):
    for seed in range(MOST_WORLDS):
        try:
            World(seed, mutant).live()
        except (BrokenPromiseError, KeyError):  # KeyError: it started a generation that nobody knows
            return
    pytest.fail(f"survived {MOST_WORLDS} lives")
