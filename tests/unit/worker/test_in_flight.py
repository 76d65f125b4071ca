"""The cells of a row that name the Calls of a worker."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hybridd.http.request import Request
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words
from hybridd.worker.call import CallState
from hybridd.worker.in_flight import InFlight


@pytest.fixture
def row():
    size = words.LAYOUT.header_words + words.LAYOUT.row_words
    return Scoreboard(words.LAYOUT, memoryview(bytearray(size * 8)).cast("Q"), 1).row(0)


@pytest.fixture
def in_flight(row):
    return InFlight(row)


def make_call(path="/", state=CallState.RUNNING, started=5.0):
    request = Request("GET", path.encode(), (1, 1), {"HTTP_X_REQUEST_ID": f"id-{path}"})
    request.path = path
    request.ready = 3.0
    return SimpleNamespace(cell=-1, request=request, state=state, started=started)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (CallState.QUEUED, words.CallState.QUEUED),
        (CallState.RUNNING, words.CallState.RUNNING),
        (CallState.SUSPENDED, words.CallState.SUSPENDED),
        (CallState.RESUMED, words.CallState.SUSPENDED),
    ],
)
def test_what_a_call_is_and_does(row, in_flight, state, shown):
    in_flight.show(make_call("/a", state))
    (call,) = words.read_calls(row)
    assert (call.state, call.method, call.path, call.request_id) == (shown, "GET", "/a", "id-/a")


def test_since_when_it_runs_or_at_least_waits(row, in_flight):
    in_flight.show(make_call("/runs", started=5.0))
    in_flight.show(make_call("/waits", CallState.QUEUED, started=0.0))
    assert {call.path: call.since for call in words.read_calls(row)} == {"/waits": 3 * 10**9, "/runs": 5 * 10**9}


def test_a_call_keeps_its_cell_until_it_is_over(row, in_flight):
    call = make_call()
    in_flight.show(call)
    cell = call.cell
    call.state = CallState.SUSPENDED
    in_flight.show(call)
    assert call.cell == cell
    in_flight.forget(call)
    assert call.cell == -1
    assert words.read_calls(row) == []
    in_flight.forget(call)


def test_every_cell_is_used_and_used_again(row, in_flight):
    calls = [make_call(f"/{n}") for n in range(words.CALL_CELLS + 2)]
    for call in calls:
        in_flight.show(call)
    assert len(words.read_calls(row)) == words.CALL_CELLS
    assert [call.cell for call in calls[-2:]] == [-1, -1]
    in_flight.forget(calls[0])
    in_flight.show(calls[-1])
    assert calls[-1].cell >= 0
    for call in calls:
        in_flight.forget(call)
    assert words.read_calls(row) == []
    assert sorted(in_flight._free) == list(range(words.CALL_CELLS))


def test_a_request_whose_outcome_is_recorded_is_settled(row, in_flight):
    call, other = make_call("/a"), make_call("/b")
    in_flight.show(call)
    in_flight.show(other)
    call.request.finished = 1.0
    in_flight.settled(call.request)
    assert {shown.path: shown.state for shown in words.read_calls(row)} == {
        "/a": words.CallState.SETTLED,
        "/b": words.CallState.RUNNING,
    }


def test_a_request_that_has_no_cell_can_be_settled_too(row, in_flight):
    in_flight.settled(make_call().request)
    shown = make_call()
    in_flight.show(shown)
    in_flight.settled(make_call().request)
    in_flight.forget(shown)
    in_flight.settled(shown.request)
    assert words.read_calls(row) == []


def test_nothing_of_a_call_is_kept(in_flight):
    call = make_call()
    in_flight.show(call)
    in_flight.forget(call)
    assert not in_flight.shown
