"""The kernel's books about CPU time."""

from __future__ import annotations

import os

import pytest

from benchmarks.measure.cpu import Busy, parse_cpu_line, parse_schedstat, spent

TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def test_schedstat_begins_with_the_nanoseconds_on_a_cpu():
    assert parse_schedstat("123456789 42 7\n") == 123456789


@pytest.mark.parametrize("text", ["", "1 2", "a b c", "1 2 3 4"])
def test_another_format_is_an_error(text):
    with pytest.raises(ValueError):
        parse_schedstat(text)


def test_spent_counts_threads_that_are_new_and_forgets_those_that_ended():
    before = {(1, 1): 100, (1, 2): 50}
    after = {(1, 1): 130, (1, 3): 7}
    assert spent(before, after) == 37


def test_a_thread_number_of_another_process_is_another_thread():
    assert spent({(1, 5): 100}, {(2, 5): 30}) == 30


def test_a_cpu_is_busy_unless_idle_or_waiting_for_a_disk_and_stolen_time_is_apart():
    assert parse_cpu_line("cpu1 1 2 4 1000 2000 8 16 32 64 128") == Busy(31 * TICK, 32 * TICK)


def test_busy_between_two_readings():
    assert Busy(50, 7) - Busy(20, 3) == Busy(30, 4)
