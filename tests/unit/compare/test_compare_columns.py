from dataclasses import replace

import pytest

from hybridd.compare.columns import COLUMNS, backlog_parts, leaders
from hybridd.compare.figures import Row
from hybridd.compare.patterns import PATTERNS

BY_KEY = {column.key: column for column in COLUMNS}


def shown(row):
    return {column.key: column.shown(row) for column in COLUMNS}


def test_every_column_shows_a_row(rows):
    assert shown(rows[1]) == {
        "rate": "610", "p50": "25 ms", "p99": "41 ms", "cpu": "1,400 µs", "demonstration": "1.03 s", "fresh": "21 ms",
        "memory": "95.0 MiB", "processes": "100", "threads": "0", "crash": "1 of 21",
    }  # fmt: skip


def test_what_was_not_measured_is_a_dash():
    empty = Row(PATTERNS[0], 1)
    assert set(shown(empty).values()) == {"-"}
    assert {column.value(empty) for column in COLUMNS} == {None}
    assert backlog_parts(empty) == []


def test_figures_that_the_client_limited_are_marked(rows):
    hybrid = rows[-1]
    assert (shown(hybrid)["rate"], shown(hybrid)["p99"], shown(hybrid)["cpu"]) == ("21,900*", "1.2 ms*", "30.0 µs")


def test_nobody_answered_is_no_p99(rows):
    serial = rows[0]
    assert shown(serial)["fresh"] == "> 3 s"
    assert BY_KEY["fresh"].value(serial) == 3.0
    refused = replace(serial, crowd=replace(serial.crowd, unanswered=0, refused=3))
    assert shown(refused)["fresh"] == "refused"
    assert BY_KEY["fresh"].value(refused) is None


def test_clients_that_got_no_answer_are_told_instead_of_a_time(rows):
    lost = replace(rows[0], demonstration=replace(rows[0].demonstration, answered=1))
    assert shown(lost)["demonstration"] == "2 of 3 lost"


def test_the_best_and_who_is_as_good(rows):
    assert leaders(BY_KEY["cpu"], rows) == {"reactor", "hybrid"}
    assert leaders(BY_KEY["demonstration"], rows) == {"process", "thread", "prefork", "pool", "hybrid"}
    assert leaders(BY_KEY["crash"], rows) == {"serial", "process", "prefork"}


@pytest.mark.parametrize("key", ["rate", "p50", "p99"])
def test_nobody_is_best_where_the_client_was_the_limit(rows, key):
    assert leaders(BY_KEY[key], rows) == frozenset()
    slower = [replace(row, load=replace(row.load, client_cpu=0.5)) for row in rows]
    assert "hybrid" in leaders(BY_KEY[key], slower)


def test_nobody_is_best_of_equals_or_of_nothing(rows):
    assert leaders(BY_KEY["crash"], [rows[2], rows[4]]) == frozenset()
    assert leaders(BY_KEY["crash"], [Row(PATTERNS[0], 1)]) == frozenset()
