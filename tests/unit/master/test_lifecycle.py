"""plan() by example; that the examples are not all, test_lifecycle_world.py shows."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from hybridd.master.children import (
    LIVE,
    Abort,
    Child,
    Drain,
    Exit,
    Kill,
    Phase,
    Promote,
    Quit,
    ReadConfiguration,
    Spawn,
    Why,
)
from hybridd.master.desired import Desired, Stop
from hybridd.master.lifecycle import NEXT_STEP, next_deadline, plan

NOW = 100.0


def child(slot: int, phase: Phase = Phase.READY, generation: int = 1, deadline: float = inf) -> Child:
    """A worker whose pid is 10 times its slot."""
    return Child(slot, 10 * slot, generation, phase, born=0.0, since=0.0, deadline=deadline)


def fleet(number: int, generation: int = 1) -> list[Child]:
    return [child(slot, generation=generation) for slot in range(number)]


def test_at_the_start_one_canary_shows_whether_the_application_boots():
    assert plan(Desired(workers=4, trial=1), [], NOW) == [Spawn(0, 1, canary=True)]
    assert plan(Desired(workers=4, trial=1), [child(0, Phase.BOOTING)], NOW) == []


def test_then_the_others_follow_all_together():
    assert plan(Desired(workers=4, generation=1), fleet(1), NOW) == [Spawn(1, 1), Spawn(2, 1), Spawn(3, 1)]


def test_a_complete_fleet_is_left_alone():
    assert plan(Desired(workers=3, generation=1), fleet(3), NOW) == []


def test_a_crash_is_one_fewer_and_replaced_in_the_lowest_free_slot():
    assert plan(Desired(workers=3, generation=1), [child(0), child(2)], NOW) == [Spawn(1, 1)]


def test_who_leaves_still_has_its_slot():
    leaving = child(1, Phase.DRAINING, deadline=NOW + 5)
    assert plan(Desired(workers=3, generation=1), [child(0), leaving, child(2)], NOW) == [Spawn(3, 1)]


def test_a_slot_that_rests_keeps_its_place_until_it_has_rested():
    desired = Desired(workers=3, generation=1, not_before={1: NOW + 4})
    assert plan(desired, [child(0), child(2)], NOW) == []
    assert next_deadline(desired, [child(0), child(2)], NOW) == NOW + 4
    assert plan(desired, [child(0), child(2)], NOW + 4) == [Spawn(1, 1)]


def test_the_canary_of_a_new_generation_is_one_more():
    assert plan(Desired(workers=2, generation=1, trial=2), fleet(2), NOW) == [Spawn(2, 2, canary=True)]


def test_a_canary_waits_for_room():
    crowded = [*fleet(2), child(2, Phase.BOOTING)]
    assert plan(Desired(workers=2, generation=1, trial=2), crowded, NOW) == [
        Drain(20, Why.SCALE),
        Spawn(3, 2, canary=True),
    ]


def test_a_crash_during_a_trial_is_replaced_by_the_trusted_generation():
    children = [child(0), child(2, Phase.BOOTING, generation=2)]
    assert plan(Desired(workers=2, generation=1, trial=2), children, NOW) == [Spawn(1, 1)]


def test_a_canary_that_survived_its_probation_is_trusted_before_anything_else():
    probation = child(2, Phase.PROBATION, generation=2, deadline=NOW)
    assert plan(Desired(workers=2, generation=1, trial=2), [child(0), probation], NOW) == [Promote(2)]


def test_an_old_worker_leaves_only_when_enough_are_ready():
    desired = Desired(workers=2, generation=2)
    mixed = [*fleet(2), child(2, generation=2)]
    assert plan(desired, mixed, NOW) == [Drain(10, Why.RELOAD), Spawn(3, 2)]
    booting = [child(0), child(1, Phase.DRAINING, deadline=NOW + 9), child(2, generation=2), child(3, Phase.BOOTING, 2)]
    assert plan(desired, booting, NOW) == []


def test_what_only_boots_of_an_unwanted_generation_goes_at_once():
    desired = Desired(workers=1, generation=3)
    children = [child(0, generation=3), child(1, Phase.BOOTING, 2), child(2, Phase.BOOTING, 4)]
    assert plan(desired, children, NOW) == [Drain(10, Why.RELOAD), Drain(20, Why.REFUSED)]


def test_scaling_down_takes_the_highest_slots():
    assert plan(Desired(workers=1, generation=1), fleet(3), NOW) == [Drain(20, Why.SCALE), Drain(10, Why.SCALE)]


def test_a_hung_worker_is_replaced_first():
    desired = Desired(workers=2, generation=1)
    hung = child(1, Phase.HUNG, deadline=NOW + 60)
    assert plan(desired, [child(0), hung], NOW) == [Spawn(2, 1)]
    assert plan(desired, [child(0), hung, child(2, Phase.BOOTING)], NOW) == []
    assert plan(desired, [child(0), hung, child(2)], NOW) == [Abort(10, Why.HUNG)]


def test_a_hung_canary_is_not_waited_for():
    hung = child(1, Phase.HUNG, generation=2, deadline=NOW + 60)
    assert plan(Desired(workers=2, generation=1, trial=2), [child(0), hung], NOW) == [Abort(10, Why.HUNG), Spawn(2, 1)]


def test_every_phase_that_must_end_has_a_harsher_step():
    assert set(NEXT_STEP) == set(Phase) - (LIVE - {Phase.BOOTING}) - {Phase.RETIRED}


@pytest.mark.parametrize(
    ("phase", "step"),
    [
        (Phase.BOOTING, Abort),
        (Phase.HUNG, Abort),
        (Phase.DRAINING, Abort),
        (Phase.QUITTING, Kill),
        (Phase.ABORTED, Kill),
        (Phase.KILLED, Kill),
    ],
)
def test_past_its_deadline_comes_the_next_harsher_step(phase, step):
    children = [child(0), child(1, phase, deadline=NOW)]
    desired = Desired(workers=1, generation=1)
    assert [type(action) for action in plan(desired, children, NOW)] == [step]
    if phase is not Phase.BOOTING:
        stopping = replace(desired, stop=Stop.GRACEFUL, drain_at=inf)
        if phase is not Phase.HUNG:  # a stop lets it drain like everybody
            assert [type(action) for action in plan(stopping, children, NOW)] == [step]


def test_a_graceful_stop_serves_until_the_delay_is_over():
    desired = Desired(workers=2, generation=1, stop=Stop.GRACEFUL, drain_at=NOW + 5)
    children = [child(0), child(1, Phase.BOOTING)]
    assert plan(desired, children, NOW) == [Drain(10, Why.STOP)]
    assert next_deadline(desired, children, NOW) == NOW + 5
    assert plan(desired, [child(0)], NOW + 5) == [Drain(0, Why.STOP)]


def test_a_quick_stop_asks_everybody_to_quit_and_kills_who_boots():
    desired = Desired(workers=2, generation=1, stop=Stop.QUICK)
    children = [child(0), child(1, Phase.BOOTING), child(2, Phase.DRAINING), child(3, Phase.ABORTED)]
    assert plan(desired, children, NOW) == [Quit(0, Why.STOP), Kill(10, Why.STOP), Quit(20, Why.STOP)]


def test_it_leaves_when_nobody_is_left():
    assert plan(Desired(workers=2, stop=Stop.GRACEFUL, exit_code=70), [], NOW) == [Exit(70)]


def test_after_an_upgrade_it_stays_a_moment_for_requests_that_were_on_their_way_to_it():
    desired = Desired(workers=2, stop=Stop.GRACEFUL, leave_at=NOW + 0.5)
    assert plan(desired, [], NOW) == []
    assert next_deadline(desired, [], NOW) == NOW + 0.5
    assert plan(desired, [], NOW + 0.5) == [Exit(0)]
    assert plan(replace(desired, stop=Stop.QUICK), [], NOW) == [Exit(0)]


def test_a_reload_is_read_when_no_other_is_on_trial():
    asked = Desired(workers=1, generation=1, reload_asked=True)
    assert plan(asked, fleet(1), NOW) == [ReadConfiguration()]
    assert plan(replace(asked, trial=2), [*fleet(1), child(1, Phase.BOOTING, 2)], NOW) == []


def test_when_slots_run_out_nothing_is_forced():
    leaving = [child(slot, Phase.DRAINING, deadline=inf) for slot in range(4)]
    assert plan(Desired(workers=2, generation=1, slots=5), leaving, NOW) == [Spawn(4, 1)]
