"""Choosing scenarios by word."""

from __future__ import annotations

import pytest

from benchmarks.scenarios.catalogue import SCENARIOS, Unknown, choose


def keys(words):
    return [scenario.key for scenario in choose(words)]


def test_a_letter_means_all_its_parts_in_their_order():
    assert keys("h, d") == ["d-up", "d-down", "d-file", "h-balance", "h-storm", "h-drain"]


def test_a_part_means_itself():
    assert keys("h-storm") == ["h-storm"]


def test_no_word_means_all():
    assert keys("") == [scenario.key for scenario in SCENARIOS]


def test_keys_are_unique():
    assert len({scenario.key for scenario in SCENARIOS}) == len(SCENARIOS)


def test_an_unknown_word_is_named():
    with pytest.raises(Unknown, match="'zz'"):
        choose("a,zz")
