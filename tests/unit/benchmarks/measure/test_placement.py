"""Which CPU is whose."""

from __future__ import annotations

import pytest

from benchmarks.measure.placement import Placement, TooFewCpus, parse_cpu_list, place


def apart(*cpus):
    return {cpu: frozenset({cpu}) for cpu in cpus}


def test_two_cpus_are_shared_out():
    assert place([0, 1], apart(0, 1)) == Placement(load=0, single=1, several=(1,), everywhere=(0, 1))


def test_the_load_has_its_core_alone():
    pairs = {0: frozenset({0, 2}), 2: frozenset({0, 2}), 1: frozenset({1, 3}), 3: frozenset({1, 3})}
    assert place([0, 1, 2, 3], pairs) == Placement(load=0, single=3, several=(1, 3), everywhere=(0, 1, 2, 3))


def test_two_threads_of_one_core_must_do_when_there_is_nothing_else():
    both = frozenset({4, 5})
    assert place([5, 4], {4: both, 5: both}).single == 5


def test_one_cpu_is_too_few():
    with pytest.raises(TooFewCpus):
        place([0], apart(0))


@pytest.mark.parametrize(("text", "numbers"), [("0\n", [0]), ("0-3", [0, 1, 2, 3]), ("0,2-3,7", [0, 2, 3, 7])])
def test_lists_of_the_kernel(text, numbers):
    assert parse_cpu_list(text) == numbers
