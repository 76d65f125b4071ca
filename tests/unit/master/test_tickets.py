"""A worker that is asked for, and a fork server that dies: what fold() makes of it, and when another one is started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridd.master import events, preloading
from hybridd.master.children import TICKETS, Drain, Patience, Phase, Why
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.desired import Desired, Stop
from hybridd.master.fold import fold
from hybridd.master.narrative import tell
from hybridd.master.state import first_state
from hybridd.master.tickets import SHORT_LIFE, renewable
from hybridd.master.verdicts import scale_refused

READ = events.ConfigurationRead(2, Patience(), CrashPolicy())


def after(*happened, state=None):
    state = state or first_state(1, Patience(), CrashPolicy(), drain_delay=0.0, slots=20)
    for event in happened:
        state = fold(state, event, 10.0)
    return state


def running():
    asked, born = events.Spawned(0, TICKETS, 1), preloading.Born(TICKETS, 100)
    return after(
        asked, preloading.Preloaded(1, 99, 0.1, original=True), born, events.BecameReady(100), events.Promoted(1)
    )


def test_a_worker_that_is_asked_for_boots_until_it_is_born_and_its_deadline_stays():
    asked = after(events.Spawned(0, TICKETS, 1))
    assert str(asked.children[TICKETS]) == "worker=0 gen=1 pid=none"
    born = after(preloading.Born(TICKETS, 100), state=asked)
    assert born.children == {100: replace(asked.children[TICKETS], pid=100)}


def test_what_was_told_to_a_worker_before_it_was_born_holds():
    told = after(
        events.Spawned(0, TICKETS, 1), events.Signalled(Drain(TICKETS, Why.STOP)), preloading.Born(TICKETS, 100)
    )
    assert told.children[100].phase is Phase.DRAINING


def test_a_worker_that_could_not_be_forked_holds_no_slot():
    state = after(events.Spawned(0, TICKETS, 1), events.SpawnFailed(0, 1, "EAGAIN", TICKETS))
    assert state.children == {}


@pytest.mark.parametrize(
    ("happened", "stale"),
    [
        ([], False),  # the fork server has the code
        ([preloading.ForkServerLost(1, 99, -9)], True),
        ([preloading.ForkServerLost(1, 99, -9), preloading.Preloaded(1, 98, 0.1, original=False)], True),
    ],
)
def test_after_a_refused_reload_a_generation_can_be_made_again_as_long_as_its_first_fork_server_lives(happened, stale):
    lost = events.Died(200, True, "SyntaxError")
    state = after(events.ReloadAsked(), READ, events.Spawned(1, 200, 2), lost, *happened, state=running())
    assert state.desired.doubted
    assert state.desired.stale is stale
    assert (scale_refused(state, 2) is not None) is stale


def test_the_log_says_that_a_fork_server_was_lost_and_what_follows():
    before, lost = running(), preloading.ForkServerLost(1, 99, -9, again=True)
    (line,) = tell(before, lost, after(lost, state=before), 10.0)
    assert line.text == ("fork server gen=1 pid=99 was killed by SIGKILL; its workers serve on, another one is started")


CALM = Desired(1, generation=3)


@pytest.mark.parametrize(
    ("desired", "lived", "again"),
    [
        (CALM, SHORT_LIFE, True),
        (CALM, SHORT_LIFE - 1, False),  # it may die again and again
        (replace(CALM, stop=Stop.GRACEFUL), 99.0, False),
        (replace(CALM, trial=4), 99.0, False),
        (replace(CALM, fallback=2), 99.0, False),
        (replace(CALM, doubted=True), 99.0, False),  # it would load what was refused
        (replace(CALM, generation=4), 99.0, False),
    ],
)
def test_another_fork_server_is_started_at_once_only_when_it_would_be_the_same(desired, lived, again):
    assert renewable(desired, 3, lived) is again
