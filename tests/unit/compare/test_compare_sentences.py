from dataclasses import replace

import pytest

from hybridd.compare.figures import Backlog, Row
from hybridd.compare.sentences import full, sentence


@pytest.fixture
def row(rows):
    return next(row for row in rows if row.pattern.name == "thread")


def said_of(row, **changes):
    """Return the sentence when a part of the figures is another one."""
    part, values = next(iter(changes.items()))
    return sentence(replace(row, **{part: replace(getattr(row, part), **values)}), [row])


def test_it_is_one_sentence(rows):
    for row in rows:
        text = sentence(row, rows)
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith(".")
        assert "\n" not in text
        assert ".." not in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"seconds": 3.02}, "one after the other, in 3.02 s"),
        ({"seconds": 2.7}, "one after the other, in 2.70 s"),
        ({"seconds": 1.01}, "at once, in 1.01 s"),
        ({"seconds": 2.05}, "2 at a time, in 2.05 s"),
        ({"clients": 10, "answered": 10, "seconds": 4.03}, "3 at a time"),
        ({"answered": 2}, "1 of 3 clients that each wait 1 s got no answer"),
        ({"answered": 0, "seconds": None}, "3 of 3 clients that each wait 1 s got no answer"),
        ({"clients": 1, "answered": 1, "seconds": 1.01}, "1 client that each wait"),
    ],
)
def test_the_demonstration_says_how_many_were_served_at_a_time(row, values, said):
    assert said in said_of(row, demonstration=values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"answered": 0, "unanswered": 1, "p99": None}, "nobody else is answered within 3 s"),
        ({"answered": 0, "refused": 9, "p99": None}, "everybody else is refused"),
        ({"answered": 20, "unanswered": 1}, "1 of 21 fresh ones are not answered within 3 s"),
        ({"p99": 0.004, "before": 0.001}, "100 slow clients are not noticed (p99 4.0 ms)"),
        ({"p99": 0.090, "before": 0.060}, "100 slow clients are not noticed (p99 90 ms)"),
        ({"p99": 0.030, "before": 0.001}, "wait 30 times as long (p99 30 ms)"),
    ],
)
def test_slow_clients_are_noticed_or_not(row, values, said):
    assert said in said_of(row, crowd=values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"processes": 100, "threads": 0}, "an open connection costs a process"),
        ({"threads": 97}, "an open connection costs a thread"),
        ({"threads": 31}, "100 open connections take 31 threads"),
        ({"threads": 1}, "100 open connections take 1 thread;"),
        ({"processes": 2, "threads": 3}, "100 open connections take 2 processes and 3 threads"),
    ],
)
def test_what_open_connections_take(row, values, said):
    assert said in said_of(row, crowd=values)


def test_connections_that_take_nothing_are_not_talked_of(row):
    assert "open connection" not in said_of(row, crowd={"threads": 0})


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (0, "a crash broke no connection"),
        (1, "a crash costs its own connection only"),
        (7, "a crash costs 7 of 21 connections"),
        (21, "a crash costs all 21 connections"),
    ],
)
def test_what_a_crash_costs(row, broken, said):
    assert said in said_of(row, crash={"broken": broken})


def test_what_a_request_costs_is_told_beside_the_cheapest(rows):
    texts = {row.pattern.name: sentence(row, rows) for row in rows}
    assert "a request costs 30.0 µs of CPU, the least of all" in texts["hybrid"]
    assert "a request costs 31.0 µs of CPU, as little as hybrid" in texts["reactor"]
    assert "a request costs 98.0 µs of CPU, 3.3 times that of hybrid" in texts["serial"]


def test_nobody_is_the_cheapest_of_one(row):
    assert "a request costs 91.0 µs of CPU." in sentence(row, [row])


def test_failures_are_told(row):
    assert "and 1 request failed under load" in said_of(row, load={"failures": 1})
    assert "and 12 requests failed under load" in said_of(row, load={"failures": 12})


def test_what_was_not_measured_is_not_talked_of(row):
    assert sentence(Row(row.pattern, 1), []) == "Nothing was measured."
    problem = Row(row.pattern, 1, problem="it ended with status 70")
    assert sentence(problem, []) == "Not all was measured: it ended with status 70."


def test_what_clients_of_a_full_server_see():
    assert full(Backlog(64, 1.0, 1, 2, 3, 4, 54)) == (
        "of 64 clients 1 is answered, 2 are turned away by a 503, 3 are connected but not answered, 4 are not"
        " connected, 54 are refused"
    )
    assert full(Backlog(64, 1.0, 64, 0, 0, 0, 0)) == "of 64 clients 64 are answered"


def test_the_sentence_follows_the_figures_and_not_the_name(rows):
    serial, thread = rows[0], rows[2]
    swapped = replace(serial, demonstration=thread.demonstration, crowd=thread.crowd, crash=thread.crash)
    assert "at once" in sentence(swapped, rows)
    assert "costs all 21" in sentence(swapped, rows)
