from __future__ import annotations

import os
import threading

import pytest

from hybridd.ops.run_queue import parse_schedstat, read_threads


def test_the_second_field_is_the_time_waited_in_nanoseconds():
    assert parse_schedstat("183962163 1867983479 581\n") == pytest.approx(1.867983479)


@pytest.mark.parametrize("text", ["", "0", "1 2", "a b c", "1 -2 3"])
def test_what_is_no_such_line_is_unknown(text):
    assert parse_schedstat(text) is None


def test_our_own_threads_are_found():
    threads = read_threads(os.getpid())
    assert threads[threading.get_native_id()].runnable


def test_a_process_that_is_gone_has_none():
    assert read_threads(2**22 + 1) == {}
