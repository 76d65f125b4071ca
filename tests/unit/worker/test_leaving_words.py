"""Which listeners the header names."""

from __future__ import annotations

import pytest

from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import leaving_words, words

MOST = leaving_words.MOST
EVERYBODY = range(1, MOST + 1)


@pytest.fixture
def board():
    return Scoreboard.create(words.LAYOUT, rows=1)


@pytest.mark.parametrize("numbers", [set(), {1}, {63, 64}, {MOST - 1, MOST}, set(EVERYBODY)])
def test_those_that_were_written_and_no_others(board, numbers):
    leaving = board.header[words.LEAVING_LISTENERS]
    for before in ({2, 65}, EVERYBODY):
        leaving_words.write(leaving, before)
        leaving_words.write(leaving, numbers)
        assert {number for number in EVERYBODY if leaving_words.names(leaving, number)} == numbers


def test_nothing_else_is_written(board):
    leaving_words.write(board.header[words.LEAVING_LISTENERS], EVERYBODY)
    before, after = words.LEAVING_LISTENERS.start, words.LEAVING_LISTENERS.stop
    assert not any([*board.header[:before], *board.header[after:]])
