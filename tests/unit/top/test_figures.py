"""Two looks become rates, latencies and shares of a CPU."""

from __future__ import annotations

from math import inf

import pytest

from hybridd.top.figures import Pace, picture, quantile
from tests.support.looks import BOUNDS, call, look, worker


def test_one_look_has_no_rates():
    [one] = picture(None, look([worker(connections=3)])).workers
    assert (one.connections, one.pace) == (3, Pace())


def test_two_looks_have():
    before = look([worker(requests=100, accepted=5, durations=[90, 0, 0, 10], duration_sum=9.0)], 60.0)
    after = worker(requests=300, accepted=9, cpu_seconds=2.0, durations=[280, 8, 2, 10], duration_sum=11.0)
    shown = picture(before, look([after], 62.0))
    expected = Pace(requests=100.0, connections=2.0, mean=2.0 / 200, p50=0.005, p99=0.01, cpu=0.5)
    assert (shown.workers[0].pace, shown.totals.pace) == (expected, expected)


def test_a_new_worker_has_done_everything_since_the_last_look():
    before = look([worker(0, requests=1000)], 60.0)
    shown = picture(before, look([worker(0, pid=555, requests=10, cpu_seconds=0.1, uptime=0.5)], 61.0))
    assert (shown.workers[0].pace.requests, shown.workers[0].pace.cpu) == (10.0, 0.1)


def test_workers_that_have_no_pid_yet_are_not_mixed_up():
    unborn = [worker(0, pid=0, cpu_seconds=None, rss=None), worker(1, pid=0, cpu_seconds=None, rss=None)]
    shown = picture(look(unborn, 60.0), look([unborn[0], worker(1, requests=3)], 61.0))
    assert [one.pace.requests for one in shown.workers] == [0.0, 3.0]


@pytest.mark.parametrize("change", [{"pid": 8}, {"uptime": 60.0}, {"uptime": 1.0}])
def test_looks_at_another_master_and_at_the_same_moment_are_not_compared(change):
    before = look([worker(requests=1000)], 60.0)
    shown = picture(before, {**look([worker(requests=5)], 61.0), **change})
    assert shown.totals.pace == Pace()


def test_the_totals():
    workers = [worker(0, connections=2, calls_running=1, pss=5), worker(1, connections=3, calls_queued=4, rss=None)]
    totals = picture(None, look(workers)).totals
    assert (totals.connections, totals.running, totals.queued) == (5, 1, 4)
    assert (totals.rss, totals.pss, totals.backlog, totals.backlog_limit) == (20 << 20, None, 1, 9)
    assert picture(None, look([worker(0, pss=5), worker(1, pss=6)])).totals.pss == 11


def test_calls_of_all_workers_oldest_first():
    shown = picture(
        None, look([worker(0, calls=[call("/a", 2.0), call("/b", 1.0)]), worker(1, calls=[call("/c", 1.5)])])
    )
    assert [(one.slot, one.path) for one in shown.calls] == [(0, "/a"), (1, "/c"), (0, "/b")]


def test_a_loop_that_stands_still_is_a_call_that_nobody_could_name():
    named = worker(2, busy_for=9.0, calls=[call("/a", 2.0)])
    shown = picture(None, look([worker(0, busy_for=0.09), worker(1, busy_for=1.5), named, worker(3, busy_for=None)]))
    assert [(one.slot, one.state, one.age) for one in shown.calls] == [(2, "running", 2.0), (1, "on loop", 1.5)]
    assert shown.totals.running == 2


def test_an_older_server_tells_less():
    old = {
        key: value for key, value in worker().items() if key not in {"durations", "duration_sum", "calls", "accepted"}
    }
    said = look([old], listeners=[{"address": "x"}])
    del said["duration_bounds"]
    shown = picture(said, {**said, "uptime": 61.0})
    assert (shown.calls, shown.totals.backlog, shown.totals.pace.p99) == ((), None, None)


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ([0, 0, 0, 0], 0.5, None),
        ([1, 0, 0, 0], 0.99, 0.005),
        ([50, 50, 0, 0], 0.5, 0.005),
        ([49, 51, 0, 0], 0.5, 0.01),
        ([99, 0, 0, 1], 0.99, 0.005),
        ([98, 0, 0, 2], 0.99, inf),
    ],
)
def test_a_quantile_is_the_bound_of_a_bucket(counts, share, expected):
    assert quantile(counts, BOUNDS, share) == expected
