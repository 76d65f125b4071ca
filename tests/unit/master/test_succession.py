"""An upgrade by example: what each of the two masters remembers of it."""

from __future__ import annotations

from hybridd.master import events
from hybridd.master.children import Drain, Patience, Phase, Why
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.desired import Stop
from hybridd.master.fold import fold
from hybridd.master.lifecycle import plan
from hybridd.master.modes import Mode
from hybridd.master.state import State, first_state
from hybridd.master.succession import LAST_REQUESTS, TAKE
from hybridd.master.successor import Stage


def after(state: State, *happened: events.Event, now: float = 10.0) -> State:
    for event in happened:
        state = fold(state, event, now)
    return state


def complete(*, heir: bool = False) -> State:
    patience = Patience(boot=5.0, settle=2.0)
    state = first_state(1, patience, CrashPolicy(), drain_delay=4.0, slots=8, heir=heir)
    return after(state, events.Spawned(0, 100, 1), events.BecameReady(100), events.Promoted(1))


def upgrading(*further: events.Event) -> State:
    return after(complete(), events.UpgradeAsked(), events.SuccessorStarted(500), *further)


def test_a_successor_has_time_for_two_boots():
    successor = upgrading().desired.successor
    assert successor is not None
    assert (successor.stage, successor.deadline) == (Stage.BOOTING, 20.0)
    assert upgrading().mode is Mode.UPGRADING


def test_the_word_is_given_and_must_be_answered():
    successor = upgrading(events.SuccessorReady(500), events.HandingOver(500)).desired.successor
    assert successor is not None
    assert (successor.stage, successor.deadline) == (Stage.TAKING, 10.0 + TAKE)


def test_who_hands_over_drains_at_once_whatever_drain_delay_says():
    state = upgrading(events.SuccessorReady(500), events.HandingOver(500), events.SuccessorTook(500, 2))
    assert (state.mode, state.desired.stop, state.desired.drain_at) == (Mode.STOPPING, Stop.GRACEFUL, 10.0)
    assert (state.desired.successor, state.desired.leave_at) == (None, 10.0 + LAST_REQUESTS)
    assert state.last_upgrade is not None
    assert (state.last_upgrade.pid, state.upgrades) == (500, 1)


def test_its_workers_leave_those_who_wait_to_the_workers_of_the_successor():
    state = upgrading(events.SuccessorReady(500), events.HandingOver(500), events.SuccessorTook(500, 2))
    assert plan(state.desired, state.children.values(), 10.0) == [Drain(100, Why.UPGRADE)]


def test_who_loses_its_successor_goes_on():
    state = upgrading(events.SuccessorDied(500, "exit 78", "line"))
    assert (state.mode, state.desired.stop, state.desired.successor) == (Mode.RUNNING, Stop.NO, None)
    assert state.last_upgrade is not None
    assert (state.last_upgrade.pid, state.last_upgrade.reason, state.last_upgrade.said) == (0, "exit 78", "line")


def test_who_was_killed_is_lost_for_that_reason():
    state = upgrading(events.SuccessorEnded(500, "it was late"), events.SuccessorDied(500, "SIGKILL"))
    assert state.last_upgrade is not None
    assert state.last_upgrade.reason == "it was late; it was killed"


def test_the_words_of_strangers_change_nothing():
    state = upgrading()
    for event in (events.SuccessorReady(7), events.HandingOver(7), events.SuccessorDied(7, "x")):
        assert fold(state, event, 11.0).desired == state.desired


def test_a_successor_is_complete_and_waits_and_takes_over():
    state = complete(heir=True)
    assert (state.mode, state.heir) == (Mode.WAITING, True)
    assert state.count(Phase.READY) == 1
    assert fold(state, events.UpgradeAsked(), 11.0) is state
    state = after(state, events.TookOver())
    assert (state.mode, state.heir) == (Mode.RUNNING, False)


def test_a_successor_watches_its_canary():
    assert complete(heir=True).patience[1].settle == 2.0
    assert complete().patience[1].settle == 0.0
