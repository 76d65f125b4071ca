from __future__ import annotations

import pytest

from hybridd.ops.procfs import Stat, parse_parent, parse_stat, read_process, read_stat

LINE = (
    "2740 ({name}) S 2734 2734 2836 0 -1 4194304 99 0 0 0 250 125 7000 7000 20 0 33 0 196644 3133440 379"
    " 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
)
NO_PROCESS = 2**22 + 1  # above the highest pid_max there is


@pytest.mark.parametrize("name", ["python", "tricky name", "a) S 1 (b", "hybridd: worker"])
def test_a_stat_line(name):
    assert parse_stat(LINE.format(name=name), ticks=100, page=4096) == Stat(
        state="S",
        cpu_seconds=3.75,  # its own; not what its children used
        threads=33,
        started=1966.44,
        resident_bytes=379 * 4096,
    )


@pytest.mark.parametrize("text", ["", "2740", "2740 (cat) S 1 2", "2740 (cat) " + "x " * 50])
def test_what_is_no_stat_line(text):
    assert parse_stat(text) is None


def test_the_parent_in_a_stat_line():
    assert parse_parent(LINE.format(name="a) S 1 (b")) == 2734
    assert parse_parent("2740 (cat)") == parse_parent("") == 0


def test_a_process_that_is_gone():
    assert read_stat(NO_PROCESS) is None
    assert read_process(NO_PROCESS) is None
