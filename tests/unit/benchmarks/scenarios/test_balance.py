"""How even a distribution is."""

from __future__ import annotations

import pytest

from benchmarks.scenarios.balance import max_over_mean


def test_even_is_one():
    assert max_over_mean([100, 100, 100, 100], 4) == 1.0


def test_a_worker_that_got_nothing_counts():
    assert max_over_mean([200, 200], 4) == pytest.approx(2.0)
