from __future__ import annotations

import pytest

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CloseReason, Rejection
from hybridd.ops.layout import CounterFamily
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words
from hybridd.worker.words import CallState, WorkerState


@pytest.fixture
def board() -> Scoreboard:
    size = words.LAYOUT.header_words + 2 * words.LAYOUT.row_words
    return Scoreboard(words.LAYOUT, memoryview(bytearray(size * 8)).cast("Q"), 2)


@pytest.fixture
def row(board):
    return board.claim(0)


def word_of(name: str, *labels: str) -> int:
    family = next(family for family in words.LAYOUT.counters if family.name == name)
    assert isinstance(family, CounterFamily)
    return words.LAYOUT.start(name) + list(family.combinations()).index(labels)


def test_an_idle_worker_touches_one_page():
    assert words.LAYOUT.counters_stop * 8 < 4096


def test_an_unused_row_is_empty(row):
    assert words.unpack_state(row.words[words.STATE]) == (WorkerState.EMPTY, 0)
    assert words.read_calls(row) == []
    assert words.read_boot_error(row) == ""


def test_state_and_generation_share_a_word():
    for state in WorkerState:
        for generation in (0, 1, 255, 256, 2**40):
            word = words.pack_state(state, generation)
            assert words.unpack_state(word) == (state, generation)
            assert word < 2**64


def test_calls_weigh_more_than_any_number_of_connections():
    assert words.pack_load(1, 0) > words.pack_load(0, 2**40)
    assert words.pack_load(1, 3) > words.pack_load(1, 2)
    assert words.pack_load(2**31, 2**40) < 2**64


# -- HTTP counters


def test_every_counter_lands_in_the_word_of_its_labels(row):
    counts = HttpCounts()
    counts.count_request("POST", 503, 0.02)
    counts.count_request("BREW", 200, 0.02)
    for _ in range(3):
        counts.count_rejected(Rejection.QUEUE_FULL)
    for _ in range(4):
        counts.count_closed(CloseReason.RESET)
    counts.queue_wait.counts[-1], counts.queue_wait.seconds = 1, 99.0
    counts.open, counts.reading, counts.active = 9, 2, 3
    words.store_http(row, counts)
    told = row.words
    duration, wait, requests = map(words.LAYOUT.start, ("http_duration", "http_queue_wait", "http_requests"))
    assert told[word_of("http_requests", "POST", "5xx")] == 1
    assert told[word_of("http_requests", "other", "2xx")] == 1
    assert told[word_of("http_rejected", "queue_full")] == 3
    assert told[word_of("connections_closed", "reset")] == 4
    assert told[duration : duration + 13].tolist() == [0, 0, 2, *[0] * 9, 40_000_000]
    assert told[wait : wait + 13].tolist() == [*[0] * 11, 1, 99_000_000_000]
    assert sum(told[requests : requests + 40]) == 2
    gauges = {family.metric: {label: of(told) for label, of in family.values.items()} for family in words.GAUGES}
    assert gauges["hybridd_connections"] == {"reading": 2, "active": 3, "idle": 4}


def test_storing_http_touches_no_other_word(row):
    neighbours = [words.CONNECTIONS_ACCEPTED, words.NETWORK_RECEIVE, words.HANDOFFS, words.HEARTBEAT, words.LOAD]
    for offset in neighbours:
        row.words[offset] = 42
    words.store_http(row, HttpCounts())
    assert [row.words[offset] for offset in neighbours] == [42] * len(neighbours)


def test_what_was_stored_is_loaded(row):
    counts = HttpCounts()
    for target in (counts.closed, counts.requests, counts.rejected, counts.duration.counts, counts.queue_wait.counts):
        target[:] = range(1, len(target) + 1)
    counts.duration.seconds, counts.queue_wait.seconds = 77e-9, 78e-9
    words.store_http(row, counts)
    loaded = HttpCounts()
    words.load_http(row.read(), loaded)
    assert (loaded.closed, loaded.requests, loaded.rejected) == (counts.closed, counts.requests, counts.rejected)
    assert loaded.duration.counts == counts.duration.counts
    assert loaded.queue_wait.counts == counts.queue_wait.counts
    assert (loaded.duration.sum_ns, loaded.queue_wait.sum_ns) == (77, 78)


def test_gauges_read_at_two_moments_are_never_negative():
    told = [0] * words.LAYOUT.counters_stop
    told[words.CONNECTIONS_READING] = told[words.CALLS_RUNNING] = 5
    assert all(of(told) >= 0 for family in words.GAUGES for of in family.values.values())


def test_busy_and_free_slots_are_all_slots(row):
    row.words[words.THREADS], row.words[words.CALLS_RUNNING] = 32, 5
    slots = next(family for family in words.GAUGES if family.metric == "hybridd_handler_slots")
    assert {label: of(row.words) for label, of in slots.values.items()} == {"busy": 5, "free": 27}


# -- text cells


def test_calls_in_flight_are_read_oldest_first(row):
    words.write_call(row, 5, CallState.QUEUED, 2000, 7_000_900, request_id="b", method="POST", path="/slow")
    words.write_call(row, 9, CallState.RUNNING, 1000, 500, request_id="a", method="GET", path="/caf\xe9")
    words.write_call(row, 1, CallState.SUSPENDED, 1500, 0, request_id="c", method="GET", path="/")
    words.clear_call(row, 1)
    first, second = words.read_calls(row)
    assert (first.state, first.since, first.request_id, first.method, first.path) == (
        CallState.RUNNING,
        1000,
        "a",
        "GET",
        "/caf\xe9",
    )
    assert (second.state, second.since, second.begun, second.path) == (CallState.QUEUED, 2000, 7_000_000, "/slow")


def test_what_does_not_fit_is_cut_and_the_method_stays(row):
    words.write_call(row, 0, CallState.RUNNING, 1, 1, request_id="i" * 200, method="GET", path="/" + "x" * 500)
    [call] = words.read_calls(row)
    assert call.method == "GET"
    assert call.path.startswith("/xxxxx")
    assert call.request_id == "i" * 40


@pytest.mark.parametrize("path", ["/a\0b", "/\u20ac", "/tab\there"])
def test_no_path_breaks_a_cell(row, path):
    words.write_call(row, 0, CallState.RUNNING, 1, 1, request_id="i", method="GET", path=path)
    [call] = words.read_calls(row)
    assert call.path[0] == "/"
    assert "\0" not in call.path


def test_of_a_long_boot_error_the_end_is_kept(row):
    words.write_boot_error(row, "Traceback\n" + "x" * 5000 + "\nImportError: no \u20ac \ud800")
    reason = words.read_boot_error(row)
    assert reason.endswith("ImportError: no \u20ac \\ud800")
    assert 1900 < len(reason) < 2048


def test_the_last_words_go_with_the_fold(board, row):
    words.write_call(row, 0, CallState.RUNNING, 1, 1, request_id="i", method="GET", path="/")
    words.write_boot_error(row, "why")
    board.fold(0)
    assert words.read_calls(row) == []
    assert words.read_boot_error(row) == ""
