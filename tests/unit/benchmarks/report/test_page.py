"""The page of results."""

from __future__ import annotations

from benchmarks.outcome import Outcome, Table
from benchmarks.report.bars import judge
from benchmarks.report.page import render


def test_it_has_facts_remarks_bars_tables_and_the_picture():
    outcome = Outcome(
        "a", "hello", "GET of hello", Table(("server", "CPU"), [("bjoern", "1.20")]), {"cpu/bjoern": 1.2},
        remarks=["left out: x | y <z>"], foreign=0.25,
    )  # fmt: skip
    page = render([outcome], judge([outcome]), [("date", "2026-11-22")], ["bjoern cannot be installed"], "results.svg")
    assert "| date | 2026-11-22 |" in page
    assert "- bjoern cannot be installed" in page
    assert "](results.svg)" in page
    assert "| a | CPU per request ÷ bjoern (stretch) | ≤ 1.15 | 1.2 | **missed** |" in page
    assert "## (a) hello\n\nGET of hello.\n\n| server | CPU |\n|---|--:|\n| bjoern | 1.20 |" in page
    assert r"- left out: x \| y &lt;z>" in page
    assert "25 %" in page
