"""From entries to families: rules, histograms, names that are refused, bounds."""

from __future__ import annotations

import json

import pytest

from hybridd.ops.value_merging import Family, Merger, Refusal, Rule, combine, cumulated, read_key, select


def entry(value, *, family="jobs", sample="", stamp=0.0, text="Help.", **labels):
    return json.dumps([family, sample or family, labels, text]).encode(), value, stamp


def values_of(family):
    return {(name, *labels): value for name, labels, value in cumulated(family)}


def merged(prefix, *files):
    merger = Merger()
    for number, entries in enumerate(files, 1):
        merger.add(prefix, entries, str(number))
    return merger


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("sum", 8.0), ("livesum", 8.0), ("min", 1.0), ("livemin", 1.0), ("max", 5.0), ("livemax", 5.0)],
)
def test_gauges_become_one_value(mode, expected):
    merger = merged(f"gauge_{mode}", [entry(5.0)], [entry(1.0)], [entry(2.0)])
    assert values_of(merger.families["jobs"]) == {("jobs",): expected}


@pytest.mark.parametrize("mode", ["mostrecent", "livemostrecent"])
def test_the_newest_value_wins(mode):
    merger = merged(f"gauge_{mode}", [entry(5.0, stamp=10)], [entry(1.0, stamp=30)], [entry(2.0, stamp=20)])
    assert values_of(merger.families["jobs"]) == {("jobs",): 1.0}


@pytest.mark.parametrize("mode", ["all", "liveall"])
def test_a_gauge_of_each_process(mode):
    merger = merged(f"gauge_{mode}", [entry(5.0, pid="x")], [entry(1.0)])
    assert values_of(merger.families["jobs"]) == {("jobs", ("pid", "1")): 5.0, ("jobs", ("pid", "2")): 1.0}


def test_counters_and_summaries_are_sums():
    merger = merged("counter", [entry(1.0, sample="jobs_total", a="1")], [entry(2.0, sample="jobs_total", a="1")])
    assert values_of(merger.families["jobs"]) == {("jobs_total", ("a", "1")): 3.0}
    merger = merged("summary", [entry(1.0, sample="jobs_count")], [entry(2.0, sample="jobs_count")])
    assert values_of(merger.families["jobs"]) == {("jobs_count",): 3.0}


def test_another_help_text_is_the_same_series():
    merger = merged("counter", [entry(1.0, sample="jobs_total")], [entry(2.0, sample="jobs_total", text="New.")])
    assert values_of(merger.families["jobs"]) == {("jobs_total",): 3.0}


def test_a_histogram_is_cumulated_and_counted():
    parts = [entry(n, sample="jobs_bucket", le=le) for le, n in (("10.0", 3.0), ("2.5", 1.0), ("+Inf", 2.0))]
    merger = merged("histogram", parts, [*parts, entry(7.5, sample="jobs_sum")])
    assert values_of(merger.families["jobs"]) == {
        ("jobs_bucket", ("le", "2.5")): 2.0,
        ("jobs_bucket", ("le", "10.0")): 8.0,
        ("jobs_bucket", ("le", "+Inf")): 12.0,
        ("jobs_count",): 12.0,
        ("jobs_sum",): 7.5,
    }


def test_a_family_is_what_came_first():
    merger = Merger()
    merger.add("gauge_sum", [entry(1.0)], "1")
    merger.add("gauge_max", [entry(9.0)], "2")
    assert values_of(merger.families["jobs"]) == {("jobs",): 1.0}
    assert merger.refused == {"jobs as gauge_max": Refusal.CLASH}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'["a", "a", {"b": 1}, ""]',
        b'["a", "a", [], ""]',
        b'["a", 1, {}, ""]',
    ],
)
def test_what_is_no_key(raw):
    assert read_key(raw) is None
    merger = Merger()
    merger.add("counter", [(raw, 1.0, 0.0)])
    assert merger.families == {}


def test_values_of_the_dead_are_combined_by_key():
    into = {b"a": (1.0, 0.0)}
    combine(Rule.SUM, into, [(b"a", 2.0, 0.0), (b"b", 5.0, 0.0)])
    assert into == {b"a": (3.0, 0.0), b"b": (5.0, 0.0)}


def family(name, size=1, prefix="counter", sample="", label="n"):
    suffix = "_total" if prefix == "counter" else ""
    samples = {(sample or name + suffix, ((label, str(n)),)): (1.0, 0.0) for n in range(size)}
    return Family(name, prefix, "Help.", samples)


@pytest.mark.parametrize("name", ["hybridd_workers", "hybridd_anything", "process_open_fds", "python_info"])
def test_names_of_ours_are_refused(name):
    chosen, refused = select([family(name), family("jobs")], 100, ("hybridd_", "process_", "python_"))
    assert [one.name for one in chosen] == ["jobs"]
    assert refused == {name: Refusal.RESERVED}


@pytest.mark.parametrize(
    "bad",
    [
        family("9jobs"),
        family("jobs done"),
        family('jobs"\n'),
        family("jobs", label="1"),
        family("jobs", label="__name__"),
        family("jobs", sample="other_total"),
    ],
)
def test_what_would_break_the_whole_scrape_is_refused(bad):
    assert select([bad], 100, ()) == ([], {bad.name: Refusal.INVALID})


def test_two_families_do_not_share_a_name_of_samples():
    histogram = Family("jobs", "histogram", "", {("jobs_sum", ()): (1.0, 0.0)})
    chosen, refused = select([histogram, family("jobs_count", prefix="gauge_sum")], 100, ())
    assert chosen == [histogram]
    assert refused == {"jobs_count": Refusal.CLASH}


def test_the_largest_families_go_first():
    families = [family("a", 10), family("b", 60), family("c", 40), family("d", 5)]
    chosen, refused = select(families, 20, ())
    assert [one.name for one in chosen] == ["a", "d"]
    assert refused == {"b": Refusal.TOO_MANY, "c": Refusal.TOO_MANY}
    assert select(families, 115, ()) == (families, {})
