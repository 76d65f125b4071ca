"""A process and its descendants."""

from __future__ import annotations

from benchmarks.measure.process_tree import Process, descendants, parse_stat

TAIL = " ".join(["S", "10", *["0"] * 17, "4711", "0", "0"])


def process(pid, parent):
    return Process(pid, parent, started=1, state="S")


def test_a_name_may_hold_spaces_and_parentheses():
    assert parse_stat(f"42 (a (b) c) {TAIL}") == Process(42, 10, 4711, "S")


def test_what_is_no_line_is_nothing():
    assert parse_stat("") is None
    assert parse_stat("42 (cut) S 10") is None


def test_descendants_of_all_depths_and_nobody_else():
    everybody = [process(1, 0), process(5, 1), process(6, 5), process(7, 6), process(8, 1), process(9, 5)]
    assert [one.pid for one in descendants(5, everybody)] == [5, 6, 9, 7]


def test_who_is_gone_has_none():
    assert descendants(3, [process(1, 0)]) == []
