"""Judging what was measured."""

from __future__ import annotations

from benchmarks.outcome import Outcome, Table
from benchmarks.report.bars import BARS, Bar, Verdict, judge, show_limit, show_value
from benchmarks.scenarios.catalogue import SCENARIOS

NOTHING = Table(("server",), ())


def outcome(key, **measures):
    return Outcome(
        key, "a title", "a work", NOTHING, {name.replace("__", "/"): value for name, value in measures.items()}
    )


def words(verdicts):
    return {verdict.bar.text: verdict.word for verdict in verdicts}


def test_a_limit_itself_is_met_in_both_directions():
    assert Bar("a", "x", "most", 1.35).is_met_by(1.35)
    assert Bar("a", "x", "least", 0.6, at_least=True).is_met_by(0.6)


def test_beyond_it_is_missed_in_both_directions():
    assert not Bar("a", "x", "most", 1.35).is_met_by(1.36)
    assert not Bar("a", "x", "least", 0.6, at_least=True).is_met_by(0.59)


def test_only_what_was_run_is_judged_and_what_was_not_measured_says_so():
    verdicts = words(judge([outcome("a", cpu__bjoern=1.2)]))
    assert verdicts["CPU per request ÷ bjoern"] == "met"
    assert verdicts["CPU per request ÷ bjoern (stretch)"] == "missed"
    assert verdicts["CPU per request ÷ granian"] == "not measured"
    assert all(bar.scenario == "a" for bar in BARS if bar.text in verdicts)


def test_every_bar_belongs_to_a_scenario():
    assert {bar.scenario for bar in BARS} <= {scenario.key for scenario in SCENARIOS}


def test_how_limits_and_figures_are_written():
    assert show_limit(Bar("a", "x", "most", 1.35)) == "≤ 1.35"
    assert show_limit(Bar("a", "x", "least", 12, at_least=True)) == "≥ 12"
    assert [show_value(value) for value in (None, 1.2345, 9.876, 2478.6)] == ["-", "1.23", "9.88", "2,479"]


def test_a_verdict_without_a_figure_is_not_met():
    assert Verdict(BARS[0], None).word == "not measured"
