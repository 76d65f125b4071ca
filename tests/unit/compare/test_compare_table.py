from dataclasses import replace

import pytest

from hybridd.compare import table
from hybridd.compare.columns import COLUMNS
from hybridd.compare.figures import Comparison


def test_every_pattern_has_a_line_of_figures_and_a_sentence(comparison):
    text = table.render(comparison, 132)
    assert "\nreactor     21,400*" in text
    assert "\nreactor: 3 clients" in text
    assert "\nhybrid (3 workers): 3 clients" in text


@pytest.mark.parametrize("width", [1, 60, 80, 109, 132])
def test_nothing_is_wider_than_the_terminal(comparison, width):
    lines = table.render(comparison, width).splitlines()
    assert max(len(line) for line in lines) <= max(width, 40)


def test_a_narrow_terminal_gets_the_same_columns_in_several_tables(comparison):
    blocks = table.blocks(COLUMNS, comparison.rows, 60)
    assert len(blocks) > 1
    assert [column for block in blocks for column in block] == list(COLUMNS)
    assert len(table.blocks(COLUMNS, comparison.rows, 132)) == 1


def test_it_says_when_the_client_was_the_limit(comparison):
    assert "not reactor, hybrid" in " ".join(table.remarks(comparison))
    unlimited = replace(comparison, rows=comparison.rows[:2])
    assert "limit" not in " ".join(table.remarks(unlimited))


def test_an_interrupted_comparison_says_so(comparison):
    assert "interrupted" in table.render(replace(comparison, complete=False), 100)
    assert table.render(Comparison((), {}, complete=False), 100) == "interrupted: nothing was measured\n"
