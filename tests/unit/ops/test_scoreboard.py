from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.ops.layout import Cells, CounterFamily, HistogramFamily, Layout
from hybridd.ops.scoreboard import ROWS_USED, Scoreboard

LAYOUT = Layout(
    header=("boss",),
    gauges=("mood", "load"),
    counters=(
        CounterFamily("served", "served_total", "Served.", {"kind": ("a", "b")}),
        HistogramFamily("waits", "waits_seconds", "Waits.", (1.0,)),
    ),
    cells=(Cells("notes", 2, 32),),
)
SERVED = LAYOUT.start("served")
NOTES = LAYOUT.cells("notes")


def board(rows: int = 4) -> Scoreboard:
    memory = bytearray((LAYOUT.header_words + rows * LAYOUT.row_words) * 8)
    return Scoreboard(LAYOUT, memoryview(memory).cast("Q"), rows)


def test_rows_do_not_overlap():
    b = board()
    for slot in range(4):
        words = b.row(slot).words
        words[0] = words[len(words) - 1] = slot + 1
    assert [(b.row(slot).words[0], b.row(slot).words[-1]) for slot in range(4)] == [(n, n) for n in range(1, 5)]
    assert not any(b.header)


@pytest.mark.parametrize("slot", [-1, 4])
def test_a_slot_beyond_the_capacity_is_refused(slot):
    with pytest.raises(IndexError, match="4 rows"):
        board().row(slot)


def test_a_slot_is_claimed_once():
    b = board()
    b.claim(2)
    with pytest.raises(ValueError, match="slot 2"):
        b.claim(2)


def test_the_header_says_how_far_to_look():
    b = board()
    b.claim(2)
    b.claim(0)
    assert b.rows_used == b.header[ROWS_USED] == 3
    b.fold(2)
    assert b.rows_used == 3
    assert b.read().rows.keys() == {0}


@pytest.mark.parametrize("values", [[1, 2, 3], (1, 2, 3), array("Q", [1, 2, 3])])
def test_a_block_is_stored_where_it_belongs(values):
    row = board().row(1)
    row.store(1, values)
    assert row.words[:5].tolist() == [0, 1, 2, 3, 0]


def test_a_negative_value_is_an_error_and_not_a_huge_number():
    with pytest.raises((ValueError, OverflowError)):
        board().row(0).words[0] = -1


def test_read_shows_gauges_and_counters_but_no_cells():
    row = board().row(0)
    row.write_cell(NOTES, 0, 1, b"text")
    assert len(row.read()) == LAYOUT.counters_stop
    assert not any(row.read())


# -- folding


def test_what_the_dead_have_counted_stays_in_the_totals():
    b = board()
    b.claim(0).store(SERVED, [5, 6])
    b.claim(1).store(SERVED, [10, 20])
    assert b.fold(0)[SERVED : SERVED + 2] == [5, 6]
    reading = b.read()
    assert reading.totals[SERVED : SERVED + 2] == [15, 26]
    assert list(reading.rows) == [1]


def test_the_next_life_of_a_slot_starts_at_zero_and_adds():
    b = board()
    b.claim(0).store(SERVED, [5, 6])
    b.fold(0)
    row = b.claim(0)
    assert not any(row.words)
    row.store(SERVED, [1, 0])
    reading = b.read()
    assert reading.totals[SERVED : SERVED + 2] == [6, 6]
    assert reading.by_slot[0][SERVED : SERVED + 2] == [6, 6]


def test_folding_twice_counts_once():
    b = board()
    b.claim(0).store(SERVED, [5, 6])
    b.fold(0)
    b.fold(0)
    assert b.read().totals[SERVED] == 5


def test_gauges_are_not_folded():
    b = board()
    b.claim(0).words[LAYOUT.word("mood")] = 9
    b.fold(0)
    assert b.read().totals[LAYOUT.word("mood")] == 0


def test_a_row_that_is_not_in_use_is_not_read():
    b = board()
    b.row(3).words[SERVED] = 77  # a worker that has not been claimed cannot be
    assert b.read().totals[SERVED] == 0


def test_slots_that_were_used_once_stay_in_by_slot():
    b = board()
    b.claim(1)
    b.fold(1)
    assert list(b.read().by_slot) == [1]


def test_a_reading_is_a_copy():
    b = board()
    row = b.claim(0)
    reading = b.read()
    row.words[SERVED] = 3
    b.fold(0)
    assert reading.totals[SERVED] == reading.rows[0][SERVED] == reading.by_slot[0][SERVED] == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["count", "claim", "fold"]), st.integers(0, 3), st.integers(0, 2**40)), max_size=60
    )
)
def test_totals_are_all_that_was_ever_counted_and_never_fall(steps):
    b = board()
    counted, before = 0, 0
    for step, slot, number in steps:
        if step == "claim" and slot not in b.read().rows:
            b.claim(slot)
        elif step == "fold":
            b.fold(slot)
        elif step == "count" and slot in b.read().rows:
            b.row(slot).words[SERVED] += number
            counted += number
        reading = b.read()
        total = reading.totals[SERVED]
        assert total == counted >= before
        assert sum(own[SERVED] for own in reading.by_slot.values()) == total
        before = total


# -- text cells


def test_a_cell_holds_a_mark_and_a_text():
    row = board().row(0)
    row.write_cell(NOTES, 1, 7, b"GET /")
    assert row.read_cell(NOTES, 1) == (7, b"GET /")
    assert row.read_cell(NOTES, 0) is None


def test_a_shorter_text_leaves_nothing_of_the_longer_one():
    row = board().row(0)
    row.write_cell(NOTES, 0, 1, b"a long text")
    row.write_cell(NOTES, 0, 2, b"short")
    assert row.read_cell(NOTES, 0) == (2, b"short")


def test_a_long_text_is_cut_and_stays_in_its_cell():
    row = board().row(0)
    row.write_cell(NOTES, 1, 1, b"next")
    row.write_cell(NOTES, 0, 1, b"x" * 100)
    assert row.read_cell(NOTES, 0) == (1, b"x" * (32 - 8 - 1))
    assert row.read_cell(NOTES, 1) == (1, b"next")


def test_a_cleared_cell_is_empty():
    row = board().row(0)
    row.write_cell(NOTES, 0, 1, b"x")
    row.clear_cell(NOTES, 0)
    assert row.read_cell(NOTES, 0) is None
