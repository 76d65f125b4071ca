from __future__ import annotations

import pytest

from hybridd.master.health import Sample, Suspicion, Verdict, is_starved, judge
from hybridd.ops.run_queue import Thread

LIMIT = 30.0


def rounds(sample_at, until, late=None):
    """Judge one worker every second; return the time of the first HUNG, None if there is none."""
    noted: dict[int, Suspicion] = {}
    for second in range(until):
        now = float(second)
        verdicts, noted = judge({7: sample_at(now)}, noted, now, late=(late or {}).get(second, 0.0))
        if verdicts[7] is Verdict.HUNG:
            return now
    return None


def sleeping(_):
    return {1: Thread(0.0, runnable=False)}


def test_a_worker_that_beats_is_well():
    assert rounds(lambda now: Sample(now - 1.0, LIMIT, cpu=now), 100) is None


def test_one_that_waits_for_something_that_does_not_come_is_hung_at_the_limit():
    assert rounds(lambda now: Sample(10.0, LIMIT, 5.0, sleeping(now)), 100) == 40.0


def test_one_that_polls_for_a_lock_is_hung_all_the_same():
    def polls(now):
        return Sample(10.0, LIMIT, 5.0 + 0.03 * now, {n: Thread(0.1 * now, runnable=n == 3) for n in range(8)})

    assert rounds(polls, 100) == 40.0


def test_one_that_computes_for_ever_is_hung_though_it_fills_the_run_queue():
    assert rounds(lambda now: Sample(10.0, LIMIT, cpu=now, threads={1: Thread(now, runnable=True)}), 100) == 40.0


def test_one_that_computes_on_a_crowded_machine_gets_the_time_that_it_would_have_needed():
    quarter = rounds(lambda now: Sample(10.0, LIMIT, now / 4, {1: Thread(now * 0.75, runnable=True)}), 200)
    assert quarter == 25.0 + 4 * 13.5 + 0.0


def test_one_that_gets_too_little_cpu_is_starved_and_left_alone():
    assert rounds(lambda now: Sample(10.0, LIMIT, now / 100, {1: Thread(now * 0.9, runnable=True)}), 300) is None


def test_one_that_gets_no_cpu_at_all_is_starved_and_left_alone():
    assert rounds(lambda _: Sample(10.0, LIMIT, 5.0, {1: Thread(3.0, runnable=True)}), 300) is None


def test_nobody_is_judged_in_a_round_in_which_the_master_was_late():
    def stood_still(_):
        return Sample(10.0, LIMIT, 5.0, sleeping(0))

    assert rounds(stood_still, 100, late={40: 35.0}) == 41.0 + 0.0
    assert rounds(stood_still, 45, late=dict.fromkeys(range(40, 45), 35.0)) is None


def test_after_a_long_sleep_a_worker_gets_its_time_to_beat_again():
    noted: dict[int, Suspicion] = {}
    verdicts, noted = judge({7: Sample(0.0, LIMIT, 5.0, sleeping(0))}, noted, 1000.0, late=999.0)
    assert verdicts == {7: Verdict.SILENT}
    verdicts, noted = judge({7: Sample(1000.9, LIMIT)}, noted, 1001.0, late=0.0)
    assert verdicts == {7: Verdict.BEATS}
    assert noted == {}


def test_a_beat_in_between_begins_anew():
    assert rounds(lambda now: Sample(10.0 if now < 39 else 38.5, LIMIT, 5.0, sleeping(now)), 68) is None


def test_the_kernel_may_not_say_how_long_threads_waited():
    assert rounds(lambda _: Sample(10.0, LIMIT, 5.0, {}), 100) == 40.0


@pytest.mark.parametrize("limit", [2.0, 3.0])
def test_short_limits_work_too(limit):
    assert rounds(lambda now: Sample(10.0, limit, 5.0, sleeping(now)), 100) == 10.0 + limit


def test_a_new_thread_is_no_witness():
    assert not is_starved({}, {1: Thread(100.0, runnable=True)}, 10.0)
