"""When a wish has come true, and when it cannot."""

from __future__ import annotations

import pytest

from hybridd.master import events, verdicts
from hybridd.master.children import Drain, Patience, Why
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.fold import fold
from hybridd.master.state import State, first_state

READ = events.ConfigurationRead(2, Patience(), CrashPolicy())


def after(state: State, *happened: events.Event, now: float = 10.0) -> State:
    for event in happened:
        state = fold(state, event, now)
    return state


def running(workers: int = 1) -> State:
    state = first_state(workers, Patience(), CrashPolicy(), drain_delay=0.0, slots=20)
    state = after(state, events.Spawned(0, 100, 1), events.BecameReady(100), events.Promoted(1))
    for slot in range(1, workers):
        state = after(state, events.Spawned(slot, 100 + slot, 1), events.BecameReady(100 + slot))
    return state


def test_what_the_mode_does_not_allow_is_refused_with_its_sentence():
    assert verdicts.refused(running(), events.ReloadAsked()) is None
    reply = verdicts.refused(after(running(), events.StopAsked()), events.ReloadAsked())
    assert reply is not None
    assert (reply.ok, reply.message) == (False, "ignored: hybridd is stopping")


def test_a_reload_is_judged_by_its_own_reading():
    state = after(running(), events.ReloadAsked())
    assert verdicts.reload(state, 1) is None
    state = after(state, events.ConfigurationRefused("threads: expected a number"))
    reply = verdicts.reload(state, 1)
    assert reply is not None
    assert reply.message == "refused, generation 1 goes on: threads: expected a number"
    assert verdicts.reload(state, 2) is None  # the next one has not been read


def test_a_refused_reload_shows_the_end_of_the_traceback():
    died = events.Died(200, exited=True, reason="it could not boot", said="line 1\nValueError: no")
    state = after(running(), events.ReloadAsked(), READ, events.Spawned(9, 200, 2), died)
    reply = verdicts.reload(state, 1)
    assert reply is not None
    *_, first, last, consequence = reply.message.splitlines()
    assert (first, last) == ("line 1", "ValueError: no")
    assert consequence.startswith("degraded: generation 1 cannot be re-created")
    assert reply.details["said"] == "line 1\nValueError: no"


def test_a_stop_ends_a_reload():
    state = after(running(), events.ReloadAsked(), READ, events.StopAsked())
    reply = verdicts.reload(state, 1)
    assert reply is not None
    assert not reply.ok


def test_a_reload_that_is_asked_for_during_the_start_waits_for_it():
    state = first_state(1, Patience(), CrashPolicy(), drain_delay=0.0, slots=20)
    assert verdicts.reload(after(state, events.ReloadAsked()), 1) is None
    assert "generation 1 is still on trial" in verdicts.reload_late(after(state, events.ReloadAsked())).message


def test_who_loses_patience_is_told_how_far_the_reload_is():
    state = after(running(), events.ReloadAsked(), READ)
    assert "generation 2 is still on trial" in verdicts.reload_late(state).message


@pytest.mark.parametrize(("wanted", "refused"), [(0, True), (1, False), (10, False), (11, True)])
def test_how_many_workers_there_can_be(wanted, refused):
    assert (verdicts.scale_refused(running(), wanted) is not None) is refused


def test_scaling_waits_until_all_are_ready():
    state = after(running(1), events.ScaleAsked(1))
    assert verdicts.scale(state, 2, 10.0) is None
    assert "1 of 2 workers ready" in verdicts.scale_late(state).message
    state = after(state, events.Spawned(1, 101, 1), events.BecameReady(101))
    reply = verdicts.scale(state, 2, 10.0)
    assert reply is not None
    assert (reply.ok, reply.message) == (True, "2 workers ready")


def test_scaling_does_not_wait_for_a_canary_that_may_never_come_through():
    state = after(running(2), events.ReloadAsked(), READ, events.Spawned(9, 200, 2), events.ScaleAsked(-1))
    assert verdicts.scale(state, 1, 10.0) is None
    state = after(state, events.Signalled(Drain(101, Why.SCALE)))
    reply = verdicts.scale(state, 1, 10.0)
    assert reply is not None
    assert (reply.ok, reply.message) == (True, "1 worker ready")


def test_scaling_fails_when_the_new_ones_die_as_they_start():
    state = after(running(1), events.ScaleAsked(1))
    for pid in (101, 102, 103):
        state = after(state, events.Spawned(1, pid, 1), events.Died(pid, True, "exit 3"))
    reply = verdicts.scale(state, 2, 10.0)
    assert reply is not None
    assert not reply.ok
    assert "they die as they start" in reply.message


def test_scaling_is_overtaken_by_another_wish():
    reply = verdicts.scale(after(running(1), events.ScaleAsked(2)), 2, 10.0)
    assert reply is not None
    assert not reply.ok


def test_a_stop_is_over_when_the_last_worker_has_left():
    state = after(running(), events.StopAsked())
    assert verdicts.stop(state) is None
    assert "1 worker still at work" in verdicts.stop_late(state).message
    reply = verdicts.stop(after(state, events.Died(100, True, ""), events.Left()))
    assert reply is not None
    assert reply.ok


def test_an_upgrade_is_judged_by_its_own_number():
    state = after(running(), events.UpgradeAsked(), events.SuccessorStarted(500))
    assert verdicts.upgrade(state, 1) is None
    assert "(pid 500) is booting" in verdicts.upgrade_late(state).message
    failed = verdicts.upgrade(after(state, events.SuccessorDied(500, "exit 70", "ValueError: no")), 1)
    assert failed is not None
    assert (failed.ok, failed.message) == (False, "failed, this master goes on: exit 70\nValueError: no")
    taken = after(state, events.SuccessorReady(500), events.HandingOver(500), events.SuccessorTook(500, 1))
    reply = verdicts.upgrade(taken, 1)
    assert reply is not None
    assert (reply.ok, reply.details["pid"]) == (True, 500)


def test_a_stop_ends_an_upgrade_that_has_not_begun():
    reply = verdicts.upgrade(after(running(), events.UpgradeAsked(), events.StopAsked()), 1)
    assert reply is not None
    assert not reply.ok
