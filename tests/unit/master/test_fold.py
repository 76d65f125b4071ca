"""fold() by example: what is remembered of what happened."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from hybridd.errors import ExitCode
from hybridd.master import events
from hybridd.master.children import Abort, Drain, Kill, Patience, Phase, Quit, Why
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.desired import Stop
from hybridd.master.fold import BOOT_ATTEMPTS, fold
from hybridd.master.modes import Mode
from hybridd.master.state import State, first_state

PATIENCE = Patience(boot=60.0, graceful=30.0, settle=2.0, leave=2.0, quit=3.0, abort=2.0, kill=5.0)


def start(workers: int = 2) -> State:
    return first_state(workers, PATIENCE, CrashPolicy(restarts=3), drain_delay=4.0, slots=20)


def after(state: State, *happened: events.Event, now: float = 10.0) -> State:
    for event in happened:
        state = fold(state, event, now)
    return state


def running(workers: int = 2) -> State:
    state = after(start(workers), events.Spawned(0, 100, 1), events.BecameReady(100), events.Promoted(1), now=1.0)
    for slot in range(1, workers):
        state = after(state, events.Spawned(slot, 100 + slot, 1), events.BecameReady(100 + slot), now=1.0)
    return state


def on_trial(workers: int = 2) -> State:
    read = events.ConfigurationRead(2, PATIENCE, CrashPolicy(restarts=7), drain_delay=9.0, workers=5)
    return after(running(workers), events.ReloadAsked(), read, events.Spawned(9, 200, 2))


def test_the_first_generation_needs_no_probation():
    state = after(start(), events.Spawned(0, 100, 1), events.BecameReady(100))
    assert state.children[100].phase is Phase.PROBATION
    assert state.children[100].deadline == 10.0


def test_starting_ends_when_the_fleet_is_complete():
    state = after(start(2), events.Spawned(0, 100, 1), events.BecameReady(100), events.Promoted(1))
    assert state.mode is Mode.STARTING
    state = after(state, events.Spawned(1, 101, 1), events.BecameReady(101))
    assert state.mode is Mode.RUNNING


def test_starting_ends_too_when_it_serves_but_workers_keep_crashing():
    state = after(start(2), events.Spawned(0, 100, 1), events.BecameReady(100), events.Promoted(1))
    for pid in (101, 102, 103):
        assert state.mode is Mode.STARTING
        state = after(state, events.Spawned(1, pid, 1), events.Died(pid, True, "exit 3"))
    assert state.mode is Mode.RUNNING
    assert state.degraded(10.0)


def test_a_first_worker_that_says_it_cannot_boot_ends_everything():
    state = after(start(), events.Spawned(0, 100, 1), events.Died(100, True, "no such module"))
    assert state.mode is Mode.STOPPING
    assert state.desired.exit_code == ExitCode.CANNOT_BOOT


def test_a_first_worker_that_is_too_slow_ends_everything():
    state = after(
        start(), events.Spawned(0, 100, 1), events.Signalled(Abort(100, Why.BOOT)), events.Died(100, False, "")
    )
    assert state.desired.exit_code == ExitCode.CANNOT_BOOT


def test_accidents_at_the_start_are_forgiven_a_few_times():
    state = start()
    for attempt in range(BOOT_ATTEMPTS):
        assert state.mode is Mode.STARTING, attempt
        state = after(state, events.Spawned(0, 100, 1), events.Died(100, False, "SIGKILL"))
    assert state.desired.exit_code == ExitCode.CANNOT_BOOT


def test_a_system_that_cannot_fork_at_the_start_is_a_system_error():
    state = start()
    for _ in range(BOOT_ATTEMPTS):
        state = after(state, events.SpawnFailed(0, 1, "EAGAIN"))
    assert state.desired.exit_code == ExitCode.SYSTEM


def test_a_refused_configuration_changes_nothing_but_the_result():
    before = after(running(), events.ReloadAsked())
    state = after(before, events.ConfigurationRefused("threads: expected a number"))
    assert state.last_reload is not None
    assert (state.last_reload.refused, state.last_reload.reason) == (True, "threads: expected a number")
    assert replace(state, last_reload=None, readings=0) == running()


def test_a_canary_that_dies_gives_its_generation_up():
    state = after(on_trial(), events.Died(200, True, "SyntaxError"))
    assert state.desired == replace(running().desired, doubted=True)
    assert state.patience.keys() == {1}
    assert state.pending is None
    assert state.last_reload is not None
    assert (state.last_reload.generation, state.last_reload.refused, state.last_reload.reason) == (
        2,
        True,
        "SyntaxError",
    )


def test_a_canary_is_on_probation_until_it_is_trusted_and_only_then_its_settings_hold():
    state = after(on_trial(), events.BecameReady(200))
    assert state.children[200].phase is Phase.PROBATION
    assert state.children[200].deadline == 12.0
    assert (state.policy.restarts, state.desired.workers) == (3, 2)
    state = after(state, events.Promoted(2), now=12.0)
    assert (state.desired.generation, state.desired.trial, state.desired.workers) == (2, 0, 5)
    assert (state.policy.restarts, state.drain_delay) == (7, 9.0)
    assert state.children[200].phase is Phase.READY
    assert state.children[200].deadline == inf
    assert state.last_reload is None  # it can still be undone
    state = after(state, events.Committed(2))
    assert state.last_reload is not None
    assert not state.last_reload.refused


def test_scaling_survives_a_reload_that_does_not_name_the_workers():
    state = after(running(2), events.ScaleAsked(2), events.ReloadAsked())
    read = events.ConfigurationRead(2, PATIENCE, CrashPolicy(), workers=None)
    state = after(state, read, events.Spawned(9, 200, 2), events.BecameReady(200), events.Promoted(2))
    assert state.desired.workers == 4


def test_there_is_always_one_worker_and_room_for_twice_as_many():
    assert after(running(2), events.ScaleAsked(-9)).desired.workers == 1
    assert after(running(2), events.ScaleAsked(900)).desired.workers == 10


def test_reloads_that_are_asked_for_meanwhile_become_one():
    state = after(on_trial(), events.ReloadAsked(), events.ReloadAsked())
    assert state.desired.reload_asked
    state = after(state, events.Died(200, True, "x"), events.ConfigurationRefused("x"))
    assert not state.desired.reload_asked


def test_stopping_is_graceful_then_quick():
    state = after(running(), events.StopAsked())
    assert (state.desired.stop, state.desired.drain_at) == (Stop.GRACEFUL, 14.0)
    state = after(state, events.StopAsked(), now=11.0)
    assert (state.desired.stop, state.desired.drain_at) == (Stop.QUICK, 14.0)
    assert after(running(), events.QuitAsked()).desired.stop is Stop.QUICK


def test_a_stop_forgets_a_reload():
    assert not after(running(), events.ReloadAsked(), events.StopAsked()).desired.reload_asked


@pytest.mark.parametrize(
    ("step", "phase", "deadline"),
    [
        (Drain(100, Why.SCALE), Phase.DRAINING, 42.0),
        (Quit(100, Why.STOP), Phase.QUITTING, 13.0),
        (Abort(100, Why.HUNG), Phase.ABORTED, 12.0),
        (Kill(100, Why.STOP), Phase.KILLED, 15.0),
    ],
)
def test_each_step_has_its_patience(step, phase, deadline):
    child = after(running(), events.Signalled(step)).children[100]
    assert (child.phase, child.since, child.deadline, child.why) == (phase, 10.0, deadline, step.why)


def test_the_first_reason_is_kept():
    state = after(running(), events.Signalled(Drain(100, Why.RELOAD)), events.Signalled(Kill(100, Why.STOP)))
    assert state.children[100].why is Why.RELOAD


def test_hurrying_never_gives_more_time():
    state = fold(running(), events.Signalled(Drain(100, Why.STOP)), 10.0)
    state = fold(state, events.Signalled(Quit(100, Why.STOP)), 41.0)
    assert state.children[100].deadline == 42.0


def test_who_only_boots_has_nothing_to_finish():
    state = after(on_trial(), events.Signalled(Drain(200, Why.STOP)))
    assert state.children[200].deadline == 13.0


def test_who_became_ready_in_that_moment_may_finish():
    state = after(on_trial(), events.Signalled(Drain(200, Why.STOP)), events.BecameReady(200))
    assert (state.children[200].phase, state.children[200].deadline) == (Phase.DRAINING, 42.0)


def test_a_worker_that_leaves_by_itself_drains_and_is_no_crash():
    state = after(running(), events.BeganToLeave(100))
    assert (state.children[100].phase, state.children[100].why) == (Phase.DRAINING, Why.LEFT)
    assert after(state, events.Died(100, True, "")).crashes.recent == ()


def test_a_hung_worker_may_recover():
    state = after(running(), events.SeemsHung(100))
    assert (state.children[100].phase, state.children[100].deadline) == (Phase.HUNG, 70.0)
    state = after(state, events.Recovered(100))
    assert (state.children[100].phase, state.children[100].deadline) == (Phase.READY, inf)


def test_only_deaths_that_nobody_asked_for_are_crashes():
    state = after(running(), events.Signalled(Drain(100, Why.SCALE)), events.Died(100, True, ""))
    assert state.crashes.recent == ()
    state = after(state, events.Died(101, False, "SIGSEGV"))
    assert state.crashes.recent == (10.0,)
    assert state.crashes.streaks == {}  # it had served for 9 s


def test_a_crash_of_the_outgoing_generation_delays_nobody():
    state = after(on_trial(), events.BecameReady(200), events.Promoted(2), events.Died(100, False, "SIGSEGV"), now=2.0)
    assert state.crashes.recent == (2.0,)
    assert state.crashes.streaks == {}


def test_news_of_unknown_workers_change_nothing():
    state = running()
    strangers = (events.BecameReady(5), events.Died(5, True, ""), events.SeemsHung(5), events.Recovered(5))
    assert (
        after(state, *strangers, events.BeganToLeave(5), events.Signalled(Kill(5, Why.STOP)), events.Promoted(5))
        == state
    )
