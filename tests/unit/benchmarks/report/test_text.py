"""Tables in a terminal."""

from __future__ import annotations

from benchmarks.outcome import Table
from benchmarks.report.text import show_foreign, show_table


def test_names_stand_left_and_figures_right():
    shown = show_table(Table(("server", "µs"), [("bjoern", "9.9"), ("gunicorn gthread", "145.0")]))
    assert shown.splitlines() == [
        "server               µs",
        "----------------  -----",
        "bjoern              9.9",
        "gunicorn gthread  145.0",
    ]


def test_a_quiet_machine_needs_no_word():
    assert show_foreign(None) == show_foreign(0.01) == ""
    assert "37 %" in show_foreign(0.37)
