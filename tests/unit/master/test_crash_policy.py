from __future__ import annotations

from hybridd.master.crash_policy import (
    SHORT_LIFE,
    Crashes,
    CrashPolicy,
    could_not_spawn,
    crashed,
    forget_slot,
    forgive,
    is_degraded,
    noted,
    pause,
    trim,
)

POLICY = CrashPolicy(restarts=3, window=60.0, longest_pause=30.0)


def test_the_first_two_short_lives_are_replaced_at_once_then_the_pause_doubles_up_to_the_limit():
    assert [pause(lives, POLICY) for lives in range(10)] == [0, 0, 0, 1, 2, 4, 8, 16, 30, 30]
    assert pause(10_000, POLICY) == 30


def test_short_lives_in_a_row_let_their_slot_rest_and_no_other():
    crashes = Crashes()
    for at in (1.0, 2.0, 3.0):
        crashes = crashed(crashes, POLICY, slot=4, served=0.0, now=at)
    crashes = crashed(crashes, POLICY, slot=5, served=0.0, now=3.0)
    assert crashes.resting(3.0) == {4: 4.0}
    assert crashes.resting(4.0) == {}


def test_a_life_that_was_not_short_ends_the_streak():
    crashes = Crashes()
    for at in (1.0, 2.0, 3.0):
        crashes = crashed(crashes, POLICY, slot=4, served=SHORT_LIFE - 0.1, now=at)
    crashes = crashed(crashes, POLICY, slot=4, served=SHORT_LIFE, now=20.0)
    crashes = crashed(crashes, POLICY, slot=4, served=0.0, now=21.0)
    assert crashes.resting(21.0) == {}


def test_a_planned_end_ends_the_streak():
    crashes = crashed(Crashes(), POLICY, slot=4, served=0.0, now=1.0)
    assert forget_slot(crashes, 4).streaks == {}
    assert forget_slot(crashes, 5) is crashes


def test_a_fork_that_fails_is_never_repeated_at_once_and_is_no_crash():
    crashes = could_not_spawn(Crashes(), POLICY, slot=2, now=10.0)
    assert crashes.resting(10.0) == {2: 11.0}
    crashes = could_not_spawn(crashes, POLICY, slot=2, now=11.0)
    assert crashes.resting(11.0) == {2: 13.0}
    assert crashes.recent == ()


def test_degraded_is_a_matter_of_the_window_and_of_every_kind_of_crash():
    crashes = crashed(Crashes(), POLICY, slot=0, served=1000.0, now=1.0)
    crashes = crashed(crashes, POLICY, slot=1, served=0.0, now=30.0)
    assert not is_degraded(crashes, POLICY, now=30.0)
    crashes = noted(crashes, POLICY, now=50.0)
    assert is_degraded(crashes, POLICY, now=50.0)
    assert is_degraded(crashes, POLICY, now=60.9)
    assert not is_degraded(crashes, POLICY, now=61.1)


def test_what_is_remembered_does_not_grow():
    crashes = Crashes()
    for at in range(1000):
        crashes = crashed(crashes, POLICY, slot=at % 4, served=0.0, now=float(at) / 100)
    assert len(crashes.recent) == POLICY.restarts
    assert len(crashes.streaks) == 4


def test_a_new_generation_begins_without_streaks_but_the_window_is_kept():
    crashes = crashed(Crashes(), POLICY, slot=0, served=0.0, now=1.0)
    assert forgive(crashes) == Crashes({}, (1.0,))


def test_rests_without_a_vacancy_are_forgotten_the_soonest_first():
    crashes = Crashes()
    for slot in (0, 1, 2):
        for at in range(3):
            crashes = crashed(crashes, POLICY, slot=slot, served=0.0, now=slot + at / 10)
    assert set(trim(crashes, occupied=(), vacancies=1, now=1.1).resting(1.1)) == {2}
    assert trim(crashes, occupied=(), vacancies=3, now=1.1) is crashes
    assert trim(crashes, occupied=(0, 1, 2), vacancies=0, now=1.1) is crashes
