from __future__ import annotations

from resource import RLIM_INFINITY

import pytest

from hybridd.ops.limits import attainable, connections_that_fit


@pytest.mark.parametrize(
    ("soft", "hard", "nr_open", "expected"),
    [
        (1024, 524288, 1048576, 524288),
        (1024, 1024, 1048576, 1024),
        (1024, RLIM_INFINITY, 1048576, 1048576),  # setrlimit(2): above fs.nr_open it is EPERM
        (1024, 2097152, 1048576, 1048576),
        (4096, 2097152, 2048, 4096),  # never lowered
        (RLIM_INFINITY, RLIM_INFINITY, 1048576, RLIM_INFINITY),
        (1024, RLIM_INFINITY, RLIM_INFINITY, 1024),  # fs.nr_open cannot be read: leave it
    ],
)
def test_the_highest_limit_that_we_may_set(soft, hard, nr_open, expected):
    assert attainable(soft, hard, nr_open) == expected


def test_connections_leave_room_for_everything_else():
    fit = connections_that_fit(1024, listeners=2, threads=32)
    assert 700 < fit < 1024 - 2 - 32
    assert connections_that_fit(1024, listeners=3, threads=32) == fit - 1
    assert connections_that_fit(1024, listeners=2, threads=33) < fit


def test_there_is_always_room_for_one():
    assert connections_that_fit(16, listeners=2, threads=32) == 1


def test_no_limit():
    assert connections_that_fit(RLIM_INFINITY, listeners=2, threads=32) > 10**9
