from __future__ import annotations

import mmap

import pytest

from hybridd.ops.layout import Cells, CounterFamily, HistogramFamily, Layout

BY_COLOUR = CounterFamily("paint", "paint_total", "Paint.", {"colour": ("red", "blue"), "size": ("s", "m", "l")})
WAITS = HistogramFamily("waits", "waits_seconds", "Waits.", (0.1, 1.0))


def layout(**changes) -> Layout:
    parts = {
        "header": ("boss",),
        "gauges": ("a", "b"),
        "counters": (BY_COLOUR, WAITS),
        "cells": (Cells("notes", 3, 64),),
    }
    return Layout(**{**parts, **changes})


def test_gauges_come_first_and_counters_follow_in_one_run():
    made = layout()
    assert [made.word("a"), made.word("b")] == [0, 1]
    assert (made.counters_start, made.counters_stop) == (2, 2 + 6 + 4)
    assert made.span("paint") == slice(2, 8)
    assert made.start("waits") == 8


def test_a_family_without_labels_is_one_word():
    assert CounterFamily("n", "n_total", "N.").words == 1
    assert list(CounterFamily("n", "n_total", "N.").combinations()) == [()]


def test_the_last_label_varies_fastest():
    assert list(BY_COLOUR.combinations())[:4] == [("red", "s"), ("red", "m"), ("red", "l"), ("blue", "s")]


def test_a_histogram_has_a_bucket_for_infinity_and_a_sum():
    assert WAITS.words == 2 + 1 + 1


def test_rows_and_header_are_whole_pages():
    made = layout(cells=(Cells("notes", 100, 64),))
    assert made.row_words * 8 % mmap.PAGESIZE == 0
    assert made.row_words * 8 == 2 * mmap.PAGESIZE
    assert made.header_words * 8 == mmap.PAGESIZE


def test_the_first_header_word_is_the_scoreboards_own():
    assert layout().header_word("boss") == 1


def test_cells_follow_the_counters():
    cells = layout().cells("notes")
    assert [cells.word(index) for index in range(3)] == [12, 20, 28]
    assert cells.capacity == 64 - 8 - 1


@pytest.mark.parametrize("index", [-1, 3])
def test_a_cell_that_does_not_exist_is_refused(index):
    with pytest.raises(IndexError):
        layout().cells("notes").word(index)


def test_names_are_unique():
    with pytest.raises(ValueError, match="twice"):
        layout(gauges=("a", "waits"))
