"""What many noisy rounds say about two servers."""

from __future__ import annotations

import pytest

from benchmarks.measure.paired import quartiles, ratio_of_costs, ratio_of_rates


def test_costs_are_compared_by_their_minima():
    ratio = ratio_of_costs([10.0, 18.0, 12.0], [20.0, 22.0, 60.0])
    assert ratio.best == 0.5


def test_rates_are_compared_by_their_maxima():
    ratio = ratio_of_rates([100.0, 50.0, 90.0], [200.0, 100.0, 10.0])
    assert ratio.best == 0.5


def test_quartiles_are_of_the_ratios_within_a_round():
    ratio = ratio_of_costs([10.0, 30.0, 50.0, 70.0, 90.0], [10.0, 10.0, 10.0, 10.0, 10.0])
    assert (ratio.low, ratio.middle, ratio.high) == (3.0, 5.0, 7.0)


def test_disturbance_of_one_server_in_one_round_does_not_move_the_ratio_of_minima():
    calm = ratio_of_costs([10.0] * 15, [20.0] * 15)
    disturbed = ratio_of_costs([10.0] * 14 + [90.0], [35.0] + [20.0] * 14)
    assert disturbed.best == calm.best


def test_rounds_must_match():
    with pytest.raises(ValueError, match="zip"):
        ratio_of_costs([1.0, 2.0], [1.0])


def test_a_single_round_is_its_own_quartiles():
    assert quartiles([3.0]) == (3.0, 3.0, 3.0)


def test_no_round_says_nothing():
    with pytest.raises(ValueError, match="nothing"):
        quartiles([])
