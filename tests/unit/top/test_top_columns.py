"""The table of workers: texts, order, what goes when there is no room."""

from __future__ import annotations

from math import inf

import pytest

from hybridd.top.columns import (
    COLUMNS,
    age_text,
    latency_text,
    mean_text,
    ordered,
    rate_text,
    share_text,
    size_text,
    table,
)
from hybridd.top.figures import picture
from tests.support.looks import look, worker


def workers(*given):
    return picture(None, look(given)).workers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rate_text(None), "-"),
        (rate_text(0.0), "0"),
        (rate_text(0.33), "0.3"),
        (rate_text(12345.6), "12,346"),
        (latency_text(None), "-"),
        (latency_text(0.005), "≤5ms"),
        (latency_text(2.5), "≤2.5s"),
        (latency_text(inf), ">10s"),
        (mean_text(0.000_082), "0.082ms"),
        (mean_text(0.0421), "42ms"),
        (mean_text(3.04), "3.0s"),
        (size_text(None), "-"),
        (size_text(210 << 20), "210M"),
        (size_text(1 << 19), "0.5M"),
        (share_text(0.123), "12.3"),
        (share_text(3.4), "340"),
        (age_text(4.25), "4.2s"),
        (age_text(59), "59s"),
        (age_text(184), "3m04s"),
        (age_text(7500), "2h05m"),
        (age_text(273600), "3d04h"),
    ],
)
def test_figures_as_people_read_them(text, expected):
    assert text == expected


def test_sorting_puts_the_busiest_on_top_and_can_be_turned():
    found = workers(worker(0, rss=1), worker(1, rss=3), worker(2, rss=None), worker(3, rss=3))
    assert [one.slot for one in ordered(found, "rss", turned=False)] == [1, 3, 0, 2]
    assert [one.slot for one in ordered(found, "rss", turned=True)] == [2, 0, 1, 3]
    assert [one.slot for one in ordered(found, "slot", turned=False)] == [0, 1, 2, 3]


def test_every_column_sorts_and_shows_what_is_not_known():
    found = workers(worker(0, rss=None, why="reload", state="draining"), worker(1))
    for column in COLUMNS:
        assert ordered(found, column.heading, turned=False)
        assert column.cell(found[0])


def test_the_least_worthy_columns_go_first_but_never_the_one_that_sorts():
    found = workers(worker(0), worker(1, calls_queued=12))
    heading, first, second = table(found, 200)
    assert heading.split() == [column.heading for column in COLUMNS if column.heading != "pss"]
    assert len(heading) == len(first) == len(second)
    for width in (100, 60, 40):
        lines = table(found, width, "new/s", "▾")
        assert "new/s▾" in lines[0]
        assert max(map(len, lines)) <= width
    assert table(found, 20)[0].split() == ["slot", "state", "req/s"]


def test_pss_is_a_column_where_the_server_tells_it():
    assert "pss" in table(workers(worker(pss=5 << 20)), 200)[0]
