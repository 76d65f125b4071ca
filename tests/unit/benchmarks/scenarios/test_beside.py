"""What blocking clients reach of what they could."""

from __future__ import annotations

import pytest

from benchmarks.load.wrk import Burst
from benchmarks.scenarios.beside import answered, blocking_share


def burst(requests, mean_ms, seconds=1.0):
    return Burst(requests, seconds, 0, mean_ms, mean_ms, mean_ms, mean_ms, 0, 0, 0, 0, 0)


def test_nobody_in_the_way_is_all():
    assert blocking_share(burst(320, 50.0)) == 1.0


def test_waiting_takes_its_share():
    assert blocking_share(burst(16 * 16, 62.5)) == pytest.approx(0.8)


def test_an_answer_that_did_not_fit_in_the_burst_costs_nothing():
    assert blocking_share(burst(19 * 16, 50.1)) == pytest.approx(50 / 50.1)


def test_clients_that_were_never_answered_count_by_the_number_of_answers():
    assert blocking_share(burst(20, 50.0)) == pytest.approx(36 / 320)


def test_no_answer_is_nothing():
    assert blocking_share(burst(0, 0.0)) == 0.0


def test_who_answered_nothing_took_the_whole_burst_at_least():
    starved = answered(burst(0, 0.0, seconds=2.0))
    assert (starved.p50_ms, starved.p99_ms) == (2000.0, 2000.0)


def test_who_answered_is_taken_at_its_word():
    assert answered(burst(1, 3.0)) == burst(1, 3.0)
