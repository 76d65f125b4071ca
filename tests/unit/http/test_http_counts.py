"""Counters and histograms."""

from __future__ import annotations

import pytest

from hybridd.http.counts import BUCKETS, Histogram, HttpCounts, bucket_of
from hybridd.http.outcome import CLOSE_REASONS, METHODS, REJECTIONS, CloseReason, Rejection


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0, 0), (0.005, 0), (0.0051, 1), (0.01, 1), (0.3, 6), (10.0, 10), (10.1, 11), (1e6, 11)]
)
def test_buckets_include_their_bound(seconds, bucket):
    assert bucket_of(seconds) == bucket
    counts = HttpCounts()
    counts.count_request("GET", 200, seconds)
    assert counts.duration.counts.index(1) == bucket
    assert sum(counts.duration.counts) == 1
    assert counts.duration.sum_ns == round(seconds * 1e9)


def test_there_is_one_bucket_more_than_bounds():
    assert len(Histogram().counts) == len(BUCKETS) + 1
    assert list(BUCKETS) == sorted(BUCKETS)


def test_requests_by_method_and_class():
    counts = HttpCounts()
    for method in (*METHODS[:-1], "PROPFIND", "-"):
        counts.count_request(method, 204, 0.001)
        counts.count_request(method, 599, 0.001)
    assert counts.requests[1::5] == [1] * 7 + [2]
    assert counts.requests[4::5] == [1] * 7 + [2]
    assert sum(counts.requests) == 18


def test_each_word_has_a_counter_of_its_own():
    counts = HttpCounts()
    for rejection in Rejection:
        counts.count_rejected(rejection)
    for reason in CloseReason:
        counts.count_closed(reason)
    assert counts.rejected == [1] * len(REJECTIONS)
    assert counts.closed == [1] * len(CLOSE_REASONS)


def test_a_sum_of_several_replaces_what_was_there():
    parts = [HttpCounts(), HttpCounts()]
    for number, part in enumerate(parts, 1):
        part.count_request("GET", 200, 0.001 * number)
        part.count_closed(CloseReason.DONE)
        part.open = part.active = number
    parts[0].count_rejected(Rejection.BAD_REQUEST)
    whole = HttpCounts()
    for _ in range(2):
        whole.become_sum(iter(parts))
        assert (sum(whole.requests), sum(whole.closed), sum(whole.rejected)) == (2, 2, 1)
        assert (whole.duration.counts[0], whole.duration.sum_ns) == (2, 3_000_000)
        assert (whole.open, whole.active) == (3, 3)
    whole.become_sum([])
    assert sum(whole.requests) == whole.open == 0
    assert len(whole.requests) == len(parts[0].requests)
